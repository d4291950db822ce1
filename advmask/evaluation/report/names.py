"""What recognizers, set-ups and masks are called on the page, and the figures said in plain words."""

from collections.abc import Iterable, Mapping
from typing import Any

from advmask.evaluation.traits import FEWEST_PROBES

BARE_LANDMARKS = "bare"  # the aligner that takes the landmarks of the picture without a mask
ALIGNERS = {
    "mtcnn": "detects and aligns the face itself, on the masked picture (MTCNN)",
    "dlib5": "detects and aligns the face itself, on the masked picture (dlib)",
    "mesh468": "detects and aligns the face itself, on the masked picture (MTCNN and 468 points)",
    "box": "detects the face itself, on the masked picture, and crops its box without aligning (MTCNN)",
    "three-point": "detects and aligns the face itself, by eyes and mouth, on the masked picture (MTCNN)",
    "maker": "detects and aligns the face itself, as its maker does, when people are enrolled too",
    BARE_LANDMARKS: "is told where the face is, from the picture without a mask",
}
FINDERS = {
    "maker": "its maker's detector",
    "mtcnn": "MTCNN",
    "dlib5": "dlib",
    "mesh468": "MTCNN with 468 points",
}
ENROLLED = {
    "bare": "knows people from photos without a mask",
    "masked": "knows people from photos with a plain blue mask drawn onto them",
    "pooled": "knows people from photos without a mask and with a plain blue one drawn onto them",
}
_GALLERIES = {"bare": "enrolled bare", "masked": "enrolled masked", "pooled": "enrolled bare and masked"}
CONDITIONS = {
    "bare": "no mask",
    "white": "plain white mask",
    "surgical_blue": "plain blue mask",
    "black": "plain black mask",
    "noise": "mask with random noise",
    "lower_face": "mask with a printed lower face",
    "design": "this design",
}
_SHORT = {
    "bare": "no mask",
    "white": "plain white",
    "surgical_blue": "plain blue",
    "black": "plain black",
    "noise": "noise",
    "lower_face": "lower face",
    "design": "design",
}
TRAINED_ON = ("trained on",)
NOT_TRAINED_ON = ("other family", "same family", "family not known", "eyes only")
TRAINED_WORDS = {
    "trained on": "yes",
    "same family": "no, but a network of its family",
    "other family": "no",
    "family not known": "no (family not known)",
    "eyes only": "no (sees only the eyes)",
    "not known": "not known",
}


def aligner_name(name: str) -> str:
    """Where landmarks come from, short."""
    return "bare landmarks" if name == BARE_LANDMARKS else name


def gallery_name(name: str) -> str:
    """What a recognizer knows people from, short."""
    return _GALLERIES.get(name, f"enrolled {name}")


def condition_name(name: str) -> str:
    """What is worn, short; fits into legends of charts."""
    return _SHORT.get(name, name.replace("_", " "))


def setup_name(aligner: str, gallery: str) -> str:
    """A set-up, short."""
    return f"{aligner_name(aligner)}, {gallery_name(gallery)}"


def setup_words(one: Mapping[str, Any]) -> str:
    """A set-up in plain words."""
    aligner, gallery = one["aligner"], one["gallery"]
    return f"{ALIGNERS.get(aligner, aligner)}; {ENROLLED.get(gallery, gallery)}"


def design_first(names: Iterable[str]) -> list[str]:
    """Conditions in the order of columns: what the page is about comes first."""
    return sorted(names, key=lambda name: name != "design")


def main_results(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The results at the first false match rate of each recognizer, aligner and gallery."""
    seen: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for one in record["results"]:
        seen.setdefault((one["recognizer"], one["aligner"], one["gallery"]), one)
    return list(seen.values())


def plainest_results(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One result for each recognizer: the face re-detected, people enrolled without a mask.

    Where there is none, what comes nearest to it.
    """
    chosen: dict[str, Mapping[str, Any]] = {}
    for one in sorted(
        main_results(record), key=lambda one: (one["aligner"] == BARE_LANDMARKS, one["gallery"] != "bare")
    ):
        chosen.setdefault(one["recognizer"], one)
    order = dict.fromkeys(one["recognizer"] for one in record["results"])
    return [chosen[name] for name in order]


def column_of(record: Mapping[str, Any], recognizer: str) -> str:
    """How far a recognizer is from those the design was trained on."""
    about = (record.get("recognizers") or {}).get(recognizer) or {}
    return str(about.get("column", "not known"))


def people_words(count: int) -> str:
    """A number of people."""
    return "one person" if count == 1 else f"{count} people"


def strangers(fmr: float) -> str:
    """A false match rate."""
    return f"one stranger in {round(1 / fmr):,}"


def listed(words: list[str]) -> str:
    """Some words with commas and `and`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def hundred(estimate: Mapping[str, Any] | None) -> str:
    """A rate as a number of 100 photos, with the range."""
    if not estimate or estimate["value"] is None:
        return "-"
    value = f"{100 * estimate['value']:.0f}"
    if estimate["low"] is None or estimate["high"] is None:
        return value
    return f"{value} ({100 * estimate['low']:.0f} to {100 * estimate['high']:.0f})"


def verdict(one: Mapping[str, Any]) -> str:
    """What can be said of the design against the strongest plain mask."""
    drop = one["conditions"].get("design", {}).get("drop")
    if not drop or drop["value"] is None:
        return "nothing can be compared"
    if one["probes"] < FEWEST_PROBES:
        return "too few pictures to tell"
    if drop["low"] is None:
        return "one person alone: no range can be given"
    if drop["low"] > 0:
        return f"lower by {100 * drop['low']:.0f} to {100 * drop['high']:.0f} in 100"
    if drop["high"] < 0:
        return f"HIGHER by {-100 * drop['high']:.0f} to {-100 * drop['low']:.0f} in 100"
    return "no difference can be shown"
