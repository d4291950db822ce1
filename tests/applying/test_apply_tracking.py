"""Who is who through the frames, with a finder that reads faces off the colours of a picture."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from advmask.applying.face_finding import SAME_FACE, FoundFace
from advmask.applying.tracking import Track, Tracker
from advmask.photos.tiles import Box, overlap

SIDE = 20


class Painted:
    """Finds painted squares: the red channel holds 1 for the first, 2 for the second, and so on."""

    def __init__(self) -> None:
        self.searches = 0

    def find(self, image: Image.Image) -> list[FoundFace]:
        self.searches += 1
        red = np.asarray(image)[..., 0]
        found = []
        for number in sorted(set(red.ravel().tolist()) - {0}):
            rows, columns = np.nonzero(red == number)
            x, y = float(columns.min()), float(rows.min())
            found.append(FoundFace((x, y, x + SIDE, y + SIDE), np.full((5, 2), float(number))))
        return found

    def find_again(self, image: Image.Image, box: Box) -> FoundFace | None:
        self.searches -= 1
        near = [face for face in self.find(image) if overlap(face.box, box) >= SAME_FACE]
        return max(near, key=lambda face: overlap(face.box, box), default=None)


def followed(frames: Sequence[dict[int, tuple[int, int]]], *, every: int = 4, patience: int = 3):
    finder = Painted()
    tracker = Tracker(finder, every=every, patience=patience)  # type: ignore[arg-type]
    for squares in frames:
        picture = np.zeros((60, 200, 3), dtype=np.uint8)
        for number, (x, y) in squares.items():
            picture[y : y + SIDE, x : x + SIDE, 0] = number
        tracker.add(Image.fromarray(picture))
    return tracker.tracks(), finder


def who(track: Track) -> set[float]:
    return {float(face.five[0, 0]) for face in track.seen.values()}


def test_two_faces_that_move() -> None:
    frames = [{1: (2 * n, 5), 2: (170 - 2 * n, 30)} for n in range(20)]
    tracks, finder = followed(frames)
    assert [sorted(track.seen) for track in tracks] == [list(range(20))] * 2
    assert [who(track) for track in tracks] == [{1.0}, {2.0}]
    assert finder.searches == 5, "the whole picture is searched in every fourth frame"


def test_a_face_that_comes_between_two_searches_is_followed_back() -> None:
    frames = [{} if n < 6 else {1: (50, 5)} for n in range(12)]
    tracks, _ = followed(frames)
    assert [sorted(track.seen) for track in tracks] == [list(range(6, 12))]


def test_a_lost_face_is_the_same_when_it_comes_back_soon_and_another_later() -> None:
    shown = [n for n in range(40) if n not in (*range(10, 13), *range(20, 30))]
    tracks, _ = followed([{1: (50, 5)} if n in shown else {} for n in range(40)])
    assert [min(track.seen) for track in tracks] == [0, 30]
    assert sorted(n for track in tracks for n in track.seen) == shown


def test_what_is_seen_once_is_no_face() -> None:
    frames = [{1: (50, 5)} | ({2: (150, 30)} if n == 4 else {}) for n in range(12)]
    tracks, _ = followed(frames)
    assert [who(track) for track in tracks] == [{1.0}]
    alone, _ = followed([{1: (50, 5)}])
    assert len(alone) == 1, "a video of one frame is a photo"


def test_overlap() -> None:
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == 1 / 3
    assert overlap((0, 0, 2, 2), (2, 0, 3, 2)) == 0
    assert overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0
