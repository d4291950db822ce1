"""One picture file in, one picture file out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from advmask.applying.face_finding import FaceFinder, FoundFace, given_face
from advmask.applying.mask_drawing import Drawn, WornDesign, draw_masks
from advmask.applying.picture_files import OpenedPicture, changed_values, open_picture, write_picture
from advmask.applying.picture_stripping import without_metadata
from advmask.core.files import write_with
from advmask.photos.occluders import occluder_path, read_occluder


@dataclass(frozen=True)
class Applied:
    """What became of a picture or a video.

    Attributes:
        masks: Number of masks drawn; in a video, in the frame with most of them.
        notices: Sentences for the user, which do not name the file.
    """

    masks: int
    notices: tuple[str, ...]


Shown = Callable[[Image.Image, Image.Image, FoundFace], None]
"""Is handed the photo, the same with masks, and its largest face."""


def apply_to_picture(
    source: Path, target: Path, *, design: WornDesign, finder: FaceFinder, shown: Shown | None = None
) -> Applied:
    """Let all faces of a picture wear a design.

    Pixels outside the masks and their shadows keep their values; in a JPEG, but for its own rounding. A
    picture in which no face wears the mask is copied, without what it says of place, time and camera.

    Args:
        source: The picture; `photo.occluder.png` and, where the settings say so, `photo.points.json` next to
            it count.
        target: Where to; its ending decides the format.
        design: What is worn.
        finder: What finds the faces.
        shown: Is called, if a mask was drawn, when the result is written.

    Raises:
        PhotoError: The picture, or a file next to it, cannot be used.
        RunError: The target cannot be written.
    """
    picture = open_picture(source)
    faces = faces_of(picture.srgb, source, finder=finder)
    drawn = _drawn(picture.srgb, source, faces, design)
    notices = [f"A face stays bare: {reason}" for reason in drawn.bare]
    if drawn.masks == 0 and not drawn.bare:
        notices.append(f"No face of {finder.settings.min_face_px} px or more was found; it stays as it is.")
    if drawn.masks == 0 and source.suffix.lower() == target.suffix.lower():
        content = without_metadata(source.read_bytes())
        if content is not None:
            if picture.frames > 1:
                notices.append(f"{_has(picture)}; faces were looked for in the first only.")
            write_with(target, lambda aside: aside.write_bytes(content))
            return Applied(0, tuple(notices))
        notices.append("Place, time and camera cannot be taken out of the file as it is; it is rewritten.")
    write_picture(target, changed_values(picture, drawn.picture, drawn.changed), profile=picture.profile)
    if shown is not None and drawn.masks:
        shown(
            picture.srgb, Image.fromarray(drawn.picture), max(faces, key=lambda one: one.box[2] - one.box[0])
        )
    if picture.notice:
        notices.append(f"It {picture.notice}")
    if picture.frames > 1:
        notices.append(f"{_has(picture)}; only the first is written.")
    return Applied(drawn.masks, tuple(notices))


def _has(picture: OpenedPicture) -> str:
    return f"It has {picture.frames} frames or pages"


def draw_on_faces(
    picture: Image.Image, source: Path | None, *, design: WornDesign, finder: FaceFinder
) -> Drawn:
    """Draw a design on all faces of a picture.

    Args:
        picture: Upright, RGB.
        source: Its file, if there is one: `photo.occluder.png` and, where the settings say so,
            `photo.points.json` next to it count.
        design: What is worn.
        finder: What finds the faces.

    Raises:
        PhotoError: A file next to the picture cannot be used.
    """
    return _drawn(picture, source, faces_of(picture, source, finder=finder), design)


def faces_of(picture: Image.Image, source: Path | None, *, finder: FaceFinder) -> list[FoundFace]:
    """All faces of a picture; see `draw_on_faces`."""
    if source is not None and finder.settings.landmarks == "file":
        return [given_face(source, size=picture.size)]
    return finder.find_however_turned(picture)


def _drawn(picture: Image.Image, source: Path | None, faces: list[FoundFace], design: WornDesign) -> Drawn:
    occluder = None
    if source is not None and occluder_path(source).is_file():
        occluder = np.asarray(read_occluder(occluder_path(source), size=picture.size))
    return draw_masks(np.asarray(picture), faces, design, occluder=occluder)
