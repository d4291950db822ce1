"""`advmask pattern`: the flat patterns of masks as SVG at true size, and how much their cloth stretches."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping, given_keys
from advmask.commands.settings import PatternCommand
from advmask.core.errors import RunError
from advmask.core.files import write_text, written_aside
from advmask.masks.mask_building import build_mask
from advmask.masks.obj_writer import surface_obj
from advmask.masks.settings import SHIPPED, MaskSettings
from advmask.masks.stretch import LEAST, MOST, Stretch, edge_stretch
from advmask.masks.surface import MaskSurface
from advmask.masks.svg_writer import pattern_svg
from advmask.printing.template import (
    is_template_as_written,
    template_png,
    template_svg,
    template_words,
)

_LITTLE = 0.6  # of the area within bounds; less is not a mask that can be made
_COLUMNS = "{:<16} {:<5} {:>13}  {:<44} {:>5} {:>5} {:>5} {:>5} {:>5}  {:>9}"


def run(config: DictConfig) -> None:
    """Print the table and write the drawings."""
    settings = PatternCommand.build(as_mapping(config))
    named = any(key in {"mask", "mask.pattern"} for key in given_keys())
    masks = [settings.mask] if named else [_of(name, settings.mask) for name in SHIPPED]
    surfaces = [build_mask(mask) for mask in masks]
    files: dict[Path, str | bytes] = {}
    folder = settings.out.expanduser()
    for mask, surface in zip(masks, surfaces, strict=True):
        files[_named(folder, surface, ".svg")] = pattern_svg(surface.pattern, bleed_mm=settings.bleed_mm)
        if settings.template:
            files[_named(folder, surface, "-template.svg")] = template_svg(
                surface, bleed_mm=settings.bleed_mm
            )
            files[_named(folder, surface, "-template.png")] = template_png(
                surface, dpi=settings.dpi, bleed_mm=settings.bleed_mm
            )
        if settings.obj and mask.pattern != "pleated":
            worn = build_mask(_in_size_m(mask))
            files[_named(folder, worn, ".obj")] = surface_obj(worn)
    stretches = [edge_stretch(build_mask(_in_size_m(mask))) for mask in masks]
    print(_table(surfaces, stretches))
    for surface, stretch in zip(surfaces, stretches, strict=True):
        if stretch.within < _LITTLE and surface.name != "pleated":
            print(
                f"\n{surface.name}: only {100 * stretch.within:.0f} % of the area is within bounds; no cloth "
                "stretches like that. Add a seam or a dart, or bring pattern and worn shape closer."
            )
    print()
    kept = []
    for path, content in files.items():
        if not (settings.overwrite or _may_be_written(path, content)):
            kept.append(path)
            continue
        if isinstance(content, bytes):
            with written_aside(path) as aside:
                aside.write_bytes(content)
        else:
            write_text(path, _signed(content, path.suffix))
        print(f"Written to {path}")
    if settings.template:
        print("\n".join(template_words(surface, dpi=settings.dpi) for surface in surfaces))
    if settings.obj and any(mask.pattern == "pleated" for mask in masks):
        print("The pleated mask is not written as OBJ: the cloth hidden in its pleats has no place in one.")
    if kept:
        raise RunError(
            f"{', '.join(map(str, kept))} exists and was changed since advmask wrote it; it is left as it "
            "is. Choose another folder with out=DIR, or replace it with overwrite=true."
        )


def _named(folder: Path, surface: MaskSurface, suffix: str) -> Path:
    size = surface.pattern.size
    name = surface.name if surface.name.endswith(f"-{size}") else f"{surface.name}-{size}"
    return folder / f"{name}{suffix}"


def _of(name: str, mask: MaskSettings) -> MaskSettings:
    return mask.model_copy(update={"pattern": name})


def _in_size_m(mask: MaskSettings) -> MaskSettings:
    """Worn meshes are those of the reference head, which has size M."""
    return mask.model_copy(update={"size": "M"})


def _signed(text: str, suffix: str) -> str:
    """The text with a checksum of itself in a comment at its end, by which an unchanged file is known."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return text + (f"<!-- advmask {digest} -->\n" if suffix == ".svg" else f"# advmask {digest}\n")


def _may_be_written(path: Path, text: str | bytes) -> bool:
    """Whether nothing of the user's is lost: there is no file, or it is as this command wrote it."""
    if not path.exists():
        return True
    try:
        if isinstance(text, bytes):
            return path.read_bytes() == text or is_template_as_written(path)
        found = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    body, newline, _ = found.rstrip("\n").rpartition("\n")
    return found == text or found == _signed(body + newline, path.suffix)


def _table(surfaces: Sequence[MaskSurface], stretches: Sequence[Stretch]) -> str:
    rows = [
        _COLUMNS.format(
            "pattern",
            "size",
            "finished, mm",
            "panels",
            "1 %",
            "5 %",
            "50 %",
            "95 %",
            "99 %",
            f"{LEAST:g}-{MOST:g}",
        ),
    ]
    for surface, stretch in zip(surfaces, stretches, strict=True):
        width, height = surface.size_mm
        names = ", ".join(panel.name for panel in surface.pattern.panels)
        rows.append(
            _COLUMNS.format(
                surface.name,
                surface.pattern.size,
                f"{width:.0f} x {height:.0f}",
                f"{len(surface.pattern.panels)}: {names}",
                *(f"{value:.2f}" for value in stretch.percentiles),
                f"{100 * stretch.within:.1f} %",
            )
        )
    rows += [
        "",
        "Stretch is the length of an edge of the worn cloth over its length on the flat pattern, on a head",
        "of that size: at most so much on 1 to 99 % of the area, and the share of it within bounds. The",
        "pleats of a pleated mask are folds: what looks like stretch there is cloth laid together.",
    ]
    return "\n".join(rows)
