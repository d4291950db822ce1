"""ICC profiles written byte by byte after ICC.1:2001-04, for Debian and the wheels hold none of printers."""

import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D65 = np.array([0.95047, 1.0, 1.08883])
_XYZ_D65 = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
XYZ_FROM_LINEAR = (
    np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ D50 / (_BRADFORD @ _D65)) @ _BRADFORD @ _XYZ_D65
)
PAPER = 0.8 * np.array([1.0, 0.98, 0.9])  # linear sRGB


def matrix_rgb(*, gamma: float = 1.8, shrink: float = 0.1, kind: bytes = b"prtr") -> bytes:
    """An RGB device whose primaries are paler than those of sRGB, on `PAPER`."""
    pale = (1 - 3 * shrink) * np.eye(3) + shrink
    columns = XYZ_FROM_LINEAR @ pale
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256)) + b"\0\0"
    tags = {name + b"XYZ": _xyz(columns[:, i]) for i, name in enumerate((b"r", b"g", b"b"))}
    tags |= {name + b"TRC": curve for name in (b"r", b"g", b"b")}
    return _profile(kind, b"RGB ", b"XYZ ", tags)


def grey(*, gamma: float = 1.8) -> bytes:
    """A black-and-white printer on `PAPER`."""
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256)) + b"\0\0"
    return _profile(b"prtr", b"GRAY", b"XYZ ", {b"kTRC": curve})


def cmyk(*, back: bool = True) -> bytes:
    """Inks that each take most of one channel, and black; with tables to inks and, unless told, back."""
    tags = {b"B2A0": _lut(3, 4, 17, _inks_of)}
    if back:
        tags[b"A2B0"] = _lut(4, 3, 7, _lab_of_inks)
    return _profile(b"prtr", b"CMYK", b"Lab ", tags)


def _lab_of_inks(inks: Array) -> Array:
    linear = (1 - 0.95 * inks[:, :3]) * (1 - 0.97 * inks[:, 3:])
    f = np.cbrt(linear @ XYZ_FROM_LINEAR.T / D50)
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)
    return np.clip(lab / [100, 256, 256] + [0, 0.5, 0.5], 0, 1) * (0xFF00 / 0xFFFF)


def _inks_of(coded: Array) -> Array:
    lab = (coded * (0xFFFF / 0xFF00) - [0, 0.5, 0.5]) * [100, 256, 256]
    middle = (lab[:, 0] + 16) / 116
    f = np.stack([middle + lab[:, 1] / 500, middle, middle - lab[:, 2] / 200], axis=1)
    linear = np.clip((f**3 * D50) @ np.linalg.inv(XYZ_FROM_LINEAR).T, 0, 1)
    black = 0.8 * (1 - linear.max(axis=1, keepdims=True)) ** 4
    inks = (1 - np.minimum(linear / (1 - 0.97 * black), 1)) / 0.95
    return np.clip(np.concatenate([inks, black], axis=1), 0, 1)


def _lut(inputs: int, outputs: int, points: int, model: Callable[[Array], Array]) -> bytes:
    axis = np.linspace(0, 1, points)
    nodes = np.stack(np.meshgrid(*[axis] * inputs, indexing="ij"), axis=-1).reshape(-1, inputs)
    line = struct.pack(">HH", 0, 0xFFFF)
    return (
        b"mft2"
        + struct.pack(">IBBBB", 0, inputs, outputs, points, 0)
        + b"".join(_fixed(value) for value in np.eye(3).ravel())
        + struct.pack(">HH", 2, 2)
        + line * inputs
        + np.round(model(nodes) * 0xFFFF).astype(">u2").tobytes()
        + line * outputs
    )


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = b"made for tests\0"
    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, len(text)) + text + bytes(78),
        b"cprt": b"text" + bytes(4) + text,
        b"wtpt": _xyz(XYZ_FROM_LINEAR @ PAPER),
        **tags,
    }
    listed, data, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        listed += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    body = struct.pack(">I", len(tags)) + listed + data
    header = struct.pack(">I4sI", 128 + len(body), b"test", 0x02400000) + kind + space + connection
    header += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += b"".join(_fixed(value) for value in D50)
    return header + bytes(128 - len(header)) + body


def _xyz(values: Array) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(_fixed(value) for value in values)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))
