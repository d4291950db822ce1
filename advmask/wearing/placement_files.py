"""Packed placements of one photo as one file that is mapped, not read, when one of them is wanted.

The file is a safetensors file. Each field of all placements stands in it end to end, so that its header is
small however many there are and opening it takes a tenth of a millisecond; `_counts` tells where one ends and
the next begins. `_checksum` holds the CRC-32 of each placement, because a disk can flip a bit.
"""

import json
import math
import zlib
from collections.abc import Sequence
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from advmask.render.packing import PackedPlacement
from advmask.render.pyramid import MipPyramid
from advmask.render.texel_taps import Taps

# To be raised whenever the same placement would be written in another way, or the same photo, mask and
# settings would give another one for a reason outside this package's code, such as a library that computes
# otherwise. (`placement_cache` notices changes of our code by itself.) Other numbers count as absent.
FORMAT_VERSION = 1

_PER_PIXEL = ("pixel", "gain", "under")
_PER_TAP = ("texel", "weight")
_DTYPES = {
    "F16": torch.float16,
    "F32": torch.float32,
    "F64": torch.float64,
    "I32": torch.int32,
    "I64": torch.int64,
}


def placements_to_bytes(placements: Sequence[PackedPlacement]) -> bytes:
    """Write placements, all packed for textures of one size, as the content of a file.

    Raises:
        ValueError: There are none, or they are for textures of different sizes.
    """
    if not placements or len({item.pyramid for item in placements}) != 1:
        raise ValueError("at least one placement is needed, and all of them for textures of one size")
    fields = [_fields(item) for item in placements]
    tensors = {name: torch.cat([one[name] for one in fields]) for name in fields[0]}
    tensors["tint"] = torch.stack([item.tint for item in placements])
    tensors["saturation"] = torch.tensor([item.saturation for item in placements], dtype=torch.float64)
    tensors["_counts"] = torch.tensor([[len(item.pixel), len(item.taps.texel)] for item in placements])
    tensors["_checksum"] = torch.tensor([_checksum(item) for item in placements])
    pyramid = placements[0].pyramid
    about = {name: str(getattr(pyramid, name)) for name in ("height", "width", "levels")}
    return bytes(safetensors.torch.save(tensors, {**about, "version": str(FORMAT_VERSION)}))


def count_placements(path: Path) -> int:
    """Count the placements in a file; looks at its header only.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not such a file, or was cut off.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            _pyramid(file.metadata() or {})
            return int(file.get_slice("_checksum").get_shape()[0])
    except (safetensors.SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} does not hold placements: {error}") from error


def read_placement(path: Path, number: int, *, check: bool = True) -> PackedPlacement:
    """Map one placement of a file.

    Its tensors lie in the file: the system reads them in and drops them again as it sees fit, so that they do
    not count against memory. They outlive the file's deletion; writing to them leaves the file alone.

    Args:
        path: Content from `placements_to_bytes`.
        number: Which placement, from 0.
        check: Compare with the checksum; takes about half a millisecond per megabyte.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not such a file, is damaged, or holds fewer placements.
    """
    try:
        file = _MappedFile(path)
        placement = _cut_out(file, number)
        expected = int(file.rows("_checksum", number, 1)) if check else None
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError) as error:
        raise ValueError(f"{path} does not hold placement {number}: {error}") from error
    if expected is not None and _checksum(placement) != expected:
        raise ValueError(f"{path}: placement {number} is not what was written")
    return placement


class _MappedFile:
    """A safetensors file of which single rows are wanted.

    The library maps whole tensors and takes several times as long for the few rows of a placement, which
    would be felt in every step of a training run.

    Source:
        https://huggingface.co/docs/safetensors (the format: length of the header, header in JSON, data).
    """

    def __init__(self, path: Path) -> None:
        size = path.stat().st_size
        storage = torch.UntypedStorage.from_file(str(path), shared=False, nbytes=size)
        assert isinstance(storage, torch.UntypedStorage)
        self._storage = storage
        content = torch.empty(0, dtype=torch.uint8).set_(self._storage, 0, (size,), (1,)).numpy()
        self._data = 8 + int.from_bytes(content[:8].tobytes(), "little")
        self._header = json.loads(content[8 : self._data].tobytes())
        self.about: dict[str, str] = self._header["__metadata__"]

    def rows(self, name: str, first: int, count: int) -> Tensor:
        """Map some rows of a tensor."""
        about = self._header[name]
        dtype, (length, *rest) = _DTYPES[about["dtype"]], about["shape"]
        begin, odd = divmod(self._data + about["data_offsets"][0], dtype.itemsize)
        if odd or not 0 <= first <= first + count <= length:
            raise IndexError(f"rows {first} to {first + count} of {name}, which has {length}")
        strides = [math.prod(rest[axis:]) for axis in range(len(rest) + 1)]
        mapped = torch.empty(0, dtype=dtype)
        # Rows beyond the end of the file are refused by torch.
        return mapped.set_(self._storage, begin + first * strides[0], (count, *rest), strides)

    def all_rows(self, name: str) -> Tensor:
        """Map a tensor."""
        return self.rows(name, 0, self._header[name]["shape"][0])


def _fields(item: PackedPlacement) -> dict[str, Tensor]:
    return {**vars(item.taps), **{name: getattr(item, name) for name in _PER_PIXEL}}


def _cut_out(file: _MappedFile, number: int) -> PackedPlacement:
    counts: list[list[int]] = file.all_rows("_counts").tolist()
    pixels, taps = counts[number]
    first_pixel, first_tap = (sum(column) for column in zip([0, 0], *counts[:number], strict=True))
    return PackedPlacement(
        taps=Taps(
            # One number more than there are pixels, in each of the placements before this one too.
            start=file.rows("start", first_pixel + number, pixels + 1),
            **{name: file.rows(name, first_tap, taps) for name in _PER_TAP},
        ),
        **{name: file.rows(name, first_pixel, pixels) for name in _PER_PIXEL},
        tint=file.rows("tint", number, 1)[0],
        saturation=float(file.rows("saturation", number, 1)),
        pyramid=_pyramid(file.about),
    )


def _pyramid(about: dict[str, str]) -> MipPyramid:
    if about.get("version") != str(FORMAT_VERSION):
        raise ValueError(f"placements of format {FORMAT_VERSION} are needed, not {about.get('version')}")
    return MipPyramid(int(about["height"]), int(about["width"]), int(about["levels"]))


def _checksum(item: PackedPlacement) -> int:
    """CRC-32 over everything in a placement: sizes, kinds of numbers, and numbers."""
    tensors = {**_fields(item), "tint": item.tint}
    about = [(name, tensor.dtype, tuple(tensor.shape)) for name, tensor in sorted(tensors.items())]
    total = zlib.crc32(repr((about, float(item.saturation), item.pyramid)).encode())
    for _, tensor in sorted(tensors.items()):
        # No copy: reading through the mapping leaves the bytes where the system can drop them.
        total = zlib.crc32(tensor.contiguous().view(-1).view(torch.uint8).numpy().data, total)
    return total
