"""A design worn live: single frames of a camera, which the page sends and gets back; none is kept."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from advmask.applying.face_finding import FaceFinder, FoundFace
from advmask.applying.mask_drawing import draw_masks
from advmask.applying.settings import FindSettings
from advmask.applying.wear_design import worn_design
from advmask.core.errors import PhotoError
from advmask.render.settings import RenderSettings
from advmask.textures.design_files import Design

MOST_FRAME_BYTES = 2 << 20
_MOST_PX = 1280  # of either side of a frame
_SMALLEST_FACE_PX = 60  # smaller ones are found too, but slowly
_VISITORS = 8  # whose last face is kept in mind
_FAST = RenderSettings(supersample=1)


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame of a camera.

    Attributes:
        bare: As it came.
        worn: With the design.
        face: Where the nearest face is; None where there is none.
    """

    bare: Image.Image
    worn: Image.Image
    face: FoundFace | None


class LiveMirror:
    """Draws masks on frames; a face is looked for where it was a moment ago, which is quick."""

    def __init__(self) -> None:
        self._finder: FaceFinder | None = None
        self._last: OrderedDict[str, FoundFace] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def frame(self, content: bytes, design: Design, *, visitor: str) -> "Seen":
        """A frame on which the nearest face wears the design; as it came where none is found.

        Args:
            content: A JPEG of at most 1280 px a side.
            design: What is worn.
            visitor: Whose camera: frames of one follow each other.

        Raises:
            PhotoError: It is no such picture.
        """
        picture = _opened(content)
        with self._one_at_a_time:
            face = self._face(picture, visitor)
            if face is None:
                return Seen(picture, picture, None)
            drawn = draw_masks(np.asarray(picture), [face], worn_design(design, _FAST)).picture
            return Seen(picture, Image.fromarray(drawn), face)

    def _face(self, picture: Image.Image, visitor: str) -> FoundFace | None:
        self._finder = self._finder or FaceFinder(FindSettings(min_face_px=_SMALLEST_FACE_PX))
        before = self._last.pop(visitor, None)
        face = None if before is None else self._finder.find_again(picture, before.box)
        face = face or next(iter(self._finder.find(picture)), None)
        if face is not None:
            self._last[visitor] = face
            while len(self._last) > _VISITORS:
                self._last.popitem(last=False)
        return face


def _opened(content: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(content), formats=("JPEG",)) as picture:
            if max(picture.size) > _MOST_PX:
                raise PhotoError(f"A frame of the camera has at most {_MOST_PX} pixels a side.")
            return picture.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoError("A frame of the camera is a JPEG.") from error
