"""Finding faces and their five landmarks with MTCNN."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from PIL import Image

from advmask.core.errors import PhotoError
from advmask.core.together import Search, together
from advmask.photos.mtcnn_cascade import WINDOW_PX, Detected, Mtcnn
from advmask.photos.tiles import Box, Tile, area, held, is_cut, overlap, search_scales, tiles_of

# Smallest face looked for in a reduced photo, where `min_face_px` would fall below what MTCNN finds.
_SMALLEST_PX = 20

# The last network of MTCNN sees a face at this size; at a larger scale of the picture it sees no more of it.
_SEEN_PX = 48

# The size of a face differs by a tenth from search to search. In tiles one counts that seems so much smaller
# than asked for, so that none is lost that is large enough when seen by itself.
_SIZE_ERROR = 0.1

# Faces found at two scales, or in two tiles, are one when their boxes overlap by more, and, as at the end of
# MTCNN's own search, when more than so much of one lies in the other.
_SAME_FACE, _HELD = 0.4, 0.7

# facenet-pytorch truncates the corner of a face box to whole pixels when it cuts the box out, but not when it
# maps the landmarks back, which puts them half a pixel too far right and down on average. (Landmarks of 61
# photos and of their mirror images disagree by 1.0 px without this, and by nothing with it.)
TRUNCATION_PX = 0.5

# Of a third of all faces that lie on their side or stand on their head MTCNN finds something upright, with
# points that mean nothing, and is less sure of it than of nearly every face that is upright.
SURE = 0.998

# Pixels of pictures that are looked at together on a GPU, which takes a few gigabytes of it. On the CPU each
# is looked at alone: convolutions of other batches give other last bits, and no crop must depend on them.
_AT_ONCE_PX = 10**7

_Part = tuple[Image.Image, Tile, float]  # a picture, the tile of it that is seen, and the smallest face

# Two boxes count as equally large when the smaller has at least this share of the larger's area.
_NEARLY = 0.9


@dataclass(frozen=True, eq=False)
class Face:
    """A face found in a picture, in that picture's pixels (pixel centres at +0.5).

    Attributes:
        box: Left, top, right and bottom edge (x0, y0, x1, y1); may reach outside the picture.
        landmarks: Points (x, y) of the left-in-image eye, the right-in-image eye, the nose tip, the
            left-in-image and the right-in-image corner of the mouth.
        probability: The detector's own belief that this is a face, in [0, 1].
    """

    box: Box
    landmarks: Float64[np.ndarray, "5 2"]
    probability: float

    @property
    def side(self) -> float:
        """Longer side of the box in pixels."""
        x0, y0, x1, y1 = self.box
        return max(x1 - x0, y1 - y0)

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        x0, y0, x1, y1 = self.box
        return max(x1 - x0, 0.0) * max(y1 - y0, 0.0)


class FaceDetector:
    """MTCNN with the weights that facenet-pytorch carries in its wheel; nothing is downloaded.

    The networks are loaded at the first picture, not at construction.

    Args:
        min_face_px: Smallest longer side of a face box, in pixels of the picture given, however large it is.
        min_probability: Smallest probability of a face that is reported, in [0, 1].
        largest_only: Whether only the largest face matters: larger scales of a large picture are not searched
            when one was seen well, and smaller faces can be missing.
        device: Torch device of the networks.

    Source:
        Zhang et al., Joint Face Detection and Alignment Using Multitask Cascaded CNNs, 2016.
    """

    def __init__(
        self,
        *,
        min_face_px: int = 20,
        min_probability: float = 0.9,
        largest_only: bool = False,
        device: str | torch.device = "cpu",
    ) -> None:
        if min_face_px < WINDOW_PX:
            raise PhotoError(f"min_face_px is {min_face_px}; MTCNN finds faces from {WINDOW_PX} px upwards.")
        self._min_face_px = min_face_px
        self._min_probability = min_probability
        self._largest_only = largest_only
        self._device = torch.device(device)
        self._networks = Mtcnn()

    @property
    def sure(self) -> float:
        """Probability from which a picture is not searched in other turns."""
        return SURE

    def detect(self, image: Image.Image) -> list[Face]:
        """Find all faces.

        A picture larger than 1280 px is searched reduced to that size, for its large faces, and then in tiles
        at larger scales up to its own, for those that are too small at the scale before.

        Args:
            image: Picture of mode RGB.

        Returns:
            The faces, largest box first; empty when there is none.
        """
        return self.detect_all([image])[0]

    def detect_all(self, images: Sequence[Image.Image]) -> list[list[Face]]:
        """As `detect`, for several pictures: bit by bit on the CPU, and but for rounding on a GPU."""
        return together([self._searching(image) for image in images], self._run)

    def _searching(self, image: Image.Image) -> Search[_Part, Detected, list[Face]]:
        found: list[tuple[float, Face]] = []  # how many pixels the last network saw, and the face
        for number, scale in enumerate(search_scales(image.size)):
            limit = self._min_face_px * (1 - _SIZE_ERROR * (number > 0))
            here = yield from self._at_scale(image, scale, max(limit, WINDOW_PX))
            found += [(min(face.side * scale, _SEEN_PX), face) for face in here]
            largest = max((face.side for face in here), default=0.0) if self._largest_only else 0.0
            if scale * max(largest, self._min_face_px) >= _SEEN_PX:
                break  # larger scales are for smaller faces, which are not asked for
        if number > 0:
            found.sort(key=lambda one: (-one[0], -one[1].probability))
            found = _distinct(found, overlap, _SAME_FACE)  # the one that was seen best remains
            found.sort(key=lambda one: -one[1].probability)
            found = _distinct(found, held, _HELD)
        return sorted((face for _, face in found), key=lambda face: face.area, reverse=True)

    def _at_scale(
        self, image: Image.Image, scale: float, limit: float
    ) -> Search[_Part, Detected, list[Face]]:
        """Faces of `limit` px or more in the tiles of a picture at one scale, in pixels of the picture."""
        seen = image
        if scale < 1:
            width, height = (max(1, round(side * scale)) for side in image.size)
            seen = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        smallest = max(limit * scale, min(limit, _SMALLEST_PX))
        # Edge coordinates, so that resizing is one factor per axis and no half pixel is lost.
        factors = np.array([image.width / seen.width, image.height / seen.height])
        tiles = tiles_of(seen.size)
        told = yield [(seen, tile, smallest) for tile in tiles]
        faces = []
        for tile, one in zip(tiles, told, strict=True):
            values = (one.boxes, one.probability, one.points)
            for box, probability, five in zip(*(each.double().numpy() for each in values), strict=True):
                corners = box.reshape(2, 2) + tile[:2]
                if not is_cut(tuple(corners.ravel().tolist()), tile, seen.size):
                    faces.append(
                        Face(
                            box=tuple((corners * factors).ravel().tolist()),
                            landmarks=(five - TRUNCATION_PX + tile[:2]) * factors,
                            probability=float(probability),
                        )
                    )
        return [face for face in faces if face.side >= limit and self._is_likely(face)]

    def _is_likely(self, face: Face) -> bool:
        return face.probability >= self._min_probability and bool(
            np.isfinite([*face.box, *face.landmarks.ravel()]).all()
        )

    def _run(self, parts: Sequence[_Part]) -> list[Detected]:
        """Run the networks over as many parts of pictures at once as memory allows."""
        found: list[Detected] = []
        most = _AT_ONCE_PX if self._device.type == "cuda" else 0
        some: list[_Part] = []
        for part in parts:
            if some and sum(area(tile) for _, tile, _ in [*some, part]) > most:
                found += self._found(some)
                some = []
            some.append(part)
        return found + self._found(some)

    def _found(self, parts: Sequence[_Part]) -> list[Detected]:
        cut = (image if tile == (0, 0, *image.size) else image.crop(tile) for image, tile, _ in parts)
        pictures = [torch.from_numpy(np.array(image)).to(self._device) for image in cut]
        found = self._networks.find(pictures, [smallest for *_, smallest in parts])
        return [one.cpu() for one in found]


def _distinct(
    found: Sequence[tuple[float, Face]], shared: Callable[[Box, Box], float], most: float
) -> list[tuple[float, Face]]:
    """Those that share no more with any before them (greedy non-maximum suppression)."""
    kept: list[tuple[float, Face]] = []
    for one in found:
        if all(shared(one[1].box, other[1].box) <= most for other in kept):
            kept.append(one)
    return kept


def choose_face(faces: Sequence[Face], *, size: tuple[int, int]) -> Face:
    """Choose the one face that a photo is taken to be of.

    The largest box wins: the person portrayed stands in front. Where others have at least nine tenths of its
    area, size decides nothing, and the one of them nearest to the centre of the picture is taken.

    Args:
        faces: At least one face.
        size: Width and height of the picture in pixels.

    Raises:
        PhotoError: There is no face.
    """
    if not faces:
        raise PhotoError("There is no face to choose from; use a photo that shows the whole face.")
    largest = max(face.area for face in faces)
    centre = np.array(size) / 2

    def off_centre(face: Face) -> float:
        return float(np.hypot(*(np.reshape(face.box, (2, 2)).mean(0) - centre)))

    return min((face for face in faces if face.area >= _NEARLY * largest), key=off_centre)
