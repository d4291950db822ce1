"""What an export left in a folder, as its list of files says: to look at page by page, and as one ZIP."""

import io
import re
import threading
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from advmask.core.data_files import read_json
from advmask.core.errors import MissingPackageError, RunError
from advmask.printing.manifest import MANIFEST

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,80}")
_PREVIEW_DPI = 80
_MOST_PAGES = 40
_drawing = threading.Lock()  # PyMuPDF is not made for several threads


def print_folders(run: Path) -> list[Path]:
    """Folders of print files of a run, the latest first."""
    found = [path.parent for path in (run / "exports").glob(f"*/{MANIFEST}")]
    return sorted(found, key=lambda folder: -(folder / MANIFEST).stat().st_mtime)


def print_folder(run: Path, name: str) -> Path:
    """One of them, by its name.

    Raises:
        RunError: There is none.
    """
    folder = run / "exports" / name
    if not _NAME.fullmatch(name) or not (folder / MANIFEST).is_file():
        raise RunError("There are no print files of this name.")
    return folder


def files_in(folder: Path) -> list[Path]:
    """The files that the export wrote and that are still there, by name."""
    try:
        names = read_json(folder / MANIFEST)["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    plain = [str(name) for name in names if Path(str(name)).name == str(name)]
    return [folder / name for name in sorted(plain) if (folder / name).is_file()]


def file_in(folder: Path, name: str) -> Path:
    """One of them, by its name.

    Raises:
        RunError: The export wrote no such file.
    """
    for path in files_in(folder):
        if path.name == name:
            return path
    raise RunError("There is no such print file.")


def as_zip(folder: Path) -> bytes:
    """All of them in one file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files_in(folder):
            archive.write(path, path.name)
    return stream.getvalue()


def pages_of(sheet: Path) -> int | None:
    """Number of pages of a PDF; None where they cannot be counted or drawn here.

    Raises:
        RunError: It is damaged.
    """
    return _pages(sheet, sheet.stat().st_mtime_ns)


def page_picture(sheet: Path, number: int) -> bytes:
    """A page of a PDF as a PNG.

    Args:
        sheet: The PDF.
        number: Of the page, from 1.

    Raises:
        RunError: It has no such page.
        MissingPackageError: Nothing here can draw it.
    """
    with _drawing, _opened(sheet) as document:
        if not 1 <= number <= len(document):
            raise RunError(f"{sheet.name} has no page {number}.")
        content: bytes = document[number - 1].get_pixmap(dpi=_PREVIEW_DPI).tobytes("png")
        return content


@lru_cache(maxsize=64)
def _pages(sheet: Path, written: int) -> int | None:
    try:
        with _drawing, _opened(sheet) as document:
            return min(len(document), _MOST_PAGES)
    except MissingPackageError:
        return None


def _opened(sheet: Path) -> Any:
    try:
        import pymupdf
    except ModuleNotFoundError as error:
        raise MissingPackageError("Pages are drawn by PyMuPDF: pip install pymupdf.") from error
    try:
        return pymupdf.open(sheet)
    except (RuntimeError, ValueError) as error:
        raise RunError(f"{sheet.name} is damaged; make the print files again.") from error
