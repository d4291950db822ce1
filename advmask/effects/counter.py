"""Random numbers as a function of a key and a place: on every device alike, whole or in parts."""

import math

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from advmask.core.constants import constant

_WORD = 2**64
# Odd, with bits in no order.
_ROW, _COLUMN, _TABLE = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x632BE59BD9B4E019
_STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))


def signed(word: int) -> int:
    """64 bits as torch counts them."""
    word %= _WORD
    return word - _WORD if word >= _WORD // 2 else word


def mixed(words: Int64[Tensor, "*shape"]) -> Int64[Tensor, "*shape"]:
    """Scramble 64 bits, in place: words that differ at all come out as if they had been drawn at random.

    Source:
        Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014; the constants are
        Stafford's variant 13 of the finaliser of MurmurHash3.
    """
    for shift, factor in _STEPS:
        words.bitwise_xor_((words >> shift).bitwise_and_(2 ** (64 - shift) - 1)).mul_(signed(factor))
    return words


def random_bits(
    key: int, table: int = 0, *, rows: int, columns: int, first: int = 0
) -> Int64[Tensor, "rows columns"]:
    """64 random bits for each row and column of tables that have no end.

    Args:
        key: Of the tables.
        table: Which of them.
        rows: How many.
        columns: How many.
        first: Number of the first row.
    """
    # By numpy, which takes a fifth of the time for so few.
    words = np.arange(first, first + rows, dtype=np.uint64)[:, None] * np.uint64(_ROW)
    words = words + (np.arange(columns, dtype=np.uint64) * np.uint64(_COLUMN))
    words += np.uint64((key + table * _TABLE) % _WORD)
    for shift, factor in _STEPS:
        words ^= words >> np.uint64(shift)
        words *= np.uint64(factor)
    return torch.from_numpy(words.view(np.int64))


def normals(keys: Int64[Tensor, " n"], count: int) -> Float32[Tensor, "n count"]:
    """So many standard normal numbers for each key, on the device of the keys.

    They are of 65,536 values that share the distribution out evenly, up to 4.3 in size: four of them cost one
    word of bits, and the same words give the same numbers on every device.
    """
    words = mixed(keys[:, None] + torch.arange(-(-count // 4), device=keys.device) * signed(_COLUMN))
    places = words.view(torch.int16).int().add_(2**15)
    values = _quantiles(places.new_empty((), dtype=torch.float32))
    return values.index_select(0, places.view(-1)).view(places.shape)[:, :count]


@constant
def _quantiles() -> Tensor:
    middles = (torch.arange(2**16, dtype=torch.float64) + 0.5) / 2**15 - 1
    return torch.erfinv(middles) * math.sqrt(2)
