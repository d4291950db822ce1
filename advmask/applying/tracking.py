"""Faces followed through the frames of a video: who is who, by where they are."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from advmask.applying.face_finding import SAME_FACE, FaceFinder, FoundFace
from advmask.photos.tiles import overlap

# Two tracks whose boxes overlap by more have met on one face.
_SAME_TRACK = 0.6
# A face seen in fewer frames than these, in a video of more, is taken for a mistake of the detector.
_FEWEST_FRAMES = 3


@dataclass(eq=False)
class Track:
    """One face through a video.

    Attributes:
        seen: The face in the frames in which it was found, by the frame's number.
    """

    seen: dict[int, FoundFace] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """Number of the last frame in which the face was found."""
        return max(self.seen)


class Tracker:
    """Finds the faces of a video, given its frames in order.

    The whole picture is searched in every n-th frame; in all frames known faces are looked for near the place
    where they were, which also gives the landmarks of all frames the same habits. A face that is new is
    followed back into the frames since the last search.

    Args:
        finder: What finds the faces.
        every: Frames from one search of the whole picture to the next, at least 1.
        patience: Frames for which a lost face is still looked for in its place.
    """

    def __init__(self, finder: FaceFinder, *, every: int, patience: int) -> None:
        self._finder = finder
        self._every = every
        self._patience = patience
        self._tracks: list[Track] = []
        self._frames = 0
        self._recent: deque[tuple[int, Image.Image]] = deque(maxlen=max(1, every - 1))

    def searched(self, number: int) -> bool:
        """Tell whether the whole picture of a frame is searched."""
        return number % self._every == 0

    def add(self, image: Image.Image, found: Sequence[FoundFace] | None = None) -> int:
        """Look at the next frame, of mode RGB, and give the number of faces found in it.

        Args:
            image: The frame.
            found: Faces of the whole picture, where it was searched before.
        """
        number = self._frames
        self._frames += 1
        alive = [track for track in self._tracks if number - track.last <= self._patience + 1]
        for track in alive:
            again = self._finder.find_again(image, track.seen[track.last].box)
            if again is not None:
                track.seen[number] = again
        self._part(alive, number)
        if self.searched(number):
            for face in self._finder.find(image) if found is None else found:
                self._meet(face, image, alive, number)
        self._recent.append((number, image))
        return sum(number in track.seen for track in self._tracks)

    def tracks(self) -> list[Track]:
        """All faces that were followed; of those seen once or twice, none."""
        fewest = min(_FEWEST_FRAMES, self._frames)
        return [track for track in self._tracks if len(track.seen) >= fewest]

    def _part(self, alive: list[Track], number: int) -> None:
        """Where two tracks found one face, leave it to the one that knows it longer."""
        here = sorted((t for t in alive if number in t.seen), key=lambda t: len(t.seen), reverse=True)
        for place, track in enumerate(here):
            box = track.seen[number].box
            if any(
                number in other.seen and overlap(other.seen[number].box, box) > _SAME_TRACK
                for other in here[:place]
            ):
                del track.seen[number]
        self._tracks = [track for track in self._tracks if track.seen]

    def _meet(self, face: FoundFace, image: Image.Image, alive: list[Track], number: int) -> None:
        boxes = [track.seen[number].box for track in self._tracks if number in track.seen]
        if any(overlap(face.box, box) >= SAME_FACE for box in boxes):
            return
        exact = self._finder.find_again(image, face.box) or face
        lost = [track for track in alive if track.seen and number not in track.seen]
        known = max(lost, key=lambda t: overlap(t.seen[t.last].box, exact.box), default=None)
        if known is not None and overlap(known.seen[known.last].box, exact.box) >= SAME_FACE:
            known.seen[number] = exact
            return
        track = Track({number: exact})
        taken = [other.seen for other in self._tracks]
        for earlier, picture in reversed(self._recent):
            before = self._finder.find_again(picture, track.seen[earlier + 1].box)
            if before is None or _is_taken(before, earlier, taken):
                break
            track.seen[earlier] = before
        self._tracks.append(track)


def _is_taken(face: FoundFace, number: int, taken: list[dict[int, FoundFace]]) -> bool:
    there: list[Mapping[int, FoundFace]] = [seen for seen in taken if number in seen]
    return any(overlap(seen[number].box, face.box) >= SAME_FACE for seen in there)
