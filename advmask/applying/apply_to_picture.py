"""One picture file in, one picture file out."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from advmask.applying.face_finding import FaceFinder, given_face
from advmask.applying.mask_drawing import WornDesign, draw_masks
from advmask.applying.picture_files import changed_values, open_picture, write_picture
from advmask.core.files import written_aside
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


def apply_to_picture(source: Path, target: Path, *, design: WornDesign, finder: FaceFinder) -> Applied:
    """Let all faces of a picture wear a design.

    Pixels beside the masks and their shadows keep their values; in a JPEG, but for its own rounding. A
    picture in which no face wears the mask is copied as it is.

    Args:
        source: The picture; `photo.occluder.png` and, where the settings say so, `photo.points.json` beside
            it count.
        target: Where to; its ending decides the format.
        design: What is worn.
        finder: What finds the faces.

    Raises:
        PhotoError: The picture, or a file beside it, cannot be used.
        RunError: The target cannot be written.
    """
    picture = open_picture(source)
    beside = occluder_path(source)
    size = picture.srgb.size
    occluder = np.asarray(read_occluder(beside, size=size)) if beside.is_file() else None
    if finder.settings.landmarks == "file":
        faces = [given_face(source, size=size)]
    else:
        faces = finder.find(picture.srgb)
    drawn = draw_masks(np.asarray(picture.srgb), faces, design, occluder=occluder)
    notices = [f"A face stays bare: {reason}" for reason in drawn.bare]
    if not faces:
        notices.append(f"No face of {finder.settings.min_face_px} px or more was found; it stays as it is.")
    if drawn.masks == 0 and source.suffix.lower() == target.suffix.lower():
        with written_aside(target) as aside:
            shutil.copyfile(source, aside)
        return Applied(0, tuple(notices))
    write_picture(target, changed_values(picture, drawn.picture, drawn.changed), profile=picture.profile)
    if picture.notice:
        notices.append(f"It {picture.notice}")
    return Applied(drawn.masks, tuple(notices))
