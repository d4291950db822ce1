"""Named tensors by key in a few large files, shared by processes and mapped, not read.

`shard_files` says how a shard is written, and what a kill leaves of it.
"""

import contextlib
import os
import sys
import time
import uuid
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import safetensors.torch
from numpy.typing import NDArray
from torch import Tensor

from advmask.core.files import delete
from advmask.core.shard_files import (
    Place,
    Record,
    ShardWriter,
    bytes_of,
    entries,
    index_of,
    map_shard,
    open_locked,
    unpacked,
    used_at,
)

FULL_BYTES = 512 * 2**20


class Shards:
    """A folder with the shards of one kind.

    Several processes may share it. What is damaged counts as absent; what is put again under a key replaces
    what was there. The folder is made for its owner only.

    Args:
        folder: Where the files are.
        kind: First word of their names.
        former: Patterns of files that earlier versions kept there, which nothing reads any more.
        full_bytes: From which size on a shard is not added to.
    """

    def __init__(
        self, folder: Path, kind: str, *, former: tuple[str, ...] = (), full_bytes: int = FULL_BYTES
    ) -> None:
        self._folder, self._kind, self._former, self._full = folder, kind, former, full_bytes
        self._places: dict[bytes, list[Place]] = {}  # the best last
        self._read: dict[Path, int] = {}  # bytes of each index
        self._maps: dict[Path, NDArray[np.uint8]] = {}
        self._writer: ShardWriter | None = None

    def __reduce__(self) -> "tuple[partial[Shards], tuple[()]]":
        """Sent to another process, it opens files of its own."""
        return partial(Shards, self._folder, self._kind, former=self._former, full_bytes=self._full), ()

    def __contains__(self, key: str) -> bool:
        """Whether there is a record; what lies in its shard is then kept from deletion."""
        return any(self._mapped(place) is not None for place in self._of(key))

    def get(self, key: str) -> Record | None:
        """Map a record; its checksum is compared the first time.

        Args:
            key: Hexadecimal SHA-256.

        Returns:
            The record, or None if there is none or it is damaged. Its tensors lie in the file: the system
            reads them in and drops them again as it sees fit, so that they do not count against memory. They
            outlive the file's deletion, and writing to them leaves the file alone.
        """
        places = self._of(key)
        for place in places[::-1]:
            content = self._mapped(place)
            if content is None:
                continue
            places.remove(place)  # unless it is whole; a damaged one may have been written anew elsewhere
            if place.checksum is not None and zlib.crc32(content.data) != place.checksum:
                continue
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                record = unpacked(content)
                places.append(Place(place.shard, place.start, place.length, None))
                return record
        return None

    def put(self, key: str, tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
        """Keep a record.

        Raises:
            OSError: The folder cannot be written to, or the disk is full.
        """
        content = safetensors.torch.save(
            {name: one.contiguous().cpu() for name, one in tensors.items()}, dict(about)
        )
        if self._writer is None or not self._writer.mine:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._delete_former(unused_s=86400.0)
            self._writer = next(self._writers())
        name = bytes.fromhex(key)
        self._places[name] = [self._writer.append(name, content)]
        if self._writer.size >= self._full:
            self._mapped(self._places[name][0])  # in use still
            self._writer = None

    def size(self) -> tuple[int, int]:
        """Count the records, and the bytes of all files."""
        self._look()
        return sum(map(bool, self._places.values())), sum(bytes_of(path) for path in self._files())

    def clear(self) -> int:
        """Delete the files, in use or not, and nothing else in the folder; gives the number of records.

        Raises:
            RunError: A file cannot be deleted.
        """
        count, _ = self.size()
        delete(self._files())
        self._places, self._read, self._maps, self._writer = {}, {}, {}, None
        return count

    def shrink(self, excess: int, *, unused_s: float = 0.0) -> int:
        """Delete shards, those first that were not used for longest, until `excess` bytes are freed.

        Left alone are those that any process has in use, or used within `unused_s` seconds.

        Returns:
            The bytes freed.
        """
        freed = self._delete_former(unused_s=unused_s) if excess > 0 else 0
        for data in sorted(self._shards(), key=used_at):
            if freed >= excess or time.time() - used_at(data) < unused_s:
                break
            freed += self._deleted(data)
        return freed

    def _of(self, key: str) -> list[Place]:
        """Where records of a key are, one that was read before, or written last, at the end."""
        name = bytes.fromhex(key)
        if not self._places.get(name):
            self._look()
        return self._places.get(name, [])

    def _look(self) -> None:
        """Read what was added to the indexes since the last time."""
        news = [data for data in self._shards() if bytes_of(index_of(data)) > self._read.get(data, 0)]
        for data in sorted(news, key=used_at):
            with contextlib.suppress(OSError):  # deleted meanwhile
                found, self._read[data] = entries(data, self._read.get(data, 0))
                for name, place in found.items():
                    self._places.setdefault(name, []).append(place)

    def _mapped(self, place: Place) -> NDArray[np.uint8] | None:
        """The bytes of a record; None where its shard is gone, cut off, or being deleted."""
        end = place.start + place.length
        content = self._maps.get(place.shard)
        if content is None or len(content) < end:
            try:
                content = map_shard(place.shard)
            except (OSError, ValueError):
                return None
            self._maps[place.shard] = content
        return content[place.start : end] if len(content) >= end else None

    def _writers(self) -> Iterator["ShardWriter"]:
        """A shard to go on with, if there is one, else a new one."""
        for data in self._shards():
            if bytes_of(data) < self._full:
                with contextlib.suppress(OSError):
                    yield ShardWriter(data, new=False)
        yield ShardWriter(self._folder / f"{self._kind}-{uuid.uuid4().hex[:16]}.data", new=True)

    def _deleted(self, data: Path) -> int:
        """Delete a shard that nobody uses; gives the bytes freed."""
        if data in self._maps or (self._writer is not None and self._writer.data == data):
            return 0
        both, freed = (index_of(data), data), 0
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for path in both:
                held.callback(os.close, open_locked(path, os.O_RDWR))
            if sys.platform == "win32":  # deletes no open file, and locks none
                held.close()
            for path in both:
                size = bytes_of(path)
                path.unlink()
                freed += size
        if freed:
            for places in self._places.values():
                places[:] = [place for place in places if place.shard != data]
        return freed

    def _delete_former(self, *, unused_s: float) -> int:
        freed = 0
        for path in [path for pattern in self._former for path in self._folder.glob(pattern)]:
            size = bytes_of(path)
            if time.time() - used_at(path) >= unused_s:
                with contextlib.suppress(OSError):
                    path.unlink()
                    freed += size
        return freed

    def _shards(self) -> list[Path]:
        return list(self._folder.glob(f"{self._kind}-*.data"))

    def _files(self) -> list[Path]:
        patterns = (f"{self._kind}-*.data", f"{self._kind}-*.index", *self._former)
        return [path for pattern in patterns for path in self._folder.glob(pattern)]
