"""What a person who prints, cuts and sews a mask must know, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.settings import SIZES
from advmask.printing.cloth_words import cloth_words
from advmask.printing.plan_names import pleat_depths
from advmask.printing.settings import PrintingSettings, SheetSettings
from advmask.printing.sheet_layout import RULER_MM, Layout

_EYES_MM = 66.0  # between the pupils of the reference head, which has size M
_LOOP_MM = 190.0  # elastic of one ear loop on it
_STRAP_MM = 350.0  # and of a strap from corner to corner, stretched a little when worn
_TAPE_MM = 400.0


@dataclass(frozen=True)
class Section:
    """A heading and its sentences; `steps` are numbered, and some have a drawing by name."""

    heading: str
    sentences: tuple[str, ...]
    steps: bool = False
    drawings: tuple[str | None, ...] = ()


def notes_of(
    pattern: FlatPattern,
    printing: PrintingSettings,
    settings: SheetSettings,
    layout: Layout,
    *,
    printer: str,
    hints: Sequence[str] = (),
) -> list[Section]:
    """The notes page of a mask.

    Args:
        pattern: As it is worn, not mirrored.
        printing: Resolution and bleed.
        settings: Of the sheet.
        layout: Its pages.
        printer: Name of the printer it is made for.
        hints: What else is known of the printer.
    """
    sections = [
        Section(f"Mask {pattern.name}, size {pattern.size}", _about(pattern, printer)),
        Section("Print", (*_print(printing, settings), *hints)),
        Section("Cloth and heat", cloth_words(pattern, printer=printer, mirrored=settings.mirrored)),
    ]
    if layout.tiles:
        sections.append(Section("Glue the tiles", _glue(layout, settings), steps=True))
    steps = _make(pattern, settings)
    sections.append(Section("Make", tuple(steps.values()), steps=True, drawings=tuple(steps)))
    return sections


def _about(pattern: FlatPattern, printer: str) -> tuple[str, ...]:
    left, top, right, bottom = pattern.box_mm
    names = ", ".join(panel.name for panel in pattern.panels)
    pieces = "1 piece" if len(pattern.panels) == 1 else f"{len(pattern.panels)} pieces ({names})"
    eyes = _EYES_MM * SIZES.get(pattern.size, 1.0)
    made_for = f"Made for printer {printer}." if printer != "none" else "Made for no printer in particular."
    return (
        f"{pieces}, {right - left:.0f} x {bottom - top:.0f} mm without allowances. Size {pattern.size} fits "
        f"a head whose pupils are about {eyes:.0f} mm apart (S 62, M 66, L 70, child 55).",
        f"{made_for} A print is not a promise: this file says nothing about which recognizers still match "
        "its wearer. What was measured, if anything was, stands in card.json next to it.",
    )


def _print(printing: PrintingSettings, settings: SheetSettings) -> tuple[str, ...]:
    sentences = [
        "Print at 100 %: no fitting to the page, no scaling. The ruler must measure 100 mm. Where it does "
        "not, and the printer cannot be set right, export again with sheet.ruler_mm= what it measures.",
        *_corrected(settings),
        f"The artwork has {printing.dpi} dots per inch. It goes on {printing.bleed_mm:g} mm beyond the cut, "
        "so that a cut a little off shows no white.",
    ]
    if settings.mirrored:
        sentences.append(
            "The artwork is already mirrored in this file, for paper that is transferred to cloth: do not "
            "mirror it again in the printer's dialogue. Some print shops mirror what they are sent: ask the "
            "shop before you send it this file. The plan shows the mask as it is after the transfer."
        )
    if settings.cut_line:
        sentences.append("The cut, and ticks where folds end, are drawn on the artwork.")
    else:
        sentences.append(
            "The artwork has no lines. To cut it, print the plan on paper, cut that out along the magenta "
            "line and use it as a template, or export again with cut_line=true."
        )
    return tuple(sentences)


def _corrected(settings: SheetSettings) -> list[str]:
    if settings.ruler_mm == RULER_MM:
        return []
    return [
        f"Pages are scaled by {RULER_MM / settings.ruler_mm:.4f}, for a printer whose ruler measured "
        f"{settings.ruler_mm:g} mm."
    ]


def _glue(layout: Layout, settings: SheetSettings) -> tuple[str, ...]:
    sentences = ["Lay the tiles out as on the map: letters are rows, numbers are columns."]
    if layout.columns > 1:
        sentences.append(
            "From the second column on, cut the left side off along the outer pair of marks. Lay the tile on "
            f"its left neighbour so that the marks of both meet; {settings.overlap_mm:g} mm overlap. Glue."
        )
    if layout.rows > 1:
        sentences.append(
            "From the second row on, cut the top off along the outer pair of marks, and glue it over the row "
            "above in the same way."
        )
    return tuple(sentences)


def _make(pattern: FlatPattern, settings: SheetSettings) -> dict[str | None, str]:
    """What is done, step by step, by the name of its drawing."""
    allowance = max(panel.allowance_mm for panel in pattern.panels)
    seams = [line.name for line in pattern.lines if line.kind == "seam"]
    pleats = pleat_depths(pattern)
    steps: dict[str | None, str] = {}
    if settings.mirrored:
        steps["transfer"] = "Transfer the print to the cloth first."
    else:
        steps[None] = "Let the print dry."
    if allowance > 0:
        steps["cut"] = (
            f"Cut along the magenta line. It lies {allowance:g} mm outside the blue finished edge: that much "
            f"is {'for seams and hem' if seams else 'for the hem'}."
        )
    else:
        steps["cut"] = (
            "Cut along the magenta line, which is the finished edge: the pattern has no allowance. Knitted "
            "fabric can stay as cut. If you hem or sew the edge, cut that much further out; ink reaches as "
            "far as the bleed only."
        )
    steps |= _sewn(_listed(seams))
    if not seams and len(pattern.panels) > 1:
        steps["seam"] = "Join the pieces where their edges belong together; the pattern names no seams."
    steps |= _folded(pattern)
    if allowance > 0:
        where = "upper and lower edge" if pleats or pattern.straps == "none" else "outer edge"
        steps["hem"] = f"Turn the {allowance:g} mm at the {where} to the back and stitch."
    steps |= _wire(pattern)
    if pleats:
        steps["sides"] = "Turn the sides to the back over the folded pleats and stitch them down."
    return steps | _straps(pattern)


def _sewn(seams: Sequence[str]) -> dict[str | None, str]:
    darts = [name for name in seams if "dart" in name]
    others = [name for name in seams if name not in darts]
    steps: dict[str | None, str] = {}
    if darts:
        steps["dart"] = f"Sew the red lines of the darts first, right sides together: {'; '.join(darts)}."
    if others:
        steps["tube" if all("back" in name for name in others) else "seam"] = (
            f"Sew the red lines that join edges, right sides together: {'; '.join(others)}. Press the "
            "allowances apart."
        )
    return steps


def _straps(pattern: FlatPattern) -> dict[str | None, str]:
    loop, strap, tape = (
        round(length * SIZES.get(pattern.size, 1.0) / 5) * 5 for length in (_LOOP_MM, _STRAP_MM, _TAPE_MM)
    )
    words = {
        "ear_loops": f"Ear loops: two pieces of elastic, 3 to 5 mm wide and about {loop} mm long. Sew the "
        "ends of each to the upper and the lower corner of one side; try the length on before you sew the "
        "second end.",
        "head_straps": f"Head straps: two pieces of elastic, 5 to 7 mm wide and about {strap} mm long. Sew "
        "the ends of one to the two upper corners, to run over the crown, and of the other to the two lower "
        "corners, to run around the nape; try the length on before you sew the second end.",
        "ties": f"Ties: four tapes, 8 to 12 mm wide and about {tape} mm long. Sew one to each corner; the "
        "upper two are tied at the back of the head above the ears, the lower two at the nape.",
    }
    return {pattern.straps: words[pattern.straps]} if pattern.straps in words else {}


def _listed(names: Sequence[str]) -> list[str]:
    return sorted(set(names), key=lambda name: ("dart" not in name, names.index(name)))


def _folded(pattern: FlatPattern) -> dict[str | None, str]:
    depths = pleat_depths(pattern)
    if depths:
        each = ", ".join(f"{name} {depth:.1f} mm" for name, depth in depths.items())
        return {
            "pleats": "Fold the pleats from the top down, the printed side towards you. At a mountain line "
            "fold the cloth so that the edge points at you; at the valley line below it fold the other way, "
            "so that the mountain edge comes to lie over the cloth below and points down. Each pleat hides "
            f"twice its depth. Depths: {each}. Press, and pin the sides."
        }
    folds = [line.name for line in pattern.lines if line.kind == "fold"]
    return {"fold": f"Fold the orange lines: {', '.join(folds)}."} if folds else {}


def _wire(pattern: FlatPattern) -> dict[str | None, str]:
    lengths = [
        float(np.linalg.norm(np.diff(line.points_mm, axis=0), axis=1).sum())
        for line in pattern.lines
        if line.kind == "wire"
    ]
    if not lengths:
        return {}
    return {
        "wire": f"Nose wire: {round(sum(lengths))} mm, its ends bent back, in a tape or tunnel on the back "
        "along the dark dots, so that it can be pressed to the nose."
    }
