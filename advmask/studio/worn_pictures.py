"""Designs worn on the user's photos, at once: faces are found when a photo is first shown, and kept."""

import threading
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from advmask.applying.face_finding import FaceFinder, FoundFace
from advmask.applying.mask_drawing import draw_masks
from advmask.applying.settings import FindSettings
from advmask.applying.wear_design import worn_design
from advmask.core.errors import PhotoError
from advmask.core.picture_reading import read_picture
from advmask.evaluation.contact_sheet import to_image
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.printers.printer import Printer
from advmask.printers.settings import PrinterSettings
from advmask.textures.colour_names import colour_code
from advmask.textures.design_files import Design
from advmask.textures.picture_inks import picture_inks
from advmask.textures.picture_texels import read_picture_as_texels
from advmask.textures.settings import TextureSettings
from advmask.training.building import build_texture
from advmask.training.settings import TrainSettings

_SEARCHED_PX = 1200  # of the longer side of a photo in which faces are looked for
_SHOWN_PX = 1100  # of what is shown of it, which is cut around the largest face
_AROUND = 3.2  # sides of that, in heights of the face
_PHOTOS_KEPT = 24
_FLAT, _MOSTLY = 0.01, 0.6  # share of a drawing that is a colour of it; and all of these together
_SOME_INKS, _MOST_INKS, _MOST_SWATCHES = 5, 8, 12
_SMALL_TEXELS = 200  # a drawing's colours are counted at about this size


class WornPictures:
    """Shows designs on photos."""

    def __init__(self) -> None:
        self._finder: FaceFinder | None = None
        self._seen: OrderedDict[tuple[Path, int], tuple[np.ndarray, list[FoundFace]]] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def worn(self, photo: Path, design: Design, *, printer: PrinterSettings | None = None) -> Image.Image:
        """A photo on which all faces wear a design.

        Args:
            photo: Its file.
            design: What is worn.
            printer: That whose colours it is shown in; None for the colours of the design itself.

        Raises:
            PhotoError: The photo cannot be read, or nobody on it can wear a mask.
        """
        with self._one_at_a_time:
            picture, faces = self._photo(photo)
            if printer is not None:
                design = printed(design, printer)
            drawn = draw_masks(picture, faces, worn_design(design))
        if drawn.masks == 0:
            raise PhotoError(f"No face on this photo can wear a mask. {' '.join(drawn.bare)}".strip())
        return Image.fromarray(drawn.picture)

    def bare(self, photo: Path) -> tuple[Image.Image, FoundFace]:
        """A photo as it is shown, and its largest face."""
        with self._one_at_a_time:
            picture, faces = self._photo(photo)
        largest = max(faces, key=lambda face: face.box[2] - face.box[0])
        return Image.fromarray(picture), largest

    def _photo(self, photo: Path) -> tuple[np.ndarray, list[FoundFace]]:
        key = photo, photo.stat().st_mtime_ns
        if key not in self._seen:
            whole = read_picture(photo)
            small = whole.copy()
            small.thumbnail((_SEARCHED_PX, _SEARCHED_PX), Image.Resampling.LANCZOS)
            self._finder = self._finder or FaceFinder(FindSettings())
            faces = self._finder.find_however_turned(small)
            if not faces:
                raise PhotoError("No face was found on this photo; take one that shows you from the front.")
            self._seen[key] = _near(whole, faces, found_at=small.width / whole.width)
            while len(self._seen) > _PHOTOS_KEPT:
                self._seen.popitem(last=False)
        self._seen.move_to_end(key)
        return self._seen[key]


def _near(
    whole: Image.Image, faces: list[FoundFace], *, found_at: float
) -> tuple[np.ndarray, list[FoundFace]]:
    """The part of a photo around its largest face, of a size to be looked at, and all faces in its pixels.

    Args:
        whole: The photo.
        faces: Found in it, the largest first.
        found_at: Size of the picture they were found in, in sizes of the photo.
    """
    x0, y0, x1, y1 = (value / found_at for value in faces[0].box)
    wide, high = (min(_AROUND * (y1 - y0), side) for side in whole.size)
    left = min(max(0.0, (x0 + x1 - wide) / 2), whole.width - wide)
    top = min(max(0.0, (y0 + y1 - high) / 2), whole.height - high)
    scale = _SHOWN_PX / max(wide, high)
    shown = whole.resize(
        (round(wide * scale), round(high * scale)),
        Image.Resampling.LANCZOS,
        box=(left, top, left + wide, top + high),
    )

    def moved(points: np.ndarray) -> np.ndarray:
        return np.asarray((points / found_at - [left, top]) * scale)

    placed = [
        FoundFace(tuple(moved(np.reshape(face.box, (2, 2))).ravel().tolist()), moved(face.five))
        for face in faces
    ]
    return np.asarray(shown), placed


@lru_cache(maxsize=16)
def _started(texture: str, mask: str) -> Design:
    """As `started`, of settings as JSON."""
    settings = TrainSettings(
        texture=TextureSettings.model_validate_json(texture), mask=MaskSettings.model_validate_json(mask)
    )
    surface = build_mask(settings.mask)
    return Design(
        build_texture(settings, surface).finish().float(),
        pattern=surface.name,
        size=settings.mask.size,
        texels_per_mm=settings.texture.texels_per_mm,
    )


def started(texture: TextureSettings, mask: MaskSettings) -> Design:
    """What a design would be if nothing were learned: the drawing in its inks, on the mask.

    Raises:
        DesignError: The drawing cannot be read.
    """
    return _started(texture.model_dump_json(), mask.model_dump_json())


def printed(design: Design, printer: PrinterSettings) -> Design:
    """A design in the colours that a printer makes of it."""
    prints = Printer(printer, texels_per_mm=design.texels_per_mm)
    if prints.ideal:
        return design
    with torch.no_grad():
        texels = prints.proof(design.texels).clamp(0, 1)
    return Design(texels, pattern=design.pattern, size=design.size, texels_per_mm=design.texels_per_mm)


def inks_of(drawing: Path, count: int | None = None) -> list[str]:
    """Colours that a drawing can be printed with, as `#rrggbb`: its own, far from each other.

    Args:
        drawing: Its file.
        count: How many; None for all of a drawing in few flat colours, and for five of any other.

    Raises:
        DesignError: The drawing cannot be read.
    """
    texels = _small(drawing)
    if count is None:
        flat_ones = _flat_colours(texels)
        count = min(max(flat_ones, 2), _MOST_INKS) if flat_ones else _SOME_INKS
    return [colour_code(ink) for ink in picture_inks(texels, count).tolist()]


def swatches_of(drawing: Path) -> list[str]:
    """Colours of a drawing to choose inks from: all of one in few flat colours, up to twelve of any other.

    Args:
        drawing: Its file.

    Raises:
        DesignError: The drawing cannot be read.
    """
    texels = _small(drawing)
    count = min(_flat_colours(texels) or _MOST_SWATCHES, _MOST_SWATCHES)
    return [colour_code(ink) for ink in picture_inks(texels, max(count, 2), at_least=1).tolist()]


def _small(drawing: Path) -> torch.Tensor:
    return read_picture_as_texels(drawing, height=_SMALL_TEXELS, width=_SMALL_TEXELS, fit="contain")


def _flat_colours(texels: torch.Tensor) -> int:
    """How many flat colours make up most of a picture; 0 where none do."""
    _, often = (texels * 255).round().flatten(1).long().unique(dim=1, return_counts=True)
    flat_ones = often[often >= _FLAT * often.sum()]
    return len(flat_ones) if int(flat_ones.sum()) > _MOSTLY * int(often.sum()) else 0


def flat(design: Design) -> Image.Image:
    """A design as a flat picture."""
    return to_image(design.texels)
