"""Drawings and photos that were dropped on the page: checked, and kept without what else their files hold."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from PIL import Image

from advmask.core.config_folders import designs_dir
from advmask.core.errors import AdvmaskError, DesignError, PhotoError
from advmask.core.files import write_with
from advmask.core.picture_reading import read_picture
from advmask.photos.loading import portrait_path
from advmask.textures.gallery import gallery_design, gallery_names
from advmask.textures.picture_texels import open_as_srgb
from advmask.wearing.artwork import FACES, shipped_names

Kind = Literal["drawing", "photo"]
PORTRAIT = "portrait"
"""The photo that ships."""
MOST_BYTES = 64 << 20
MOST_PIXELS = 120_000_000
_LONGEST = {"drawing": 6000, "photo": 3000}  # px that are kept of the longer side
_THUMBNAIL = 320
_NAME = re.compile(r"[0-9a-f]{24}")
_ENDING = {"drawing": ".png", "photo": ".jpg"}
_PIECE = 1 << 20
_OF_GALLERY = "gallery-"


def of_gallery(name: str) -> str:
    """What a measured design that ships is called among the drawings."""
    return _OF_GALLERY + name


class Readable(Protocol):
    """What a file comes out of."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most so many."""


class Pictures:
    """The pictures of a studio, each under a name made from its content.

    Args:
        folder: Where they lie; made when the first comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, kind: Kind, stream: Readable, length: int, *, called: str) -> str:
        """Read a picture that is sent, and keep its pixels: not where, when or by what it was made.

        Args:
            kind: What it is for.
            stream: The file.
            length: Its bytes, at most `MOST_BYTES`.
            called: What the user's file is called, for messages.

        Returns:
            Its name here.

        Raises:
            DesignError: A drawing cannot be read, or is too large.
            PhotoError: A photo cannot.
        """
        refusal = DesignError if kind == "drawing" else PhotoError
        with tempfile.TemporaryDirectory(prefix="advmask-studio-") as aside:
            packed = ".svgz" if called.lower().endswith(".svgz") else ""
            path = Path(aside) / f"picture{packed}"
            name = received(stream, length, path, called=called, refusal=refusal)[:24]
            try:
                if kind == "drawing":
                    picture = open_as_srgb(path, max_pixels=MOST_PIXELS)
                else:
                    picture = read_picture(path, max_pixels=MOST_PIXELS)
            except refusal as error:
                raise refusal(str(error).replace(str(path), called)) from error
        picture.info = {}
        picture.thumbnail((_LONGEST[kind],) * 2, Image.Resampling.LANCZOS)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_with(self._path(kind, name), _writer(picture))
        self._keep_small(kind, name, picture)
        return name

    def keep_design(self, path: Path) -> str:
        """Keep a design's picture as a drawing, as it is: it says which pattern it lies on.

        Args:
            path: As `write_design` wrote it.

        Returns:
            Its name here.

        Raises:
            DesignError: It cannot be read.
        """
        picture = open_as_srgb(path)
        picture.info = {}
        name = hashlib.sha256(path.read_bytes()).hexdigest()[:24]
        self.folder.mkdir(parents=True, exist_ok=True)
        write_with(self._path("drawing", name), lambda aside: shutil.copyfile(path, aside))
        self._keep_small("drawing", name, picture)
        return name

    def _keep_small(self, kind: Kind, name: str, picture: Image.Image) -> None:
        picture.thumbnail((_THUMBNAIL,) * 2, Image.Resampling.LANCZOS)
        write_with(self._thumbnail(kind, name), _writer(picture))

    def names(self, kind: Kind) -> list[str]:
        """All that can be chosen: the latest first, then what ships."""
        shipped = [PORTRAIT] if kind == "photo" else [each for each in shipped_names() if each not in FACES]
        own = self.folder.glob(f"{kind}-*{_ENDING[kind]}")
        newest = sorted(own, key=lambda path: path.stat().st_mtime, reverse=True)
        kept = [path.stem.removeprefix(f"{kind}-") for path in newest]
        return [*(name for name in kept if _NAME.fullmatch(name)), *shipped]

    def path(self, kind: Kind, name: str) -> Path:
        """The file of a picture.

        Raises:
            DesignError: There is no drawing of this name.
            PhotoError: There is no photo.
        """
        if kind == "photo" and name == PORTRAIT:
            return portrait_path()
        if kind == "drawing" and name in shipped_names():
            return designs_dir() / f"{name}.png"
        if kind == "drawing" and name in map(of_gallery, gallery_names()):
            return gallery_design(name.removeprefix(_OF_GALLERY)).picture
        if _NAME.fullmatch(name) and self._path(kind, name).is_file():
            return self._path(kind, name)
        refusal = DesignError if kind == "drawing" else PhotoError
        raise refusal(f"This {kind} is not here any more; drop it again.")

    def thumbnail(self, kind: Kind, name: str) -> Path:
        """A small picture of it, where there is one; else itself."""
        path = self.path(kind, name)
        small = self._thumbnail(kind, name)
        return small if path.parent == self.folder and small.is_file() else path

    def forget(self, kind: Kind, name: str) -> None:
        """Delete a picture of the user's own.

        Raises:
            DesignError: There is no drawing of this name, or it ships.
            PhotoError: There is no photo.
        """
        if self.path(kind, name).parent != self.folder:
            refusal = DesignError if kind == "drawing" else PhotoError
            raise refusal(f"This {kind} comes with advmask; it is not yours to delete.")
        for path in (self._path(kind, name), self._thumbnail(kind, name)):
            path.unlink(missing_ok=True)

    def copy(self, kind: Kind, name: str, target: Path) -> Path:
        """Copy a picture, under the ending it has; gives the copy."""
        source = self.path(kind, name)
        target = target.with_suffix(source.suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_with(target, lambda aside: shutil.copyfile(source, aside))
        return target

    def _path(self, kind: Kind, name: str) -> Path:
        return self.folder / f"{kind}-{name}{_ENDING[kind]}"

    def _thumbnail(self, kind: Kind, name: str) -> Path:
        return self.folder / f"small-{kind}-{name}{_ENDING[kind]}"


def received(stream: Readable, length: int, path: Path, *, called: str, refusal: type[AdvmaskError]) -> str:
    """Write a file that is sent, piece by piece; gives the hexadecimal SHA-256 of its content.

    Args:
        stream: What it comes out of.
        length: Its bytes.
        path: Where to.
        called: What the user's file is called, for messages.
        refusal: What is raised where it breaks off.
    """
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while length > 0 and (piece := stream.read(min(length, _PIECE))):
            digest.update(piece)
            file.write(piece)
            length -= len(piece)
    if length > 0:
        raise refusal(f"{called} broke off on its way; drop it again.")
    return digest.hexdigest()


def _writer(picture: Image.Image) -> Callable[[Path], None]:
    """Saves a picture in the format of the file's ending, large enough to be worked on."""
    return lambda path: picture.save(path, quality=95) if path.suffix == ".jpg" else picture.save(path)
