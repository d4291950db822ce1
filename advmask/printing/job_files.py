"""The files of print jobs by their names, with what is to be said about them; nothing is written."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from advmask.core.shown_names import shown
from advmask.printing.card import card_text, read_card
from advmask.printing.card_picture import card_png
from advmask.printing.exports import print_files
from advmask.printing.flat_inks import FlatInks, artwork_of
from advmask.printing.job import PrintJob, in_file_names
from advmask.printing.mask_png import facts_of
from advmask.printing.proof import OUT_OF_GAMUT, proof_png
from advmask.printing.raster import Artwork
from advmask.printing.repeat import FabricTile, fabric_tile, lay_on_fabric, texture_tile
from advmask.printing.settings import ClothSettings, ExportSettings
from advmask.printing.shop import encoded, shop_file, shop_words
from advmask.printing.upsample import MM_PER_INCH
from advmask.textures.gallery import GalleryDesign
from advmask.textures.png_bytes import encode_png

_WORTH_SAYING = 0.005  # of the mask

Made = tuple[dict[str, bytes], list[str]]
"""Files by name, and sentences for the user."""

_MIRRORED = (
    "The artwork is mirrored in the files whose names say so, because it is to be transferred: do not mirror "
    "it again when you print. Some print shops mirror what they are sent: ask the shop. If it does, or if "
    "the printer prints the cloth or paper itself, make the files once more with mirrored=false."
)
_TRUE_SIZE = (
    "Print at 100 %, without fitting to the page, and measure the ruler on the sheet. If it is not 100 mm "
    "long, make the files once more with what it measures, such as sheet.ruler_mm=98.5."
)
_DULLER = (
    "Those colours, red in the proof, come out as its middle picture shows, mostly duller; the files are "
    "sound. What to do: if you like the middle picture, print. If not, choose colours that are calmer where "
    "the proof is red (of a design in few inks: texture.palette.inks=[...]), or have the design made anew "
    "for this printer (printer={name} objective.gamut=0.01)."
)


def job_files(jobs: Sequence[PrintJob], settings: ExportSettings, *, notices: Sequence[str] = ()) -> Made:
    """All files to print.

    Args:
        jobs: One design in one size or several.
        settings: Say whether there is a proof, and tiles for fabric.
        notices: Sentences about the design, to be said with the others.

    Raises:
        ConfigError: The printer's profile or table cannot be used, the fabric is narrower than the mask, or
            the paper would need hundreds of tiles.
        DesignError: The design uses a text key of ours.
    """
    fabric = settings.fabric
    tiles = [_tile(job, fabric) if settings.repeat else None for job in jobs]
    files, words = _proof(jobs[0], wanted=settings.proof)  # first: it is here that a printer proves unusable
    words += notices
    for job, tile in zip(jobs, tiles, strict=True):
        artwork = artwork_of(job.design, job.pattern, job.printing)
        files |= _print_files(job, artwork)
        if artwork[1] is not None:
            words.append(_inks_of(job, artwork[1]))
        if tile is not None:
            made, said = _repeats(job, artwork[0], tile, fabric)
            files |= made
            words += said
        if settings.shop.name != "none":
            made, said = _for_shop(job, artwork[0], settings)
            files |= made
            words += said
    words += [_MIRRORED] if jobs[0].sheet.mirrored else []
    words.append(f"To print: {', '.join(job.sheet_name for job in jobs)}.")
    return files, [*words, _TRUE_SIZE]


def card_files(folder: Path, job: PrintJob, *, size: str) -> dict[str, bytes]:
    """The cards of a run: what was measured of its design, to read (a picture) and for programs (JSON).

    Where nothing was measured, the picture says so and there is no JSON.

    Args:
        folder: The run folder.
        job: Its design in one size.
        size: That it was learned in.

    Raises:
        RunError: Its `results.json` cannot be read.
    """
    card = read_card(folder, pattern=job.pattern.name, size=size, facts=job.facts)
    return _cards(card, job, name=shown(folder.absolute().name), size=size)


def shipped_card_files(shipped: GalleryDesign, job: PrintJob) -> dict[str, bytes]:
    """The cards of a design that ships; see `card_files`."""
    card = dict(shipped.measured) | {"facts": dict(job.facts)}
    return _cards(card, job, name=shipped.name, size=str(card["size"]))


def _cards(card: dict[str, Any] | None, job: PrintJob, *, name: str, size: str) -> dict[str, bytes]:
    picture = card_png(card, job.design, job.pattern, name=name, size=size, facts=job.facts)
    return {"card.png": picture} | ({} if card is None else {"card.json": card_text(card).encode()})


def _inks_of(job: PrintJob, inks: FlatInks) -> str:
    if len(inks.colours) == 1:
        return f"{job.stem}.png is of one colour, {inks.codes[0]}."
    return (
        f"{job.stem}.png holds {len(inks.colours)} inks and no other colour: {', '.join(inks.codes)}; "
        f"{job.stem}-inks.svg and .pdf have each on a layer of its own."
    )


def _print_files(job: PrintJob, artwork: tuple[Artwork, FlatInks | None]) -> dict[str, bytes]:
    return print_files(
        job.design,
        job.pattern,
        job.printing,
        job.sheet,
        stem=job.stem,
        sheet=job.sheet_name,
        printer=job.printer_name,
        hints=job.hints,
        facts=job.facts,
        conversion=job.conversion,
        artwork=artwork,
    )


def _for_shop(job: PrintJob, artwork: Artwork, settings: ExportSettings) -> Made:
    """The one picture that a shop asks for, with the resolution, bleed and mirroring that it wants."""
    shop, printing = settings.shop, settings.asked_by_shop.over(job.printing)
    if printing != job.printing:
        artwork, _ = artwork_of(job.design, job.pattern, printing)
    sheet = job.sheet.model_copy(update={"mirrored": settings.mirrored_for_shop})
    job = replace(job, printing=printing, sheet=sheet)
    drawn = artwork.mirrored() if sheet.mirrored else artwork
    if shop.product == "fabric":
        pixels = fabric_tile(drawn, printing, _tile(job, settings.fabric))
        content = encoded(pixels, shop, dpi=printing.dpi, bleed_mm=printing.bleed_mm)
    else:
        content = shop_file(drawn, shop, dpi=printing.dpi, bleed_mm=printing.bleed_mm)
    name = f"{job.stem}-shop-{in_file_names(shop.name)}.{shop.file}"
    return {name: content}, [shop_words(shop, name, mirrored=job.sheet.mirrored)]


def _proof(job: PrintJob, *, wanted: bool | None) -> Made:
    """What the printer makes of the design; None wants it where there is a printer."""
    if not (job.has_printer if wanted is None else wanted):
        return {}, []
    facts = facts_of(job.pattern, job.printing, job.facts)
    content, share = proof_png(job.design, job.pattern, job.printer, name=job.printer_name, facts=facts)
    name = f"proof-{job.printer_name}.png"
    return {name: content}, [
        f"{name}: {100 * share:.0f} % of the mask cannot be printed as asked (it becomes another "
        f"colour: Delta E 2000 above {OUT_OF_GAMUT:g}).",
        *([_DULLER.format(name=job.printer_name)] if share >= _WORTH_SAYING else []),
    ]


def _tile(job: PrintJob, fabric: ClothSettings) -> FabricTile:
    return lay_on_fabric(job.printed, job.printing, fabric_mm=fabric.width_mm, gap_mm=fabric.gap_mm)


def _repeats(job: PrintJob, artwork: Artwork, tile: FabricTile, fabric: ClothSettings) -> Made:
    """The masks laid out on fabric, and the design as endless cloth."""
    shown = artwork.mirrored() if job.sheet.mirrored else artwork
    endless = texture_tile(job.design, job.pattern, job.printing)
    facts = facts_of(job.pattern, job.printing, job.facts, mirrored=job.sheet.mirrored)
    laid = facts | {
        "advmask:fabric": f"{tile.across} x {tile.width:.1f} mm across, {tile.height:.1f} mm along"
    }
    per_mm = job.printing.dpi / MM_PER_INCH
    pixels = fabric_tile(shown, job.printing, tile)
    return {
        f"{job.stem}-fabric.png": encode_png(pixels, pixels_per_mm=per_mm, text=laid),
        f"{job.stem}-endless.png": encode_png(endless, pixels_per_mm=per_mm, text=facts),
    }, [
        f"{job.stem}-fabric.png, {tile.width:.1f} x {tile.height:.1f} mm, is to be repeated: {tile.across} "
        f"times across {fabric.width_mm:g} mm of fabric, {tile.masks_per_metre():.0f} masks a metre."
    ]
