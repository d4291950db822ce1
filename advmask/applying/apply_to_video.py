"""One video file in, one video file out."""

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from advmask.applying.apply_to_picture import Applied
from advmask.applying.face_finding import FaceFinder, FoundFace
from advmask.applying.mask_drawing import Drawn, WornDesign, draw_masks
from advmask.applying.settings import SteadySettings
from advmask.applying.steadying import steadied
from advmask.applying.tracking import Tracker
from advmask.applying.video_files import VideoReader, upright_rgb, written_video
from advmask.core.errors import ConfigError, PhotoError
from advmask.core.threads import ahead
from advmask.core.workers import cores

_Part = tuple[Any, Any]  # a frame or a packet of sound, in the order of the file
_PartAndFaces = tuple[Any, Any, list[FoundFace]]
_UNSEEN_DEG = 0.5


def apply_to_video(
    source: Path,
    target: Path,
    *,
    design: WornDesign,
    finder: FaceFinder,
    steady: SteadySettings,
    progress: bool = False,
) -> Applied:
    """Let all faces of a video wear a design.

    The video is read twice: first faces are followed through it, then masks are drawn at the places made
    steady. Size, rate and times of the frames stay, the sound is copied; frames without a face stay as they
    are, but for being re-encoded. What cannot be read is left out, and counted.

    Args:
        source: The video.
        target: Where to; its ending decides the container.
        design: What is worn.
        finder: What finds the faces.
        steady: How they are followed.
        progress: Show a bar for each reading.

    Raises:
        PhotoError: The video cannot be opened, or not one frame of it can be read.
        RunError: The target cannot be written.
        ConfigError: Landmarks are to come from a file, which there is for photos only.
        MissingPackageError: PyAV is not installed.
    """
    if finder.settings.landmarks == "file":
        raise ConfigError("faces.landmarks=file is for photos; choose mtcnn or mesh for a video.")
    reader = VideoReader(source)
    by_frame = _followed(reader, finder, steady, progress=progress)
    if reader.read == 0:
        raise PhotoError(f"No frame of {source} can be read; copy it again or leave it out.")
    masks, masked_frames, reasons = 0, 0, set[str]()
    with (
        reader.opened() as container,
        written_video(target, like=container) as writer,
        tqdm(total=reader.read, desc=f"{source.name}: masks", unit="frame", disable=not progress) as bar,
    ):
        number = 0
        parts = _with_faces(reader.frames_and_sound(container), by_frame)
        for frame, sound, drawn in ahead(partial(_drawn, design), parts, threads=cores()):
            if sound is not None:
                writer.copy_sound(sound)
            if frame is None:
                continue
            count = 0 if drawn is None else drawn.masks
            writer.write(frame, drawn.picture if drawn is not None and count else None)
            masks, masked_frames = max(masks, count), masked_frames + (count > 0)
            reasons.update(() if drawn is None else drawn.bare)
            number += 1
            bar.update()
            bar.set_postfix_str(f"{count} faces", refresh=False)
        sound_lost = writer.sound_lost
    notices = [f"{masked_frames} of {number} frames show a mask, the others stay as they are."]
    notices += [f"A face stays bare in some frames: {reason}" for reason in sorted(reasons)[:3]]
    if reader.unreadable:
        notices.append(f"{reader.unreadable} frames cannot be read and are left out.")
    if reader.shortfall:
        notices.append(f"It ends early: {reader.shortfall}.")
    if reader.slant_deg > _UNSEEN_DEG:
        notices.append(
            f"The file turns its pictures by {reader.slant_deg:.0f} degrees more; that is not done."
        )
    if sound_lost:
        notices.append(f"Its sound fits no {target.suffix} file and is left out; .mkv takes any.")
    return Applied(masks, tuple(notices))


def _with_faces(parts: Iterable[_Part], by_frame: Mapping[int, list[FoundFace]]) -> Iterator[_PartAndFaces]:
    """Frames and packets of sound as they come, and the faces of each frame."""
    number = 0
    for frame, sound in parts:
        yield frame, sound, [] if frame is None else by_frame.get(number, [])
        number += frame is not None


def _drawn(design: WornDesign, part: _PartAndFaces) -> tuple[Any, Any, Drawn | None]:
    frame, sound, faces = part
    return frame, sound, draw_masks(upright_rgb(frame), faces, design) if faces else None


def _followed(
    reader: VideoReader, finder: FaceFinder, steady: SteadySettings, *, progress: bool
) -> dict[int, list[FoundFace]]:
    """The faces of each frame that has some, by its number."""
    rate = float(reader.rate)
    tracker = Tracker(finder, every=steady.every, patience=math.ceil(steady.gap_s * rate))

    def searched(numbered: tuple[int, Any]) -> tuple[Image.Image, list[FoundFace] | None]:
        number, frame = numbered
        image = Image.fromarray(np.asarray(upright_rgb(frame)))
        return image, finder.find(image) if tracker.searched(number) else None

    # One thread searches whole pictures while this one follows known faces.
    frames = ahead(searched, enumerate(reader.frames()), threads=1)
    bar = tqdm(frames, total=reader.expected, desc="faces", unit="frame", disable=not progress)
    for image, found in bar:
        count = tracker.add(image, found)
        bar.set_postfix_str(f"{count} faces", refresh=False)
    by_frame: dict[int, list[FoundFace]] = {}
    for track in tracker.tracks():
        for number, face in steadied(track.seen, rate=rate, settings=steady).items():
            by_frame.setdefault(number, []).append(face)
    return by_frame
