"""What kind of network file a file is, told by how it begins; nothing in it is run."""

import zipfile
from pathlib import Path
from typing import Literal

from advmask.core.errors import WeightsError

Kind = Literal["onnx", "torchscript", "export", "weights", "other"]

_ZIP = b"PK\x03\x04"
_PICKLE = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
# An ONNX file begins with its version, field 1, and one of the fields 2 to 8; see onnx.proto.
_ONNX_VERSION, _ONNX_NEXT = 0x08, (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42)

_HOLDS = {
    "onnx": "an ONNX network",
    "torchscript": "a TorchScript network",
    "export": "a network of torch.export (.pt2)",
    "weights": "a state dict (or another pickle)",
}
_WAY = {
    "onnx": "write onnx:{path}",
    "torchscript": "write torchscript:{path}",
    "export": (
        "write FILE.py with the two lines `import torch` and "
        "`def build(): return torch.export.load('{path}').module()`, and name it python:FILE.py:build"
    ),
    "weights": (
        "write iresnet50:{path} (18, 34, 100), vit:{path}, edgeface:{path}, magface:{path} or adaface:{path} "
        "if it belongs to one of these; for any other network write a function that builds it: "
        "python:FILE.py:FUNCTION"
    ),
}


def file_kind(path: Path) -> Kind:
    """The kind of a file.

    Args:
        path: An existing file.

    Returns:
        `export` for what `torch.export.save` writes, `weights` for what `torch.save` and safetensors write,
        `other` for anything else and for a zip archive that is cut short.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(9)
    if head.startswith(_ZIP):
        return _in_archive(path)
    if head.startswith(_PICKLE):
        return "weights"
    if head[8:] == b"{" and 0 < int.from_bytes(head[:8], "little") < path.stat().st_size:
        return "weights"
    if len(head) > 2 and head[0] == _ONNX_VERSION and head[2] in _ONNX_NEXT:
        return "onnx"
    return "other"


def is_cut_archive(path: Path) -> bool:
    """Whether a file begins as a zip archive, as torch writes them, and its end is missing."""
    with path.open("rb") as stream:
        return stream.read(4) == _ZIP and not zipfile.is_zipfile(path)


def refuse_other_kind(path: Path, wanted: Kind) -> None:
    """Say which name a file needs, where it is plainly of another kind than the one it is named as.

    Args:
        path: An existing file.
        wanted: What it is taken for.

    Raises:
        WeightsError: It is of another known kind, or cannot be read.
    """
    try:
        kind = file_kind(path)
    except OSError as error:
        raise WeightsError(f"Cannot read {path}: {error}. Check the path and its rights.") from error
    if kind not in (wanted, "other"):
        way = _WAY[kind].replace("{path}", str(path))
        raise WeightsError(f"{path} holds {_HOLDS[kind]}, not {_HOLDS[wanted]}; {way}.")


def _in_archive(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return "other"
    if names & {"archive_format", "serialized_exported_program.json", "exported_program.json"}:
        return "export"
    if names & {"constants.pkl", "model.json"}:
        return "torchscript"
    return "weights" if "data.pkl" in names else "other"
