"""The files of a shard, which is many records end to end.

A shard is two files, to which one process at a time appends. `NAME.data` holds records, each the content of a
safetensors file. `NAME.index` says of each where it lies and what its checksum is, and is written second, so
that a kill loses what is being written and nothing else. A process that begins to write goes on with a shard
that nobody is writing.
"""

import contextlib
import json
import mmap
import os
import struct
import time
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advmask.core.locks import locked

Record = tuple[dict[str, Tensor], dict[str, str]]
"""Tensors by name, and words by name."""

_ALIGNED = 64  # bytes: where each record begins
_ENTRY = struct.Struct("<32sQQI")  # key, where the record begins, its length, its CRC-32
_CHECKED = struct.Struct("<I")  # CRC-32 of the entry
_STEP = _ENTRY.size + _CHECKED.size
_KINDS = {"U8": "u1", "F16": "f2", "F32": "f4", "F64": "f8", "I32": "i4", "I64": "i8"}


@dataclass(frozen=True)
class Place:
    """Where a record lies.

    Attributes:
        shard: File of the records.
        start: First byte.
        length: Bytes.
        checksum: CRC-32; None once it was compared.
    """

    shard: Path
    start: int
    length: int
    checksum: int | None


class TakenError(OSError):
    """Another process has a file."""


class ShardWriter:
    """Appends to a shard that is this process's alone for as long."""

    def __init__(self, data: Path, *, new: bool) -> None:
        self.data, self._process = data, os.getpid()
        how = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0) | (os.O_CREAT | os.O_EXCL if new else 0)
        self._index = open_locked(index_of(data), how, certainly=not new)
        weakref.finalize(self, os.close, self._index)
        self._data = os.open(data, how, 0o600)
        weakref.finalize(self, os.close, self._data)

    @property
    def mine(self) -> bool:
        """Whether the files are still there, and this process is not a copy of the one that opened them."""
        return self._process == os.getpid() and all(
            os.fstat(one).st_nlink > 0 for one in (self._index, self._data)
        )

    @property
    def size(self) -> int:
        """Bytes of records."""
        return os.fstat(self._data).st_size

    def append(self, key: bytes, content: bytes) -> Place:
        """Write a record, then its entry."""
        size = self.size
        start = -(-size // _ALIGNED) * _ALIGNED
        _write(self._data, bytes(start - size) + content)
        written = os.fstat(self._index).st_size
        if written % _STEP:  # cut off what a kill left of an entry
            os.ftruncate(self._index, written - written % _STEP)
        entry = _ENTRY.pack(key, start, len(content), zlib.crc32(content))
        _write(self._index, entry + _CHECKED.pack(zlib.crc32(entry)))
        return Place(self.data, start, len(content), zlib.crc32(content))


def entries(data: Path, after: int) -> tuple[dict[bytes, Place], int]:
    """Read what the index of a shard has beyond so many bytes, and tell up to where it was read.

    Raises:
        OSError: It cannot be read.
    """
    with index_of(data).open("rb") as stream:
        stream.seek(after)
        content = stream.read()
    there, whole = data.stat().st_size, len(content) // _STEP * _STEP
    found = {}
    for at in range(0, whole, _STEP):
        entry = content[at : at + _ENTRY.size]
        (checked,) = _CHECKED.unpack_from(content, at + _ENTRY.size)
        key, start, length, checksum = _ENTRY.unpack(entry)
        if zlib.crc32(entry) == checked and start + length <= there:
            found[key] = Place(data, start, length, checksum)
    return found, after + whole


def map_shard(data: Path) -> NDArray[np.uint8]:
    """Map a shard as long as it is now, marked as used; it is not deleted while the map is held."""
    handle = open_locked(data, os.O_RDONLY, shared=True)
    try:
        with contextlib.suppress(OSError):  # a folder that can only be read serves as well
            os.utime(data)
        return np.frombuffer(mmap.mmap(handle, 0, access=mmap.ACCESS_COPY), np.uint8)
    finally:
        os.close(handle)


def open_locked(path: Path, how: int, *, shared: bool = False, certainly: bool = False) -> int:
    """Open and lock a file.

    Raises:
        OSError: It cannot be opened.
        TakenError: Another process has it, or deleted it meanwhile; or, if it must be `certainly` locked,
            nothing can be locked there.
    """
    handle = os.open(path, how, 0o600)
    got = locked(handle, shared=shared)
    if got is False or (certainly and got is None) or os.fstat(handle).st_nlink == 0:
        os.close(handle)
        raise TakenError
    return handle


def _write(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


def unpacked(content: NDArray[np.uint8]) -> Record:
    """Tensors of a safetensors file that share its memory.

    The library's own function copies, and takes several times as long for what a training step asks for.

    Source:
        https://huggingface.co/docs/safetensors (the format: length of the header, header in JSON, data).
    """
    data = 8 + int.from_bytes(content[:8].tobytes(), "little")
    header = json.loads(content[8:data].tobytes())
    about = header.pop("__metadata__", {})
    tensors = {}
    for name, one in header.items():
        first, last = one["data_offsets"]
        values = content[data + first : data + last].view(_KINDS[one["dtype"]])
        tensors[name] = torch.from_numpy(values.reshape(one["shape"]))
    return tensors, about


def index_of(data: Path) -> Path:
    """The file that tells what lies where in a shard."""
    return data.with_suffix(".index")


def bytes_of(path: Path) -> int:
    """Size of a file; 0 where it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def used_at(path: Path) -> float:
    """When a file was used last, seconds since 1970; now where it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()
