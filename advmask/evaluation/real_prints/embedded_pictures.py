"""All pictures of all people: where faces are, and what each recognizer makes of them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from advmask.core.errors import PhotoError
from advmask.evaluation.real_prints.condition_folders import Capture
from advmask.evaluation.real_prints.face_search import FoundFace, Looker
from advmask.recognizers.recognizer import Recognizer, embed_all

_CHUNK = 16
_THUMBNAIL_QUALITY = 90


@dataclass(frozen=True, eq=False)
class Picture:
    """A photo or a frame, after it was looked at.

    Attributes:
        capture: The file it comes from.
        time_s: Place in the video, or None.
        faces: Number of faces found.
        eyes_px: Distance between the eyes as found, px of the picture; None without a face.
        row: Of its embeddings; None without a face.
        thumbnail: The crop as a JPEG, so that thousands fit into memory; None without a face.
    """

    capture: Capture
    time_s: float | None
    faces: int
    eyes_px: float | None
    row: int | None
    thumbnail: bytes | None


@dataclass(frozen=True, eq=False)
class Seen:
    """Everything that was looked at.

    Attributes:
        pictures: In the order of the files, frames in order of time.
        embeddings: For each recognizer (rows, D), of the pictures with a face.
        notices: Sentences for the user: files left out, files that end early, several faces.
    """

    pictures: tuple[Picture, ...]
    embeddings: tuple[Float[Tensor, "rows dim"], ...]
    notices: tuple[str, ...]

    def of(self, person: str, condition: str) -> list[int]:
        """Places in `pictures` of one person under one condition."""
        return [
            place
            for place, one in enumerate(self.pictures)
            if one.capture.person == person and one.capture.condition == condition
        ]


def look_at_all(
    captures: Sequence[Capture],
    looker: Looker,
    recognizers: Sequence[Recognizer],
    *,
    progress: bool = False,
) -> Seen:
    """Look at all files and embed the faces; a file that cannot be read is left out and named.

    Args:
        captures: The files.
        looker: Finds and cuts faces.
        recognizers: Frozen.
        progress: Show a bar.
    """
    pictures: list[Picture] = []
    notices: list[str] = []
    batch = _Batch(recognizers)
    bar = tqdm(captures, desc="files", unit="file", disable=not progress)
    for capture in bar:
        bar.set_postfix_str(capture.name, refresh=False)
        several = 0
        try:
            looks = looker.video(capture.path) if capture.is_video else [looker.photo(capture.path)]
            for look in looks:
                face = look.face
                pictures.append(
                    Picture(
                        capture,
                        look.time_s,
                        look.faces,
                        None if face is None else face.eyes_px,
                        None if face is None else batch.add(face),
                        None if face is None else _jpeg(face.crop),
                    )
                )
                several += look.faces > 1
                if capture.is_video:
                    bar.set_postfix_str(f"{capture.name} at {look.time_s:.1f} s")
        except PhotoError as error:
            reason = str(error)
            notices.append(
                f"Left out {reason}" if str(capture.path) in reason else f"Left out {capture.path}: {reason}"
            )
        if several:
            where = f"in {several} frames of {capture.path}" if capture.is_video else f"in {capture.path}"
            notices.append(f"Several faces {where}; the largest was taken.")
    return Seen(tuple(pictures), batch.embeddings(), (*notices, *looker.notices))


def only_enrolled(seen: Seen, enrolled_by: str) -> Seen:
    """Leave out people of whom no bare photo shows a face, with a sentence for each.

    Args:
        seen: All pictures.
        enrolled_by: Condition of the files that people are enrolled with.

    Raises:
        PhotoError: Nobody is left.
    """
    people = sorted({one.capture.person for one in seen.pictures})
    enrolled = {
        one.capture.person
        for one in seen.pictures
        if one.capture.condition == enrolled_by and one.row is not None
    }
    reasons = tuple(
        f"No face was found in any bare photo of {name}, so there is nothing to compare with; left out."
        for name in people
        if name not in enrolled
    )
    if not enrolled:
        said = " ".join((*reasons, *seen.notices))
        raise PhotoError(f"Nobody can be enrolled. {said} Add photos that show the whole face.")
    kept = tuple(one for one in seen.pictures if one.capture.person in enrolled)
    return Seen(kept, seen.embeddings, (*seen.notices, *reasons))


def thumbnail(picture: Picture) -> Float[Tensor, "3 size size"] | None:
    """The crop of a picture, sRGB in [0, 1]; None where no face was found."""
    if picture.thumbnail is None:
        return None
    with Image.open(io.BytesIO(picture.thumbnail)) as image:
        values: NDArray[np.uint8] = np.asarray(image.convert("RGB"))
    return torch.from_numpy(values.copy()).permute(2, 0, 1).float() / 255


class _Batch:
    """Crops that wait for the recognizers; only a few are in memory at a time."""

    def __init__(self, recognizers: Sequence[Recognizer]) -> None:
        self._recognizers = recognizers
        self._waiting: list[FoundFace] = []
        self._pieces: list[list[Tensor]] = [[] for _ in recognizers]
        self._count = 0

    def add(self, face: FoundFace) -> int:
        self._waiting.append(face)
        self._count += 1
        if len(self._waiting) == _CHUNK:
            self._embed()
        return self._count - 1

    def embeddings(self) -> tuple[Float[Tensor, "rows dim"], ...]:
        if self._waiting:
            self._embed()
        return tuple(
            torch.cat(pieces) if pieces else torch.zeros(0, recognizer.specification.embedding)
            for pieces, recognizer in zip(self._pieces, self._recognizers, strict=True)
        )

    def _embed(self) -> None:
        crops = torch.stack([face.crop for face in self._waiting]).float() / 255
        landmarks = torch.stack([face.landmarks for face in self._waiting])
        for recognizer, pieces in zip(self._recognizers, self._pieces, strict=True):
            pieces.append(embed_all(recognizer, crops, landmarks))
        self._waiting.clear()


def _jpeg(crop: Tensor) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(crop.permute(1, 2, 0).numpy()).save(stream, "JPEG", quality=_THUMBNAIL_QUALITY)
    return stream.getvalue()
