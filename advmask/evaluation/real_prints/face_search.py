"""One photo or video, looked at as a system in the field would: each picture by itself, the largest face."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from PIL import Image
from torch import Tensor

from advmask.applying.video_files import VideoReader, upright_rgb
from advmask.core.errors import PhotoError
from advmask.core.picture_reading import read_picture
from advmask.photos.crops import apply_transform, crop_transform, cut_crop
from advmask.photos.detection import choose_face
from advmask.recognizers.aligners.picture_detector import PictureDetector


@dataclass(frozen=True, eq=False)
class FoundFace:
    """The largest face of a picture.

    Attributes:
        crop: Cut by these very landmarks, sRGB, 0 to 255.
        landmarks: Five points (x, y) in pixels of the crop.
        eyes_px: Distance between the eyes in pixels of the picture.
    """

    crop: UInt8[Tensor, "3 size size"]
    landmarks: Float32[Tensor, "5 2"]
    eyes_px: float


@dataclass(frozen=True, eq=False)
class Look:
    """A photo, or a frame of a video.

    Attributes:
        time_s: From the beginning of the video; None for a photo.
        faces: Number of faces found.
        face: The largest; None where there is none that can be aligned by.
    """

    time_s: float | None
    faces: int
    face: FoundFace | None


class Looker:
    """Finds and cuts the largest face of each picture.

    Nothing that is known of one picture is used for another. Landmarks that a mask has displaced are used
    as they are: a recognizer would not know better.

    Args:
        detector: Finds the faces and their landmarks.
        size: Side of the crops in pixels.
        every_s: Time from one frame of a video to the next that is looked at, seconds; 0 looks at all.

    Attributes:
        notices: Sentences about files that are not whole.
    """

    def __init__(self, detector: PictureDetector, *, size: int, every_s: float) -> None:
        self._detector, self._size, self._every_s = detector, size, every_s
        self.notices: list[str] = []

    def photo(self, path: Path) -> Look:
        """Look at a photo.

        Raises:
            PhotoError: It cannot be read.
        """
        return self._look(read_picture(path), None)

    def video(self, path: Path) -> Iterator[Look]:
        """Look at frames of a video, as far as it can be read.

        Raises:
            PhotoError: It cannot be opened, or not one frame can be read.
            MissingPackageError: PyAV is not installed.
        """
        reader = VideoReader(path)
        start: float | None = None
        due = 0.0
        for number, frame in enumerate(reader.frames()):
            shown_s = float(number / reader.rate) if frame.time is None else float(frame.time)
            start = shown_s if start is None else start
            # A rounding of the file's clock must not put a frame off until the next one.
            if shown_s - start < due - 1e-3:
                continue
            due = max(due + self._every_s, shown_s - start) if self._every_s else 0.0
            yield self._look(Image.fromarray(upright_rgb(frame)), shown_s - start)
        if reader.read == 0:
            raise PhotoError(f"No frame of {path} can be read; copy it again or leave it out.")
        if reader.unreadable:
            self.notices.append(f"{reader.unreadable} frames of {path} cannot be read and are left out.")
        if reader.shortfall:
            self.notices.append(f"{path} ends early: {reader.shortfall}.")

    def _look(self, image: Image.Image, time_s: float | None) -> Look:
        faces = self._detector.detect(image)
        if not faces:
            return Look(time_s, 0, None)
        five = choose_face(faces, size=image.size).landmarks
        try:
            transform = crop_transform(five, size=self._size)
            crop = cut_crop(image, transform, size=self._size)
        except PhotoError:  # the points coincide or lie beyond the picture: nothing to align by
            return Look(time_s, len(faces), None)
        return Look(
            time_s,
            len(faces),
            FoundFace(
                torch.from_numpy(crop).permute(2, 0, 1).contiguous(),
                torch.from_numpy(apply_transform(transform, five)).to(torch.float32),
                float(np.hypot(*(five[1] - five[0]))),
            ),
        )
