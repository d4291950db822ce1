"""The tables of `transfer.py`, from the similarities it keeps.

Intervals of differences come from resampling people. `advmask evaluate` gives them the room beyond it that
people unlike all who were probed would need: with 20 people, 0.16 on either side of any paired difference,
too wide to compare recipes by.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmask.evaluation.metrics import resampled_mean
from advmask.evaluation.results import PLAIN_MASKS

Values = NDArray[np.float64]
Names = NDArray[np.str_]
Pairs = tuple[Values, Values, Names]


@dataclass(frozen=True, eq=False)
class Judge:
    """One recognizer behind one aligner.

    Attributes:
        people: (n) who is on each probe.
        found: (n) whether a face was found bare and under every plain mask.
        threshold: At FMR 1e-2; `stricter` at 1e-3, NaN where it is not supported.
        stricter: See above.
        scale: Slope of the match confidence.
    """

    people: Names
    found: NDArray[np.bool_]
    threshold: float
    stricter: float
    scale: float

    def confidence(self, similarity: Values) -> Values:
        result: Values = 1 / (1 + np.exp(-self.scale * (similarity - self.threshold)))
        return result

    def tar(self, similarity: Values, threshold: float) -> float:
        """Percent of the probes found that match; a face lost under this design alone does not count."""
        seen = similarity[self.found & np.isfinite(similarity)]
        return 100 * float((seen >= threshold).mean())

    def lower(self, above: Values, below: Values) -> Pairs:
        """Pairs of match confidences where a face was found in both, and whose they are."""
        kept = self.found & np.isfinite(above) & np.isfinite(below)
        return self.confidence(above)[kept], self.confidence(below)[kept], self.people[kept]

    def rates(self, own: Sequence[Values]) -> tuple[float, float, float]:
        """Percent that match at both thresholds and mean match confidence, over the designs of an arm."""
        tar, strict = (
            float(np.mean([self.tar(each, at) for each in own])) for at in (self.threshold, self.stricter)
        )
        mean = np.mean([self.confidence(each[self.found & np.isfinite(each)]).mean() for each in own])
        return tar, strict, float(mean)

    def line(self, name: str, own: Sequence[Values], rest: str = "") -> str:
        """Rates and mean match confidence over the designs of an arm."""
        tar = [self.tar(each, self.threshold) for each in own]
        seeds = f" ({', '.join(f'{one:.0f}' for one in tar)})" if len(tar) > 1 else ""
        lost = sum(int((self.found & ~np.isfinite(each)).sum()) for each in own)
        rest += f" no face in {lost}" if lost else ""
        return f"{name:18}{_shown(self.rates(own))}  {rest}{seeds}"


@dataclass(eq=False)
class HeldOut:
    """What an arm, or the strongest plain mask, left of the recognizers that no design was trained on.

    Attributes:
        rates: Of each recognizer, as `Judge.rates` gives them.
        lower: Match confidences of the arm that others are compared with and of this one, pairs.
    """

    rates: list[tuple[float, float, float]] = field(default_factory=list)
    lower: list[Pairs] = field(default_factory=list)


Means = dict[tuple[str, str], HeldOut]
"""By aligner and arm; over all cases that were printed."""


def print_case(
    folder: Path,
    title: str,
    arms: Mapping[str, Sequence[str]],
    *,
    held_out: Sequence[str],
    than: str,
    means: Means,
) -> None:
    """Print what every arm did to every recognizer, for each aligner.

    Args:
        folder: With `about.json` and a file of similarities for each design.
        title: Of the case.
        arms: The designs of each arm, one for each seed.
        held_out: Recognizers no design was trained on; if none, all count as such.
        than: The arm that others are compared with, seed by seed.
        means: Is added to, for `print_means`.
    """
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    names = ("bare", *PLAIN_MASKS, *(name for own in arms.values() for name in own))
    scores = {name: dict(np.load(folder / f"{name}.npz")) for name in names}
    head = f"{'TAR 1e-2':>9}{'1e-3':>7}{'conf.':>8}  lower than plain, than {than}"
    print(f"\n{title}\n{'':32}{'':18}{head}")
    for key, thresholds in about["thresholds"].items():
        label, aligner = key.split("|")
        judge = Judge(
            np.array(about["people"]),
            np.asarray(np.isfinite([scores[name][key] for name in ("bare", *PLAIN_MASKS)]).all(axis=0)),
            thresholds[0][1],
            next((one[1] for one in thresholds if one[0] == 1e-3), np.nan),
            thresholds[0][2],
        )
        strongest = min(PLAIN_MASKS, key=lambda name: _tar(judge, scores[name][key]))
        plain = scores[strongest][key]
        print(f"{'*' if label in held_out else ' '}{label:21}{aligner:9} {judge.found.sum()} probes")
        print(f"{'':32}{judge.line(strongest, [plain])}")
        counts = label in held_out or not held_out
        if counts:
            means.setdefault((aligner, "strongest plain"), HeldOut()).rates.append(judge.rates([plain]))
        for arm, designs in arms.items():
            own = [scores[name][key] for name in designs]
            rest = _text([judge.lower(plain, each) for each in own])
            pairs: list[Pairs] = []
            if arm != than and than in arms:
                both = zip(arms[than], own, strict=True)
                pairs = [judge.lower(scores[name][key], each) for name, each in both]
                rest += _text(pairs)
            if counts:
                kept = means.setdefault((aligner, arm), HeldOut())
                kept.rates.append(judge.rates(own))
                kept.lower += pairs
            print(f"{'':32}{judge.line(arm, own, rest)}", flush=True)


def print_means(means: Means, *, than: str) -> None:
    """Print the means over all held-out recognizers of all cases; differences are paired, over people."""
    print(
        f"\nmean over held-out recognizers\n{'':28}{'TAR 1e-2':>9}{'1e-3':>7}{'conf.':>8}  lower than {than}"
    )
    for (aligner, arm), each in means.items():
        lower = _text(each.lower) if each.lower else ""
        print(f"{aligner:12}{arm:16}{_shown(np.mean(each.rates, axis=0))}  {lower}")


def print_costs(files: Mapping[str, Sequence[Path]]) -> None:
    """Print what training each arm took."""
    for arm, paths in files.items():
        costs = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        cpu, wall = (np.mean([one[name] for one in costs]) for name in ("cpu_s", "wall_s"))
        print(f"{arm:18} {costs[0]['steps']} steps, CPU {cpu:.0f} s, wall {wall:.0f} s")


def _tar(judge: Judge, similarity: Values) -> float:
    return judge.tar(similarity, judge.threshold)


def _shown(rates: Sequence[float]) -> str:
    tar, strict, mean = rates
    return f"{tar:9.1f}{strict:7.1f}{mean:8.3f}"


def _text(pairs: Sequence[Pairs]) -> str:
    above, below, people = (np.concatenate(each) for each in zip(*pairs, strict=True))
    one = resampled_mean(above - below, list(people))
    if one.low is None or one.high is None:
        return f"{one.value:+.3f}  "
    return f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]  "
