"""Videos that were dropped on a design: `advmask apply` lets their faces wear it, in a process of its own."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advmask.applying.video_files import VIDEO_SUFFIXES, VideoReader
from advmask.core.data_files import read_json
from advmask.core.errors import PhotoError, RunError
from advmask.core.files import write_text
from advmask.studio.pictures import Readable, received
from advmask.studio.work import Works, said

MOST_VIDEO_BYTES = 1 << 30
WORN = "worn.mp4"
_ABOUT = "video.json"
_NAME = re.compile(r"[0-9a-f]{24}(-[0-9]{1,7})?")
_SHARE = re.compile(r"(faces|masks): +(\d+)%")


def keep_video(run: Path, stream: Readable, length: int, *, called: str, state: int | None) -> Path:
    """Keep a video that is sent, in a folder of its own that is given back.

    Args:
        run: Folder of the design that is to be worn.
        stream: The file.
        length: Its bytes, at most `MOST_VIDEO_BYTES`.
        called: What the user's file is called.
        state: Step whose design is worn; None for the latest.

    Raises:
        PhotoError: It is no video, or broke off.
        MissingPackageError: Videos cannot be read here.
    """
    ending = Path(called).suffix.lower()
    if ending not in VIDEO_SUFFIXES:
        known = ", ".join(sorted(VIDEO_SUFFIXES))
        raise PhotoError(f"{called} is no video by its name; take one of {known}.")
    (run / "videos").mkdir(exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=run / "videos", prefix="coming-"))
    try:
        given = aside / f"given{ending}"
        digest = received(stream, length, given, called=called, refusal=PhotoError)
        try:
            VideoReader(given)
        except PhotoError as error:
            raise PhotoError(str(error).replace(str(given), called)) from error
        write_text(aside / _ABOUT, json.dumps({"called": called, "state": state}) + "\n")
        folder = run / "videos" / (digest[:24] + ("" if state is None else f"-{state}"))
        if folder.exists():
            raise RunError(f"{called} is being worn already, or was; delete that first.")
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return folder


def video_words(design: Path, folder: Path, mask_words: list[str]) -> list[str]:
    """The words after `advmask apply`.

    Args:
        design: A run folder, or a picture of an earlier state of it.
        folder: Of the video.
        mask_words: For a picture: the mask it is worn on.
    """
    (given,) = folder.glob("given.*")
    return [str(design), *mask_words, f"input={given}", f"output={folder / WORN}", "overwrite=true"]


def video_folder(run: Path, name: str) -> Path:
    """The folder of a video, by its name.

    Raises:
        RunError: There is none.
    """
    folder = run / "videos" / name
    if not _NAME.fullmatch(name) or not (folder / _ABOUT).is_file():
        raise RunError("There is no such video here.")
    return folder


def video_folders(run: Path) -> Iterator[Path]:
    """Of all videos of a run, the latest first."""
    found = [path.parent for path in (run / "videos").glob(f"*/{_ABOUT}")]
    yield from sorted(found, key=lambda folder: -(folder / _ABOUT).stat().st_mtime)


def video_states(run: Path, works: Works) -> list[dict[str, Any]]:
    """What the page shows of the videos of a run."""
    return [_state(folder, works) for folder in video_folders(run) if _NAME.fullmatch(folder.name)]


def _state(folder: Path, works: Works) -> dict[str, Any]:
    try:
        about = read_json(folder / _ABOUT)
    except (OSError, ValueError):
        about = {}
    working = works.at_work(folder) is not None
    done = not working and (folder / WORN).is_file()
    lines = said(folder, "try")
    shares = [match for match in map(_SHARE.search, lines) if match]
    share = 0 if not shares else int(shares[-1][2]) // 2 + 50 * (shares[-1][1] == "masks")
    return {
        "name": folder.name,
        "called": str(about.get("called", "")),
        "state": about.get("state"),
        "working": working,
        "share": share,
        "done": done,
        "trouble": None if working or done else " ".join(lines[-1:]) or "It was stopped.",
        "masked": _masked(lines),
    }


def _masked(lines: list[str]) -> list[int] | None:
    """Frames that show a mask, and all."""
    for line in reversed(lines):
        if match := re.search(r"(\d+) of (\d+) frames show a mask", line):
            return [int(match[1]), int(match[2])]
    return None
