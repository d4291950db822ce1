"""`advmask export`: a design as files that a print shop and a printer at home take."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig
from PIL import Image
from pydantic import Field

from advmask.commands.designs import NamedDesign, open_design
from advmask.commands.given import as_mapping, given_keys, refuse_beside_run
from advmask.errors import ConfigError, DesignError
from advmask.masks import MaskSettings, build_mask
from advmask.masks.pattern import FlatPattern
from advmask.masks.settings import SIZES
from advmask.printers.settings import PrinterSettings
from advmask.printing.card import card_text
from advmask.printing.exports import Conversion, print_files
from advmask.printing.manifest import write_kept
from advmask.printing.mirror import mirrored_pattern
from advmask.printing.png import facts_of, read_profile
from advmask.printing.proof import OUT_OF_GAMUT, proof_png
from advmask.printing.raster import Artwork, check_fits, rasterise
from advmask.printing.repeat import FabricTile, fabric_tile, lay_on_fabric, texture_tile
from advmask.printing.settings import PrintingSettings, SheetSettings
from advmask.printing.upsample import MM_PER_INCH
from advmask.settings import Settings
from advmask.textures.design_files import Design
from advmask.textures.png_bytes import encode_png
from advmask.training.run_folder import RunFolder

Size = Literal["S", "M", "L", "child"]
_NO_PRINTER = "none"


class SheetMargins(Settings):
    """The part of `SheetSettings` that has a section of its own."""

    margin_mm: float
    overlap_mm: float


class AskedPrinting(Settings):
    """Resolution and bleed as asked for; None leaves them to the printer or the run."""

    dpi: int | None = None
    bleed_mm: float | None = None


class FabricSettings(Settings):
    """The fabric that masks are laid out on."""

    width_mm: float = Field(ge=150, le=10000)
    gap_mm: float = Field(ge=0, le=200)


class ExportSettings(Settings):
    """Everything the files depend on, besides the design."""

    mask: MaskSettings
    sizes: list[Size] | None
    texels_per_mm: float = Field(ge=0.5, le=24)
    out: Path | None
    overwrite: bool
    paper: str
    sheet: SheetMargins
    printing: AskedPrinting
    mirrored: bool | None
    cut_line: bool
    beyond: Literal["white", "transparent"]
    convert: bool
    proof: bool | None
    repeat: bool
    fabric: FabricSettings
    printer: PrinterSettings


@dataclass(frozen=True, eq=False)
class _Job:
    """One mask in one size, with all that its files need."""

    settings: ExportSettings
    design: Design
    pattern: FlatPattern
    printing: PrintingSettings
    sheet: SheetSettings
    facts: dict[str, str]
    stem: str
    printer: str
    conversion: Conversion | None


def run(config: DictConfig) -> None:
    """Make all files, then write them."""
    folder = Path(config.design) if config.design else None
    of_run = folder is not None and folder.is_dir()
    if of_run:
        refuse_beside_run(["mask", "texels_per_mm"])
    settings = ExportSettings.build(_values(config))
    named = open_design(config.design, mask=settings.mask, texels_per_mm=settings.texels_per_mm)
    assert folder is not None  # or open_design had refused
    if named.run is not None and not _printer_was_named():
        settings = settings.model_copy(update={"printer": named.run.printer})
    notice = None if of_run else _look_at(folder, settings.mask)
    jobs = _jobs(settings, named, folder)
    tiles = [_on_fabric(job) for job in jobs] if settings.repeat else [None] * len(jobs)
    files, said = _proof(jobs[0])  # first, for it is here that a printer proves unusable
    said += [notice] if notice else []
    for job, tile in zip(jobs, tiles, strict=True):
        made, words = _files(job, tile)
        files |= made
        said += words
    if of_run:
        card = card_text(folder, pattern=jobs[0].pattern.name, size=_learned_size(named), facts=jobs[0].facts)
        files |= {} if card is None else {"card.json": card.encode()}
    for path in write_kept(_out(settings, folder), files, overwrite=settings.overwrite):
        print(f"Written to {path}")
    if jobs[0].sheet.mirrored:
        said.append(
            "The artwork is mirrored in the files, for transfer: do not mirror it again when you print. For "
            "a printer that prints the cloth or paper itself, add printer=none or mirrored=false."
        )
    print("\n".join([*said, "Print at 100 %, without fitting to the page, and measure the ruler."]))


def _files(job: _Job, tile: FabricTile | None) -> tuple[dict[str, bytes], list[str]]:
    """The files of one size, and what is to be said about them."""
    artwork = rasterise(job.design, job.pattern, job.printing)
    files = print_files(
        job.design,
        job.pattern,
        job.printing,
        job.sheet,
        stem=job.stem,
        printer=job.printer,
        hints=_hints(job.settings.printer),
        facts=job.facts,
        conversion=job.conversion,
        artwork=artwork,
    )
    if tile is None:
        return files, []
    made, words = _repeats(job, artwork, tile)
    return files | made, [words]


def _values(config: DictConfig) -> dict[str, Any]:
    values = as_mapping(config)
    values.pop("design", None)
    mask = dict(values["mask"])
    if isinstance(mask.get("size"), list):  # mask.size=[S,M] is another way to write sizes=[S,M]
        if values["sizes"] is None:
            values["sizes"] = mask["size"]
        mask["size"] = "M"
    values["mask"] = mask
    values["printer"] = {key: value for key, value in values["printer"].items() if value is not None}
    if values["sizes"] is not None:
        sizes = values["sizes"] if isinstance(values["sizes"], list) else [values["sizes"]]
        if not sizes:
            raise ConfigError("sizes=[] names no size; give some of S, M, L and child.")
        unknown = [size for size in sizes if size not in SIZES]
        if unknown:
            raise ConfigError(f"There is no size {unknown[0]!r}; sizes are {', '.join(SIZES)}.")
        values["sizes"] = list(dict.fromkeys(sizes))
    return values


def _jobs(settings: ExportSettings, named: NamedDesign, folder: Path) -> list[_Job]:
    mask = settings.mask if named.run is None else named.run.mask
    printing = _printing(settings, named)
    printer = _printer_name(settings.printer)
    mirrored = settings.printer.mirrored if settings.mirrored is None else settings.mirrored
    sheet = SheetSettings.build(
        {
            "paper": settings.paper,
            "mirrored": mirrored,
            "cut_line": settings.cut_line,
            "beyond": settings.beyond,
            **settings.sheet.model_dump(),
        }
    )
    facts = _facts(named, folder) | {"advmask:printer": printer}
    conversion = _conversion(settings)
    jobs = []
    for size in settings.sizes or [mask.size]:
        pattern = build_mask(mask.model_copy(update={"size": size})).pattern
        # All sizes show the same design: the texture is as fine as the pattern is small.
        per_mm = named.texels_per_mm * SIZES[mask.size] / SIZES[size]
        design = Design(named.texels, pattern=pattern.name, size=size, texels_per_mm=per_mm)
        try:
            check_fits(design, pattern)
        except DesignError as error:
            raise DesignError(f"{folder}: {error}") from error
        kept = facts | {"advmask:texels_per_mm": f"{per_mm:.6g}"}
        stem = _stem(pattern)
        jobs.append(_Job(settings, design, pattern, printing, sheet, kept, stem, printer, conversion))
    return jobs


def _stem(pattern: FlatPattern) -> str:
    name = pattern.name
    return f"mask-{name}" if name.endswith(f"-{pattern.size}") else f"mask-{name}-{pattern.size}"


def _printing(settings: ExportSettings, named: NamedDesign) -> PrintingSettings:
    """What was asked for; else what the printer wants, if one was named; else what the run wants."""
    chosen = _printer_was_named() or named.run is None
    base = settings.printer if chosen or named.run is None else named.run.printing
    asked = settings.printing
    return PrintingSettings.build(
        {
            "dpi": base.dpi if asked.dpi is None else asked.dpi,
            "bleed_mm": base.bleed_mm if asked.bleed_mm is None else asked.bleed_mm,
        }
    )


def _printer_was_named() -> bool:
    return any(key.split(".")[0] == "printer" for key in given_keys())


def _printer_name(printer: PrinterSettings) -> str:
    source = printer.profile or printer.table
    name = source.stem if printer.name in {_NO_PRINTER, "icc"} and source is not None else printer.name
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)


def _hints(printer: PrinterSettings) -> Sequence[str]:
    if printer.finest_mm <= 0:
        return ()
    return (f"Printer {printer.name}: lines thinner than {printer.finest_mm:g} mm may not print.",)


def _conversion(settings: ExportSettings) -> Conversion | None:
    profile = settings.printer.profile
    if not settings.convert:
        return None
    if profile is None:
        raise ConfigError("convert=true needs the profile to convert to: printer.profile=FILE.icc.")
    content, space = read_profile(profile)
    return Conversion(content, space, profile.stem)


def _facts(named: NamedDesign, folder: Path) -> dict[str, str]:
    """Where the design comes from, without a path that names this machine or its user."""
    facts = {"advmask:design": folder.absolute().name}
    if named.run is not None:
        config = RunFolder(folder).config.read_bytes()
        facts["advmask:config_sha256"] = hashlib.sha256(config).hexdigest()
    return facts


def _learned_size(named: NamedDesign) -> str:
    return "M" if named.run is None else named.run.mask.size


def _on_fabric(job: _Job) -> FabricTile:
    fabric = job.settings.fabric
    return lay_on_fabric(_printed(job), job.printing, fabric_mm=fabric.width_mm, gap_mm=fabric.gap_mm)


def _printed(job: _Job) -> FlatPattern:
    return mirrored_pattern(job.pattern) if job.sheet.mirrored else job.pattern


def _repeats(job: _Job, artwork: Artwork, tile: FabricTile) -> tuple[dict[str, bytes], str]:
    shown = artwork.mirrored() if job.sheet.mirrored else artwork
    endless = texture_tile(job.design, job.pattern, job.printing)
    facts = facts_of(job.pattern, job.printing, job.facts, mirrored=job.sheet.mirrored)
    laid = facts | {
        "advmask:fabric": f"{tile.across} x {tile.width:.1f} mm across, {tile.height:.1f} mm along"
    }
    per_mm = job.printing.dpi / MM_PER_INCH
    pixels = fabric_tile(shown, _printed(job), job.printing, tile)
    return {
        f"{job.stem}-fabric.png": encode_png(pixels, pixels_per_mm=per_mm, text=laid),
        f"{job.stem}-endless.png": encode_png(endless, pixels_per_mm=per_mm, text=facts),
    }, (
        f"{job.stem}-fabric.png, {tile.width:.1f} x {tile.height:.1f} mm, is to be repeated: {tile.across} "
        f"times across {job.settings.fabric.width_mm:g} mm of fabric, {tile.masks_per_metre():.0f} masks a "
        "metre."
    )


def _proof(job: _Job) -> tuple[dict[str, bytes], list[str]]:
    wanted = job.settings.proof
    if wanted is None:
        wanted = job.printer != _NO_PRINTER
    if not wanted:
        return {}, []
    facts = facts_of(job.pattern, job.printing, job.facts)
    printer = job.settings.printer
    content, share = proof_png(job.design, job.pattern, printer, name=job.printer, facts=facts)
    name = f"proof-{job.printer}.png"
    return {name: content}, [
        f"{name}: {100 * share:.0f} % of the mask cannot be printed as asked (Delta E 2000 above "
        f"{OUT_OF_GAMUT:g})."
    ]


def _out(settings: ExportSettings, folder: Path) -> Path:
    if settings.out is not None:
        return settings.out.expanduser()
    return folder / "exports" if folder.is_dir() else Path("exports") / folder.stem


def _look_at(picture: Path, mask: MaskSettings) -> str | None:
    """What is to be said about a picture file given as a design.

    Raises:
        DesignError: It says itself that it is for another pattern, or a print file.
    """
    try:
        with Image.open(picture) as opened:
            mode, text = opened.mode, {str(key): str(value) for key, value in opened.info.items()}
    except (OSError, ValueError):
        return None  # reading it told what is wrong, or will
    pattern = build_mask(mask).pattern.name
    if "advmask:bleed_mm" in text:
        raise DesignError(f"{picture} is a print file; name the run folder or the picture it was made from.")
    if text.get("advmask:pattern", pattern) != pattern:
        made_for = text["advmask:pattern"]
        raise DesignError(
            f"{picture} is made for pattern {made_for} and not for {pattern}; add mask={made_for}."
        )
    return f"{picture} holds CMYK colours; they were converted to sRGB." if mode == "CMYK" else None
