"""Compute every figure of a report again from its scores, with numpy alone: not a line of advmask runs here.

    python tools/recompute.py RUN

Reads results.json, scores.csv.gz, comparisons.csv.gz and pairs.csv.gz of a run folder, as docs/results.md
describes them, and compares: thresholds with their intervals, probes, rates, differences, and each interval
by the method that is recorded with it. Prints what is another, and how many figures were compared; exits with
1 where one differs, and with 2 where the files cannot be read.

Linkability, worn and called_masked are not compared: no scores of these are kept.
"""

import csv
import gzip
import json
import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

TAIL = 0.025
FEW = 10
RESAMPLES = 2000
PLAIN = ("white", "surgical_blue", "black")


# distributions, of which numpy has none


def beta_share(a, b, x):
    """The regularised incomplete beta function, by its continued fraction."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_share(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    # Modified Lentz: numerator and denominator kept as their ratios to the step before.
    tiny, c, d = 1e-300, 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 1000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + term * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + term / c
            c = c if abs(c) > tiny else tiny
            value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return front * value / a


def root(function, low, high):
    """Where a rising function crosses zero."""
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return (low + high) / 2


def normal_below(z):
    return math.erfc(-z / math.sqrt(2)) / 2


def normal_quantile(share):
    return root(lambda z: normal_below(z) - share, -40, 40)


def student_below(t, freedom):
    share = beta_share(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2
    return share if t < 0 else 1 - share


def student_quantile(share, freedom):
    return root(lambda t: student_below(t, freedom) - share, -1e4, 1e4)


# estimates: (value, low, high, method)


def by_person(values, people):
    names, place = np.unique(np.asarray(people), return_inverse=True)
    return np.bincount(place, values, len(names)), np.bincount(place, minlength=len(names)).astype(float)


def effective(brought):
    squares = float((brought**2).sum())
    return float(brought.sum()) ** 2 / squares if squares > 0 else 0.0


def room(trials):
    return 1 - TAIL ** (1 / trials)


def outer(people):
    """How far out the quantiles of resampled means are taken for so few people."""
    return normal_below(math.sqrt(people / (people - 1)) * student_quantile(TAIL, people - 1))


def resampled(values, people, seed):
    value = float(np.mean(values))
    total, count = by_person(values, people)
    n = len(total)
    if n < 2:
        return value, None, None, None
    if n < FEW:
        rest = total - value * count
        half = (
            -student_quantile(TAIL, n - 1) * math.sqrt(n / (n - 1) * float(rest @ rest)) / float(count.sum())
        )
        low, high, method = value - half, value + half, "student"
    else:
        chosen = np.random.default_rng(seed).integers(n, size=(RESAMPLES, n))
        means = total[chosen].sum(axis=1) / count[chosen].sum(axis=1)
        low, high = np.quantile(means, [outer(n), 1 - outer(n)])
        method = "bootstrap"
    if high - low <= 1e-9 * max(1, abs(value)):
        return value, None, None, None
    return value, float(low), float(high), method


def binomial(value, trials):
    hits, misses = value * trials, (1 - value) * trials

    def more(rate):
        as_many = 1.0 if hits <= 1e-9 else beta_share(hits, misses + 1, rate)
        beyond = 0.0 if misses <= 1e-9 else beta_share(hits + 1, misses, rate)
        return (as_many + beyond) / 2

    low = 0.0 if hits <= 1e-9 else root(lambda rate: more(rate) - TAIL, 0, 1)
    high = 1.0 if misses <= 1e-9 else root(lambda rate: more(rate) - 1 + TAIL, 0, 1)
    return value, min(low, 1 - room(trials), value), max(high, room(trials), value), "binomial"


def with_room(found, people, least, method):
    value, low, high, _ = found
    lowest, highest = value - room(people) * (value - least), value + room(people) * (1 - value)
    if low is not None and low <= lowest and highest <= high:
        return found
    if low is not None:
        lowest, highest = min(low, lowest), max(high, highest)
    return value, lowest, highest, method


def rate(values, people, seed):
    if not len(values):
        return None, None, None, None
    value = min(max(float(np.mean(values)), 0.0), 1.0)
    total, count = by_person(values, people)
    n = len(total)
    if n < 2:
        return value, None, None, None
    behind = min(effective(total), effective(count - total))
    if behind >= FEW:
        return with_room(resampled(values, people, seed), n, 0.0, "binomial")
    if min(value, 1 - value) * n <= 1e-9:
        return binomial(value, n)
    rest, most = total - value * count, value * (1 - value)
    variance = float(rest @ rest) / float(count.sum()) ** 2 + most / (effective(count) * n)
    factor = normal_quantile(TAIL) / student_quantile(TAIL, max(behind, 1.0))
    return with_room(binomial(value, max(effective(count), factor**2 * most / variance)), n, 0.0, "binomial")


def difference(first, second, people, seed):
    values = first - second
    if not len(values):
        return None, None, None, None
    total, count = by_person(np.abs(values), people)
    value, n = float(np.mean(values)), len(total)
    if n < 2:
        return value, None, None, None
    if min(effective(total), effective(count - total)) >= FEW:
        return with_room(resampled(values, people, seed), n, -1.0, "combined")
    gained, lost = np.maximum(values, 0), np.maximum(-values, 0)
    rests = [by_person(one - one.mean(), people)[0] for one in (gained, lost)]
    spread = math.sqrt(float((rests[0] @ rests[0]) * (rests[1] @ rests[1])))
    together = float(rests[0] @ rests[1]) / spread if spread > 0 else 0.0
    up, down = (rate(one, people, seed) for one in (gained, lost))

    def reach(one, other):
        return math.sqrt(max(one * one + other * other - 2 * together * one * other, 0.0))

    value = up[0] - down[0]
    low = max(value - reach(up[0] - up[1], down[2] - down[0]), -1.0)
    high = min(value + reach(up[2] - up[0], down[0] - down[1]), 1.0)
    return with_room((value, low, high, "combined"), n, -1.0, "combined")


def of_comparisons(values, people, gallery, seed):
    value, low, high, method = resampled(values, people, seed)
    if low is None:
        return value, None, None, None
    wider = math.sqrt(1 + 3 * len(set(people)) / gallery)
    return value, max(value - wider * (value - low), 0.0), min(value + wider * (high - value), 1.0), method


# thresholds


def threshold_at(impostor, fmr):
    ordered = np.sort(impostor)[::-1]
    allowed = math.floor(fmr * len(ordered) + 1e-9)
    refused = ordered[allowed]
    let_in = ordered[:allowed][ordered[:allowed] > refused]
    above = np.nextafter(refused, np.inf)
    return float(above if not len(let_in) else max((let_in[-1] + refused) / 2, above))


def threshold_interval(impostor, probe, enrolled, fmr):
    """People resampled; a comparison counts as often as both of its people were drawn."""
    names, places = np.unique(np.concatenate([probe, enrolled]), return_inverse=True)
    n, first, second = len(names), places[: len(probe)], places[len(probe) :]
    if n < 5:
        return None
    pairs = np.bincount(first * n + second, minlength=n * n).reshape(n, n).astype(float)
    order = np.argsort(-impostor, kind="stable")[
        : min(len(impostor), max(200, math.ceil(12 * fmr * len(impostor))))
    ]
    scores, first, second = impostor[order], first[order], second[order]
    draws, found = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        times = np.bincount(draws.integers(n, size=n), minlength=n).astype(float)
        total = float(times @ pairs @ times)
        let_in = np.cumsum(times[first] * times[second]) <= fmr * total + 1e-9
        found.append(scores[min(int(let_in.sum()), len(scores) - 1)] if total > 0 else math.nan)
    low, middle, high = np.nanquantile(found, [TAIL, 0.5, 1 - TAIL])
    if low == high:
        return None
    wider = student_quantile(TAIL, n - 1) / normal_quantile(TAIL) * math.sqrt(n / (n - 1))
    return [float(middle + wider * (low - middle)), float(middle + wider * (high - middle))]


# the files


def rows_of(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


def numbers(rows, column):
    return np.array([float(row[column] or "nan") for row in rows])


class Differences:
    """Counts what agrees, and says what does not."""

    def __init__(self):
        self.compared, self.wrong = 0, []

    def check(self, where, recorded, computed, within=1e-6):
        self.compared += 1
        if recorded is None or computed is None or isinstance(recorded, str):
            alike = recorded == computed
        else:
            alike = abs(recorded - computed) <= within * max(1, abs(recorded))
        if not alike:
            self.wrong.append(f"{where}: recorded {recorded}, computed {computed}")

    def estimate(self, where, recorded, computed):
        if recorded is None:
            self.check(where, recorded, computed)
            return
        for name, value in zip(("value", "low", "high", "method"), computed, strict=True):
            self.check(f"{where}.{name}", recorded[name], value)


def recompute(folder):
    """Everything that differs, and how many figures were compared."""
    record = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    seed, at_hand = record["settings"]["protocol"]["seed"], record["people"]["at_hand"]
    tables = defaultdict(lambda: defaultdict(list))
    for row in rows_of(folder / "scores.csv.gz"):
        tables[row["recognizer"], row["aligner"], row["gallery"]][row["condition"]].append(row)
    bare = defaultdict(lambda: defaultdict(list))
    for row in rows_of(folder / "comparisons.csv.gz"):
        bare[row["recognizer"], row["gallery"]][row["kind"]].append(row)
    found = Differences()
    for one in record["results"]:
        setup = one["recognizer"], one["aligner"], one["gallery"]
        where = f"{' '.join(setup)} FMR {one['fmr']:g}"
        _check_result(found, where, one, tables[setup], bare[setup[0], setup[2]], seed, at_hand)
    _check_found(found, record, tables, seed)
    _check_breakdown(found, record, tables, seed)
    if (folder / "pairs.csv.gz").exists():
        _check_pairs(found, record, rows_of(folder / "pairs.csv.gz"), seed)
    return found


def _check_result(found, where, one, table, bare, seed, at_hand):
    scale = None
    impostor = numbers(bare["impostor"], "similarity")
    at_those = "at hand" in one["threshold_source"] or "simulated" in one["threshold_source"]
    if at_those:
        found.check(f"{where} threshold", one["threshold"], threshold_at(impostor, one["fmr"]))
        ends = [
            np.array([row[key] for row in bare["impostor"]]) for key in ("probe_person", "gallery_person")
        ]
        interval = threshold_interval(impostor, *ends, one["fmr"])
        for end in (0, 1):
            recorded = one["threshold_interval"] and one["threshold_interval"][end]
            found.check(f"{where} threshold_interval", recorded, interval and interval[end])
        genuine = numbers(bare["genuine"], "similarity")
        scale = math.log(0.95 / 0.05) / (float(np.median(genuine)) - one["threshold"])
    for name in sorted(one["conditions"].keys() ^ table.keys()):
        found.check(f"{where} {name} in results.json and scores", name in one["conditions"], name in table)
    if "bare" not in table:
        return
    similarity = {name: numbers(rows, "similarity") for name, rows in table.items()}
    kept = np.isfinite(np.stack(list(similarity.values()))).all(axis=0)
    people = [row["person"] for row, keep in zip(table["bare"], kept, strict=True) if keep]
    found.check(f"{where} probes", one["probes"], int(kept.sum()))
    found.check(f"{where} left_out", one["left_out"], int((~kept).sum()))
    matched = {name: (values[kept] >= one["threshold"]).astype(float) for name, values in similarity.items()}
    plain = [name for name in PLAIN if name in matched and people]
    strongest = min(
        plain, key=lambda name: (matched[name].mean(), similarity[name][kept].mean()), default=None
    )
    found.check(f"{where} strongest_plain", one["strongest_plain"], strongest)
    for name, recorded in one["conditions"].items():
        if name not in table:
            continue  # said above
        rows, here = table[name], f"{where} {name}"
        values = similarity[name][kept]
        found.check(
            f"{here} similarity", recorded["similarity"], float(values.mean()) if len(values) else None
        )
        found.check(f"{here} undetected", recorded["undetected"], int(np.isnan(similarity[name]).sum()))
        found.estimate(f"{here} tar", recorded["tar"], rate(matched[name], people, seed))
        if scale is not None:
            confidence = 1 / (1 + np.exp(-scale * (values - one["threshold"])))
            found.estimate(
                f"{here} match_confidence", recorded["match_confidence"], rate(confidence, people, seed)
            )
        if recorded["drop"] is not None:
            lower = difference(matched[strongest], matched[name], people, seed)
            found.estimate(f"{here} drop", recorded["drop"], lower)
        if recorded["rank1"] is not None:
            first = (values > numbers(rows, "best_other")[kept]).astype(float)
            found.estimate(f"{here} rank1", recorded["rank1"], rate(first, people, seed))
        if recorded["others_fmr"] is not None and people:
            share = numbers(rows, f"others_matched_{one['fmr']:g}")[kept] / (at_hand - 1)
            found.estimate(
                f"{here} others_fmr", recorded["others_fmr"], of_comparisons(share, people, at_hand, seed)
            )
        if recorded["displacement"] is not None:
            moved = float(np.median(numbers(rows, "displacement")[kept]))
            found.check(f"{here} displacement", recorded["displacement"], moved)


def _check_breakdown(found, record, tables, seed):
    """Thirds of the probes by each trait, at the first threshold."""
    thirds = defaultdict(list)
    for one in record.get("breakdown", ()):
        thirds[one["recognizer"], one["aligner"], one["gallery"], one["trait"]].append(one)
    thresholds = {}
    for one in record["results"]:
        thresholds.setdefault((one["recognizer"], one["aligner"], one["gallery"]), one["threshold"])
    for (*setup, trait), recorded in thirds.items():
        table, where = tables[tuple(setup)], f"{' '.join(setup)} {trait}"
        if not table["bare"] or trait not in table["bare"][0]:
            continue  # said before, or of a version that kept none
        similarity = {name: numbers(rows, "similarity") for name, rows in table.items()}
        kept = np.isfinite(np.stack(list(similarity.values()))).all(axis=0)
        values, people = numbers(table["bare"], trait), np.array([row["person"] for row in table["bare"]])
        place = np.searchsorted(np.quantile(values[kept], [1 / 3, 2 / 3]), values, side="left")
        groups = [np.flatnonzero(kept & (place == number)) for number in range(3)]
        groups = [group for group in groups if len(group) >= FEW]
        found.check(f"{where} bins", len(recorded), len(groups))
        for one, group in zip(recorded, groups, strict=False):
            bin_of = f"{where} from {one['low']:g}"
            for key, value in {
                "low": values[group].min(),
                "high": values[group].max(),
                "probes": len(group),
                "people": len(set(people[group])),
            }.items():
                found.check(f"{bin_of} {key}", one[key], value)
            for name, tar in one["tar"].items():
                if name not in table:
                    continue  # said before
                matched = (similarity[name][group] >= thresholds[tuple(setup)]).astype(float)
                found.estimate(f"{bin_of} {name} tar", tar, rate(matched, people[group], seed))


def _check_found(found, record, tables, seed):
    """How often each aligner finds the face, over all probes."""
    for one in record.get("shown", ()):
        for aligner, recorded in one["found"].items():
            rows = next((t[one["condition"]] for s, t in tables.items() if s[1] == aligner), None)
            if rows:  # makers' own aligners are called by their recognizer
                seen = np.array([float(row["detected"]) for row in rows])
                computed = rate(seen, [row["person"] for row in rows], seed)
                found.estimate(f"shown {one['condition']} {aligner}", recorded, computed)


def _check_pairs(found, record, rows, seed):
    """Pairs of photos: rates at the threshold that is recorded, and equal error rates."""
    tables = defaultdict(lambda: defaultdict(list))
    for row in rows:
        tables[row["recognizer"], row["aligner"]][row["condition"]].append(row)
    for one in record["pairs"]:
        table, where = (
            tables[one["recognizer"], one["aligner"]],
            f"pairs {one['recognizer']} {one['aligner']}",
        )
        similarity = {name: numbers(own, "similarity") for name, own in table.items()}
        kept = np.isfinite(np.stack(list(similarity.values()))).all(axis=0)
        bare = table["bare"]
        same = kept & np.array([row["same"] == "1" for row in bare])
        other = kept & ~np.array([row["same"] == "1" for row in bare])
        first, second = (
            np.array([row[key].rpartition("/")[0] for row in bare]) for key in ("first", "second")
        )
        matched = {name: (values >= one["threshold"]).astype(float) for name, values in similarity.items()}
        for key, value in {"same": same.sum(), "different": other.sum(), "left_out": (~kept).sum()}.items():
            found.check(f"{where} {key}", one[key], int(value))
        for name, recorded in one["conditions"].items():
            found.estimate(
                f"{where} {name} tar", recorded["tar"], rate(matched[name][same], second[same], seed)
            )
            if recorded["others_fmr"] is not None:
                gallery = len({*first[other], *second[other]})
                computed = of_comparisons(matched[name][other], second[other], gallery, seed)
                found.estimate(f"{where} {name} others_fmr", recorded["others_fmr"], computed)
            if recorded["drop"] is not None:
                worst = matched[one["strongest_plain"]][same]
                lower = difference(worst, matched[name][same], second[same], seed)
                found.estimate(f"{where} {name} drop", recorded["drop"], lower)
            error = equal_error(similarity[name][same], similarity[name][other])
            found.check(f"{where} {name} eer", recorded["eer"]["value"], error)


def equal_error(genuine, impostor):
    """Where as many of one person are refused as strangers are let in, between thresholds linearly."""
    if not len(genuine) or not len(impostor):
        return None
    steps = np.unique(np.concatenate([genuine, impostor]))
    refused = np.array([0.0, *((genuine <= step).mean() for step in steps)])
    let_in = np.array([1.0, *((impostor > step).mean() for step in steps)])
    after = int(np.argmax(refused >= let_in))
    gap, before = refused[after] - let_in[after], let_in[after - 1] - refused[after - 1]
    return float(refused[after - 1] + before / (before + gap) * (refused[after] - refused[after - 1]))


def main(words):
    if len(words) != 1:
        print(__doc__)
        return 2
    try:
        found = recompute(Path(words[0]))
    except (OSError, EOFError) as error:
        print(f"{words[0]} holds no report with its scores: {error}; name a folder that evaluate wrote to.")
        return 2
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        print(
            f"The files in {words[0]} are damaged or of another version, at {error}; let advmask evaluate "
            "make them again."
        )
        return 2
    print("\n".join(found.wrong))
    print(f"{found.compared} figures compared, {len(found.wrong)} differ")
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
