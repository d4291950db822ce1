"""Large pictures: tiles and scales, with a detector that sees painted squares, and once with the real one."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from advmask.photos.detection import FaceDetector
from advmask.photos.mtcnn_cascade import Detected
from advmask.photos.tiles import OVERLAP_PX, TILE_PX, Tile, held, is_cut, overlap, search_scales, tiles_of

SIZES = [(1281, 40), (1632, 1224), (3840, 2160), (4032, 3024), (9000, 1500), (8064, 6048), (1300, 20000)]


def test_small_pictures_are_one_tile_at_their_own_scale() -> None:
    assert search_scales((1280, 1280)) == [1.0]
    assert tiles_of((1280, 800)) == [(0, 0, 1280, 800)]


@pytest.mark.parametrize("size", SIZES)
def test_scales_lead_from_one_tile_to_the_picture_itself(size: tuple[int, int]) -> None:
    scales = search_scales(size)
    assert scales[0] == pytest.approx(TILE_PX / max(size))
    assert scales[-1] == 1
    steps = np.divide(scales[1:], scales[:-1])
    assert ((steps > 1) & (steps <= 3.001)).all()


@pytest.mark.parametrize("size", SIZES)
def test_tiles_show_each_face_that_fits_their_overlap_whole(size: tuple[int, int]) -> None:
    tiles = tiles_of(size)
    assert len({(right - left, bottom - top) for left, top, right, bottom in tiles}) == 1
    assert all(right - left <= TILE_PX and bottom - top <= TILE_PX for left, top, right, bottom in tiles)
    assert sum((right - left) * (bottom - top) for left, top, right, bottom in tiles) < 2.1 * np.prod(size)
    for axis in (0, 1):
        spans = sorted({(tile[axis], tile[axis + 2]) for tile in tiles})
        assert (spans[0][0], spans[-1][1]) == (0, size[axis])
        assert all(end - start >= OVERLAP_PX for (_, end), (start, _) in pairwise(spans))


def test_overlaps() -> None:
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == 1 / 3
    assert held((0, 0, 4, 4), (1, 1, 2, 2)) == 1
    assert held((0, 0, 1, 1), (1, 1, 2, 2)) == 0


def test_a_face_is_cut_at_a_rim_beyond_which_the_picture_goes_on() -> None:
    size, first, last = (2000, 1000), (0, 0, 1200, 1000), (800, 0, 2000, 1000)
    assert is_cut((1150, 10, 1210, 70), first, size)
    assert is_cut((1150, 10, 1199, 70), first, size)
    assert not is_cut((-5, -5, 60, 60), first, size)
    assert is_cut((795, 10, 850, 70), last, size)
    assert not is_cut((1950, 950, 2010, 1010), last, size)


class Squares(FaceDetector):
    """Finds white squares, and parts of squares, as a detector finds faces; counts what it looked at."""

    looked: list[tuple[int, int]]

    def _found(self, parts: Sequence[tuple[Image.Image, Tile, float]]) -> list[Detected]:
        return [self._in(image.crop(tile), smallest_px) for image, tile, smallest_px in parts]

    def _in(self, image: Image.Image, smallest_px: float) -> Detected:
        self.looked.append(image.size)
        parts, _ = ndimage.label(np.asarray(image.convert("L")) > 127)
        boxes = [
            (x.start, y.start, x.stop, y.stop)
            for y, x in ndimage.find_objects(parts)
            if max(x.stop - x.start, y.stop - y.start) >= smallest_px
        ]
        corners = np.array(boxes, dtype=np.float64).reshape(-1, 2, 2)
        middles = np.repeat(corners.mean(axis=1, keepdims=True), 5, axis=1)
        found = map(torch.from_numpy, (corners.reshape(-1, 4), np.full(len(boxes), 0.99), middles))
        return Detected(*found, seen=torch.zeros(len(boxes), 4))


@pytest.fixture
def squares() -> Squares:
    detector = Squares(min_face_px=30)
    detector.looked = []
    return detector


def painted(size: tuple[int, int], boxes: list[tuple[int, int, int]]) -> Image.Image:
    picture = Image.new("RGB", size)
    for x, y, side in boxes:
        picture.paste((255, 255, 255), (x, y, x + side, y + side))
    return picture


def test_faces_of_all_sizes_are_found_once_wherever_tiles_end(squares: Squares) -> None:
    # From the limit to sizes that no tile of the larger scales holds, on a grid that meets the rims of tiles.
    sides = [31, 40, 65, 100, 150, 33, 500, 65, 31, 40, 65, 100, 150, 200, 36, 48]
    places = [(620 * (i % 4) + 7 * i, 560 * (i // 4) + 9 * i, side) for i, side in enumerate(sides)]
    faces = squares.detect(painted((2500, 2400), places))
    assert len(faces) == len(places)
    for x, y, side in places:
        box = (x, y, x + side, y + side)
        assert min(np.abs(np.subtract(face.box, box)).max() for face in faces) < 3
    assert max(max(size) for size in squares.looked) <= TILE_PX


def test_a_size_is_known_to_a_tenth_in_tiles(squares: Squares) -> None:
    assert len(squares.detect(painted((2000, 1500), [(700, 700, 28)]))) == 1
    assert squares.detect(painted((2000, 1500), [(700, 700, 26)])) == []
    assert squares.detect(painted((1000, 750), [(700, 700, 28)])) == []  # one search, one limit


def test_larger_scales_are_searched_for_small_faces_only() -> None:
    picture = painted((2560, 1440), [(100, 100, 200), (2000, 1000, 36)])
    largest, all_large = Squares(largest_only=True), Squares(min_face_px=100)
    for detector in (largest, all_large):
        detector.looked = []
        assert [round(face.side) for face in detector.detect(picture)] == [200]
        assert detector.looked == [(1280, 720)]
    # The largest of what is there, which no smaller scale shows well.
    (face,) = largest.detect(painted((2560, 1440), [(2000, 1000, 40)]))
    assert face.box == (2000, 1000, 2040, 1040)
    assert len(largest.looked) > 4


def test_every_face_of_a_crowd_is_found(portrait: Image.Image) -> None:
    head = portrait.crop((100, 10, 356, 266))  # the face is 0.43 of it
    crowd = Image.new("RGB", (1900, 320), (120, 130, 140))
    for place, side in enumerate((76, 84, 100, 300)):
        crowd.paste(head.resize((side, side), Image.Resampling.LANCZOS), (110 + 460 * place, 10))
    faces = FaceDetector(min_face_px=30).detect(crowd)
    assert sorted(round((face.landmarks[2, 0] - 110) // 460) for face in faces) == [0, 1, 2, 3]
