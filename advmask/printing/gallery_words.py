"""What is said of the measured designs that ship: a list of all, a sentence, and the whole card of one."""

from collections.abc import Mapping, Sequence
from typing import Any

from advmask.printing.card_words import percent
from advmask.textures.gallery import GalleryDesign

_WAYS = (("mtcnn", "where the face is found anew"), ("bare", "where the alignment is that of the bare photo"))
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
_LIST_END = (
    "Simulated print, light and camera; nothing here is a promise. The card of one: advmask designs NAME.\n"
    "To print one:  advmask export gallery:NAME paper=a4 printer=office_inkjet\n"
    "To wear one:   advmask apply gallery:NAME photo.jpg worn.jpg"
)


def listed(designs: Sequence[GalleryDesign]) -> str:
    """All of them, with what was measured in a sentence each."""
    blocks = [
        f"gallery:{one.name}  {one.title}; {_inks(one)}\n  {one.character}\n  {measured_sentence(one)}"
        for one in designs
    ]
    return "\n\n".join([*blocks, _LIST_END])


def measured_sentence(design: GalleryDesign) -> str:
    """How often photos still match, and how often under a plain mask: of all recognizers it was judged by."""
    learned, people = design.learned, design.measured["people"]["probed"]
    said = []
    for names, who in (
        (learned["trained_on"], "it was trained on"),
        (learned["not_trained_on"], "it was not trained on"),
    ):
        if names:
            ways = [_way(design, names, aligner, where) for aligner, where in _WAYS]
            number = _NUMBERS[len(names)] if len(names) < len(_NUMBERS) else str(len(names))
            noun = "recognizer" if len(names) == 1 else "recognizers"
            verb = "matches" if len(names) == 1 else "match"
            said.append(f"{number} {noun} {who} still {verb} {' and '.join(ways)}")
    no_less = _no_less_than_plain(design)
    alone = f" {', '.join(no_less)}: no less than under a plain mask." if no_less else ""
    return f"Of photos of {people} people it was not trained on, {'; '.join(said)}.{alone}"


def card_page(design: GalleryDesign) -> str:
    """The card of one design, as text."""
    learned, measured, versions = design.learned, design.measured, design.learned["versions"]
    head = [
        f"gallery:{design.name}  {design.title}; {_inks(design)}",
        design.character,
        "",
        f"Learned:  {learned['steps']} steps of {learned['batch']} photos, from {learned['start']}, on "
        f"{learned['people']} people, against {', '.join(learned['trained_on'])}",
        f"  by {learned['command']} (advmask {versions['advmask']}, torch {versions['torch']})",
        f"Measured: on {measured['people']['probed']} people it was not trained on, under "
        f"effects={design.judged_under} ({measured['measured_on']})",
        "",
        "Photos still matched, with 95 % intervals over people; enrolled bare.",
        _ROW.format("recognizer", "face", "FMR", "bare", "plain mask", "this design"),
    ]
    rows = [_row(entry) for entry in measured["recognizers"] if entry["gallery"] == "bare"]
    marks = (
        [f"Not trained on it: {', '.join(learned['not_trained_on'])}."] if learned["not_trained_on"] else []
    )
    tail = [
        f"Not tested: {'; '.join(measured['not_tested'])}.",
        measured["says"],
        f"Licence: {design.licence}.",
    ]
    return "\n".join([*head, *rows, "", *marks, *tail])


_ROW = "{:<28} {:<9} {:>6}  {:<16} {:<16} {}"


def _row(entry: Mapping[str, Any]) -> str:
    face = "as bare" if entry["aligner"] == "bare" else entry["aligner"]
    rates = (percent(entry[key]) for key in ("bare_tar", "plain_tar", "design_tar"))
    return _ROW.format(entry["recognizer"], face, f"{100 * entry['fmr']:g} %", *rates).rstrip()


def _way(design: GalleryDesign, names: Sequence[str], aligner: str, where: str) -> str:
    entries = _first_rates(design, names, aligner)
    rates = _range([one["design_tar"]["value"] for one in entries])
    plain = _range([one["plain_tar"]["value"] for one in entries])
    return f"{rates} {where} (strongest plain mask: {plain})"


def _first_rates(design: GalleryDesign, names: Sequence[str], aligner: str) -> list[Mapping[str, Any]]:
    """Entries at the first false match rate, enrolled bare."""
    entries = [one for one in design.measured["recognizers"] if one["gallery"] == "bare"]
    fmr = max(one["fmr"] for one in entries)
    return [
        one
        for one in entries
        if one["recognizer"] in names and one["aligner"] == aligner and one["fmr"] == fmr
    ]


def _no_less_than_plain(design: GalleryDesign) -> list[str]:
    """Recognizers that match as many photos as under the strongest plain mask, or more, in either way."""
    names = dict.fromkeys(one["recognizer"] for one in design.measured["recognizers"])
    entries = [one for aligner, _ in _WAYS for one in _first_rates(design, list(names), aligner)]
    worse = {one["recognizer"] for one in entries if one["design_tar"]["value"] >= one["plain_tar"]["value"]}
    return [name for name in names if name in worse]


def _range(values: Sequence[float]) -> str:
    low, high = (round(100 * value) for value in (min(values), max(values)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def _inks(design: GalleryDesign) -> str:
    return f"{len(design.inks)} inks: {', '.join(design.inks)}" if design.inks else "all colours"
