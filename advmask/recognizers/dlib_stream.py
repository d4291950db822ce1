"""The primitives of dlib's serialisation, read with suspicion.

A reader that knows what must come says so at every step; nothing is allocated by a number found in the file.
"""

import math
from pathlib import Path
from typing import NoReturn

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import WeightsError
from advmask.recognizers.subnormal import without_subnormals

_LARGEST_WEIGHT = 1e4


class DlibStream:
    """The bytes of a file, the place reached, and the primitives of dlib's format.

    Args:
        path: Named in errors.
        data: The whole file.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data, self.place = path, data, 0

    def fail(self, expected: str, found: object, place: int) -> NoReturn:
        """Raise the error that at `place` something else was expected."""
        raise WeightsError(
            f"{self.path} is not the dlib face network: expected {expected} at byte {place}, "
            f"found {found}. Get the file again."
        )

    def take(self, count: int, expected: str) -> bytes:
        """The next bytes, if there are as many left."""
        left = len(self.data) - self.place
        if count > left:
            self.fail(f"{expected} ({count} bytes)", f"{left} bytes before the end of the file", self.place)
        self.place += count
        return self.data[self.place - count : self.place]

    def integer(self, name: str) -> int:
        """A control byte (low four bits: number of bytes, bit 7: sign) and little-endian bytes."""
        start = self.place
        control = self.take(1, name)[0]
        length = control & 0x0F
        if control & 0x70 or not 1 <= length <= 8:
            self.fail(name, f"the control byte {control:#04x}", start)
        value = int.from_bytes(self.take(length, name), "little")
        return -value if control & 0x80 else value

    def integers(self, expected: tuple[int, ...], name: str) -> None:
        """Integers that are known beforehand."""
        for value in expected:
            start = self.place
            found = self.integer(f"{name} {value}")
            if found != value:
                self.fail(f"{name} {value}", found, start)

    def text(self, expected: str) -> None:
        """A string that is known beforehand."""
        start = self.place
        length = self.integer(f"the layer {expected}")
        if length != len(expected):
            self.fail(f"the layer {expected}", f"a name of {length} bytes", start)
        found = self.take(length, f"the layer {expected}")
        if found != expected.encode("ascii"):
            self.fail(f"the layer {expected}", found, start)

    def real(self, name: str) -> float:
        """A mantissa and a binary exponent, both integers; infinities are refused."""
        start = self.place
        mantissa, exponent = self.integer(name), self.integer(name)
        try:
            # dlib writes infinities and not-a-number as exponents of 32000 and more.
            value = math.ldexp(mantissa, exponent) if abs(exponent) < 2048 else math.inf
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            self.fail(f"a finite {name}", f"{mantissa} times 2 to the power of {exponent}", start)
        return value

    def reals(self, count: int, name: str) -> None:
        """Real numbers that do not matter here, such as learning rates."""
        for _ in range(count):
            self.real(name)

    def tensor(self, sizes: tuple[int, int, int, int], name: str) -> Float[Tensor, " values"]:
        """Version 2, four known sizes and plausible float32 values; subnormal ones set to zero."""
        self.integers((2, *sizes), f"version or size of {name}:")
        start = self.place
        count = math.prod(sizes)
        data = self.take(4 * count, name)
        # A float32 file is little-endian; so is every machine torch runs on.
        values = torch.frombuffer(bytearray(data), dtype=torch.float32) if count else torch.empty(0)
        # The network's largest weight is 23; a flipped high bit of an exponent lies far above this bound.
        if not bool((values.abs() < _LARGEST_WEIGHT).all()):
            self.fail(f"{name} below {_LARGEST_WEIGHT:g}", "a larger one or not-a-number", start)
        return without_subnormals(values)

    def alias(self, sizes: tuple[int, int, int, int], name: str) -> None:
        """Version 1 and the four known sizes of a view into a tensor."""
        self.integers((1, *sizes), f"version or size of {name}:")
