"""Run folders with simulated scores: as `advmask evaluate` leaves them, without a network or a photo."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from tiny_specification import tiny_specification
from torch import nn

from advmask.evaluation.enrolled import JudgedGallery
from advmask.evaluation.probe_scores import Scores
from advmask.evaluation.protocol import JudgedScores
from advmask.evaluation.results import result_record, write_record
from advmask.evaluation.score_files import write_comparisons, write_scores
from advmask.evaluation.traits import Trait, break_down
from advmask.recognizers.calibration import calibrate
from advmask.recognizers.enrolment import Comparisons
from advmask.recognizers.recognizer import Recognizer

SETTINGS: dict[str, Any] = {
    "recognizers": ["dlib"],
    "seed": 0,
    "faces": {"root": "/photos", "split": [4, 0, 12]},
    "texture": {"kind": "pixels", "texels_per_mm": 2.0},
    "trainer": {"steps": 20, "threads": 1},
}
FMRS = (0.1, 0.05)


def simulated_scores(
    aligner: str, *, people: int, photos: int, lower: float, seed: int, lost: float = 0.0
) -> JudgedScores:
    """Similarities of bare faces, two plain masks and a design that lowers them by so much in the mean."""
    draws, own = np.random.default_rng(7), np.random.default_rng(seed)
    names = tuple(f"person {i:02}" for i in range(people))
    whose = np.repeat(np.arange(people), photos)
    bare = 0.62 + 0.1 * draws.standard_normal(people)[whose] + 0.05 * draws.standard_normal(len(whose))
    similarity = {
        "bare": bare.copy(),
        "white": bare - 0.12 + 0.05 * draws.standard_normal(len(whose)),
        "black": bare - 0.18 + 0.05 * draws.standard_normal(len(whose)),
        "design": bare - 0.18 - lower + 0.05 * own.standard_normal(len(whose)),
    }
    for values in similarity.values():
        values[draws.random(len(whose)) < lost] = np.nan
    others = {name: 0.2 + 0.1 * draws.standard_normal(len(whose)) for name in similarity}
    probe = np.repeat(np.arange(len(whose)), people - 1)
    enrolled = np.concatenate([np.delete(np.arange(people), person) for person in whose])
    liked = 0.08 * draws.standard_normal((people, people))
    impostor = 0.15 + liked[whose[probe], enrolled] + 0.06 * draws.standard_normal(len(probe))
    compared = Comparisons(bare.copy(), impostor, whose[probe], enrolled)
    thresholds = tuple(
        calibrate(compared.genuine, impostor, fmr=fmr, source="simulated", people=(whose[probe], enrolled))
        for fmr in FMRS
    )
    gallery: Any = type("Named", (), {"name": "bare"})
    nobody = {name: np.isnan(values) for name, values in similarity.items()}
    scores = Scores(
        "dlib",
        aligner,
        "bare",
        similarity,
        tuple(names[i] for i in whose),
        photos=tuple(f"{names[i]}/{k % photos}.jpg" for k, i in enumerate(whose)),
        draws=(0,) * len(whose),
        best_other={name: np.where(nobody[name], np.nan, others[name]) for name in similarity},
        false_matches={
            one.fmr: {
                name: np.where(nobody[name], np.nan, np.round(3 * (others[name] > 0.25) * one.fmr * 9))
                for name in similarity
            }
            for one in thresholds
        },
        others=people - 1,
        displacement={
            name: np.where(nobody[name], np.nan, 0.1 * np.abs(others[name])) for name in similarity
        },
    )
    recognizer = Recognizer("dlib", nn.Identity(), tiny_specification(family="dlib"))
    judged = JudgedGallery(gallery, names, (), compared, thresholds, ())
    return JudgedScores(scores, recognizer, thresholds[0], judged)


def write_run(
    folder: Path,
    *,
    lower: float,
    seed: int = 0,
    people: int = 12,
    photos: int = 3,
    lost: float = 0.0,
    **given: Any,
) -> Path:
    """A run folder; `given` are settings by the name of their group."""
    folder.mkdir(parents=True)
    values = SETTINGS | {"seed": seed} | {key: SETTINGS[key] | value for key, value in given.items()}
    (folder / "config.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    judged = [
        simulated_scores(name, people=people, photos=photos, lower=lower, seed=seed + place, lost=lost)
        for place, name in enumerate(("mtcnn", "bare"))
    ]
    results = [one for each in judged for one in each.summaries(seed=1)]
    light = Trait("light", "%", np.random.default_rng(5).normal(size=people * photos))
    facts = {
        "breakdown": [
            found
            for one in judged
            for found in break_down(
                one.scores, [light], ["bare", "design"], threshold=one.threshold.threshold, seed=1
            )
        ],
        "date": "2026-01-01",
        "settings": {"protocol": {"seed": 1, "fmr": FMRS[0]}},
        "people": {
            "probed": [f"person {i:02}" for i in range(people)],
            "held_out": True,
            "at_hand": people,
        },
        "design": {"name": folder.name, "texels_sha256": f"{seed}"},
        "recognizers": {"dlib": {"name": "dlib", "family": "dlib", "column": "trained on", "licence": None}},
        "weights_sha256": {"dlib": "0"},
    }
    write_record(folder / "results.json", result_record(results, facts))
    write_scores(folder / "scores.csv.gz", judged, [light])
    write_comparisons(folder / "comparisons.csv.gz", judged)
    return folder


def without_scores(judged: JudgedScores, name: str) -> JudgedScores:
    """The same without a condition."""
    kept = {key: value for key, value in judged.scores.similarity.items() if key != name}
    return replace(judged, scores=replace(judged.scores, similarity=kept))
