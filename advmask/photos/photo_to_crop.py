"""From one photo file to its crop, through the cache."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from advmask.core.errors import PhotoError
from advmask.core.files import sha256
from advmask.core.picture_reading import count_pixels, read_picture
from advmask.core.workers import Workers, cores, rank
from advmask.photos.backends import LandmarkBackend, Located
from advmask.photos.crop_cache import CachedCrop, CachedFailure, CropCache, Recipe
from advmask.photos.crops import FaceCrop, apply_transform, crop_transform, cut_crop
from advmask.photos.extent import check_extent
from advmask.photos.occluders import occluder_path, read_occluder

# Below this distance between the eyes there is no face left to recognise.
_MIN_EYES_PX = 10

# Reading a large photo, and looking at it, CPU seconds; and how much of them pays for starting a process.
_SECONDS_PER_BYTE = 0.2e-6
_WORTH_A_PROCESS_S = 15.0


# Photos that are looked at together, by kind of device, and their pixels: large ones take memory.
_AT_ONCE = {"cpu": 1, "cuda": 128}
_PIXELS_AT_ONCE = 2 * 10**7

_Looked = CachedCrop | CachedFailure | PhotoError | None
_Opened = tuple[Image.Image, Image.Image | None]  # a photo, and its occluder


class CropCutter:
    """Cuts crops by one recipe; landmarks are looked for when a photo is new to the cache, and not before.

    Args:
        cache: Where crops are looked up and kept.
        size: Side of the crops in pixels.
        landmarks: What finds the landmarks.
    """

    def __init__(self, cache: CropCache, *, size: int, landmarks: LandmarkBackend) -> None:
        self._cache = cache
        self._size = size
        self._landmarks = landmarks
        self._seen: dict[tuple[str, str], Path] = {}
        self._held: dict[Path, CachedCrop | CachedFailure] = {}

    def prepare(self, paths: Sequence[Path], *, processes: int | None = None) -> Iterator[None]:
        """Look at photos that are new to the cache, and keep what came of them there and not in memory.

        Preparing all photos before the first is cut spares memory: buffers that are needed for a moment, in
        turn with small things that stay, would leave holes of their size behind. Where there is much to do it
        is shared among processes, with the same crops. A photo that cannot be used, for a reason not to be
        remembered, is passed over.

        Args:
            paths: The photos.
            processes: That share the work; None takes one for each core, or fewer where there is little.

        Yields:
            Nothing, once for each photo.
        """
        new = [path for path in paths if not self._known(path)]
        yield from [None] * (len(paths) - len(new))
        own, ranks = rank()  # which begin in different places, so that each finds what others were first with
        first = len(new) * own // ranks
        new = new[first:] + new[:first]
        if processes is None:
            work = sum(self._landmarks.seconds + _SECONDS_PER_BYTE * _bytes_of(path) for path in new)
            processes = min(cores(), int(work / _WORTH_A_PROCESS_S) // ranks)
        if self._landmarks.device.type != "cpu":
            processes = 1  # which uses the device alone
        with ExitStack() as stack:
            parts = _parts(new, most=_AT_ONCE[self._landmarks.device.type])
            wanted = ([None if self._known(path) else path for path in part] for part in parts)
            looked: Iterator[list[_Looked]] = map(self._looked_at_all, wanted)
            if processes > 1:
                looked = stack.enter_context(Workers(self._looked_at_all, processes)).map(wanted)
            for path, known in zip(new, chain.from_iterable(looked), strict=True):
                if isinstance(known, CachedCrop | CachedFailure):
                    content, recipe = _content(path), self._recipe(path)
                    if not self._cache.put(content, recipe, known):
                        self._held[path] = known  # there is no cache, or it cannot be written
                yield
        if self._landmarks.device.type == "cuda":
            torch.cuda.empty_cache()  # it is of other sizes than what follows needs

    def cut(self, path: Path, *, person: str) -> tuple[FaceCrop, int]:
        """Cut the face of one photo.

        Args:
            path: The photo.
            person: Whose it is.

        Returns:
            The crop, and how many faces the photo shows.

        Raises:
            PhotoError: The photo is unreadable, shows no face or one too small or half outside, or was given
                before for the same person; or a file next to it, with points or an occluder, does not fit it.
        """
        content = _content(path)
        first = self._seen.setdefault((person, content), path)
        if first != path:
            raise PhotoError(f"This is the same photo as {first.name}; it counts once.")
        recipe = self._recipe(path)
        known = self._held.pop(path, None) or self._cache.get(content, recipe)
        if known is None:
            known = self._looked_at(path)
            self._cache.put(content, recipe, known)
            # Read back, so that pictures lie in files that the system maps and can drop, and not in memory.
            known = self._cache.get(content, recipe) or known
        if isinstance(known, CachedFailure):
            raise PhotoError(known.reason)
        crop = FaceCrop(
            picture=known.picture,
            landmarks=known.landmarks,
            person=person,
            source=path,
            transform=known.transform,
            face_px=known.face_px,
            sha256=content,
            photo_size=known.photo_size,
            dense=known.dense,
            occluder=known.occluder,
        )
        return crop, known.faces

    def _known(self, path: Path) -> bool:
        """Whether nothing need be looked for: it is in the cache, or cannot be read, which `cut` tells."""
        try:
            return self._cache.get(_content(path), self._recipe(path)) is not None
        except PhotoError:
            return True

    def _recipe(self, path: Path) -> Recipe:
        beside = {"points": self._landmarks.companion(path), "occluder": occluder_path(path)}
        return {
            **self._landmarks.recipe,
            "size": self._size,
            "min_eyes_px": _MIN_EYES_PX,
            # A file that is missing or unreadable gets its sentence when it is read.
            **{name: _content(file) for name, file in beside.items() if file is not None and file.is_file()},
        }

    def _looked_at_all(self, paths: Sequence[Path | None]) -> list[_Looked]:
        """What comes of each photo, or what is raised, so that the others can go on; None stays None."""
        opened: dict[Path, _Opened] = {}
        results: dict[Path | None, _Looked] = {None: None}
        for path in paths:
            if path is None:
                continue
            try:
                # An unreadable file raises and is not remembered: permissions change.
                image, beside = read_picture(path), occluder_path(path)
                occluder = read_occluder(beside, size=image.size) if beside.is_file() else None
                opened[path] = image, occluder
            except PhotoError as error:
                results[path] = error
        located = self._landmarks.locate_all([image for image, _ in opened.values()], list(opened))
        for (path, (image, occluder)), found in zip(opened.items(), located, strict=True):
            results[path] = self._cut_or_not(image, occluder, found) if isinstance(found, Located) else found
        return [results[path] for path in paths]

    def _looked_at(self, path: Path) -> CachedCrop | CachedFailure:
        (known,) = self._looked_at_all([path])
        if isinstance(known, PhotoError):
            raise known
        assert known is not None
        return known

    def _cut_or_not(
        self, image: Image.Image, occluder: Image.Image | None, located: Located
    ) -> CachedCrop | CachedFailure:
        eyes_px = float(np.hypot(*(located.five[1] - located.five[0])))
        if eyes_px < _MIN_EYES_PX:
            return CachedFailure(
                f"The eyes are {eyes_px:.1f} px apart, and {_MIN_EYES_PX} px are needed; use a larger photo."
            )
        try:
            return self._cut(image, occluder, located, eyes_px)
        except PhotoError as error:
            return CachedFailure(str(error))

    def _cut(
        self, image: Image.Image, occluder: Image.Image | None, located: Located, eyes_px: float
    ) -> CachedCrop:
        transform = crop_transform(located.five, size=self._size)
        check_extent(transform, located.five, size=self._size, photo_size=image.size)
        picture = cut_crop(image, transform, size=self._size)
        dense = None
        if located.dense is not None:
            scale = float(np.hypot(transform[0, 0], transform[1, 0]))
            flat = apply_transform(transform, located.dense[:, :2])
            dense = np.column_stack([flat, scale * located.dense[:, 2]])
        return CachedCrop(
            picture=torch.from_numpy(picture).permute(2, 0, 1).contiguous(),
            landmarks=torch.from_numpy(apply_transform(transform, located.five)).to(torch.float32),
            transform=torch.from_numpy(transform),
            face_px=eyes_px,
            faces=located.faces,
            photo_size=image.size,
            dense=None if dense is None else torch.from_numpy(dense).to(torch.float32),
            occluder=None if occluder is None else self._cut_occluder(occluder, transform),
        )

    def _cut_occluder(self, occluder: Image.Image, transform: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(cut_crop(occluder, transform, size=self._size)[..., 0].copy())


def _content(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        if path.suffix == ".json":
            raise PhotoError(f"Cannot read {path.name}: {error.strerror or error}.") from error
        read_picture(path)  # knows the sentence for every way in which a file cannot be opened
        raise PhotoError(f"Cannot read {path}: {error.strerror or error}; try again.") from error


def _parts(paths: Sequence[Path], *, most: int) -> Iterator[list[Path]]:
    """The photos in order, a few at a time, fewer where they are large."""
    part: list[Path] = []
    taken = 0
    for path in paths:
        size = 0 if most == 1 else count_pixels(path)
        if part and (len(part) == most or taken + size > _PIXELS_AT_ONCE):
            yield part
            part, taken = [], 0
        part.append(path)
        taken += size
    if part:
        yield part


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
