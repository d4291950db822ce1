"""Scores of every probe and comparison as compressed CSV, from which anybody can recompute the figures."""

import csv
import gzip
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from advmask.core.files import write_with
from advmask.evaluation.pairs import PairScores
from advmask.evaluation.protocol import JudgedScores
from advmask.evaluation.traits import Trait

SCORE_FIELDS = (
    "recognizer",
    "aligner",
    "gallery",
    "condition",
    "photo",
    "person",
    "draw",
    "similarity",
    "confidence",
    "detected",
    "best_other",
    "displacement",
)
PAIR_FIELDS = ("recognizer", "aligner", "condition", "first", "second", "same", "draw", "similarity")
COMPARISON_FIELDS = ("recognizer", "gallery", "kind", "probe_person", "gallery_person", "similarity")


def write_scores(path: Path, judged: Sequence[JudgedScores], traits: Sequence[Trait] = ()) -> None:
    """Write `scores.csv.gz`: a row for each probe under each condition; docs/results.md describes it.

    The same scores give the same bytes.

    Args:
        path: The file.
        judged: Of every recognizer, aligner and gallery.
        traits: Of the probes, by which rates are broken down: a column each.
    """
    fmrs = list(dict.fromkeys(fmr for one in judged for fmr in one.scores.false_matches))
    header = [*SCORE_FIELDS, *(f"others_matched_{fmr:g}" for fmr in fmrs), *(one.name for one in traits)]
    _write(path, header, (row for one in judged for row in _score_rows(one, fmrs, traits)))


def write_comparisons(path: Path, judged: Sequence[JudgedScores]) -> None:
    """Write `comparisons.csv.gz`: the bare genuine and impostor similarities behind every threshold."""
    galleries = {(one.scores.recognizer, one.scores.gallery): one.gallery for one in judged}

    def rows() -> Iterable[list[str]]:
        for (recognizer, name), gallery in galleries.items():
            compared = gallery.comparisons
            for value in compared.genuine:
                yield [recognizer, name, "genuine", "", "", _number(value)]
            pairs = zip(compared.probe, compared.gallery, compared.impostor, strict=True)
            for probe, enrolled, value in pairs:
                who = [gallery.people[probe], gallery.people[enrolled]]
                yield [recognizer, name, "impostor", *who, _number(value)]

    _write(path, COMPARISON_FIELDS, rows())


def write_pairs(path: Path, scored: Sequence[PairScores]) -> None:
    """Write `pairs.csv.gz`: a row for each pair and draw under each condition; docs/results.md."""

    def rows() -> Iterable[list[str]]:
        for one in scored:
            told = [*zip(*one.photos, one.draws, one.same, strict=True)]
            for name, similarity in one.similarity.items():
                for (first, second, draw, same), value in zip(told, similarity, strict=True):
                    about = [one.recognizer, one.aligner, name, first, second]
                    yield [*about, str(int(same)), str(draw), _number(value)]

    _write(path, PAIR_FIELDS, rows())


def _score_rows(one: JudgedScores, fmrs: Sequence[float], traits: Sequence[Trait]) -> Iterable[list[str]]:
    scores = one.scores
    for name, similarity in scores.similarity.items():
        confidence = one.threshold.confidence(torch.from_numpy(similarity)).numpy()
        matched = [scores.false_matches[fmr][name] if fmr in scores.false_matches else None for fmr in fmrs]
        for i in range(len(similarity)):
            detected = math.isfinite(similarity[i])
            yield [
                scores.recognizer,
                scores.aligner,
                scores.gallery,
                name,
                scores.photos[i],
                scores.people[i],
                str(scores.draws[i]),
                _number(similarity[i]),
                _number(confidence[i]),
                str(int(detected)),
                _number(scores.best_other[name][i]),
                _number(scores.displacement[name][i]),
                *(str(int(values[i])) if values is not None and detected else "" for values in matched),
                *(_number(trait.values[i]) for trait in traits),
            ]


def _number(value: np.floating | float) -> str:
    """Every digit, so that thresholds decide as they did; nothing where it is NaN."""
    return repr(float(value)) if math.isfinite(value) else ""


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    def write(aside: Path) -> None:
        # Neither time nor name of the file goes into it: the same scores give the same bytes.
        with (
            aside.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", errors="backslashreplace", newline="") as text,
        ):
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)

    write_with(path, write)
