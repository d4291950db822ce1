"""Texels to the last bit: `texture.safetensors`, from which a run goes on exactly where it stood."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from advmask.core.data_files import parse_json
from advmask.core.errors import DesignError
from advmask.core.files import written_aside

_TENSOR = "texels"
_METADATA = "advmask"


def save_texels(
    path: Path, texels: Float[Tensor, "3 H W"], *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write exact float32 texels, and what is to be known about them.

    Args:
        path: The file, `texture.safetensors` by custom.
        texels: (3, H, W) in [0, 1], sRGB.
        metadata: Strings kept in the header of the file, for instance pattern, size and texels per mm.

    Raises:
        DesignError: The texels are not (3, H, W) numbers in [0, 1].
        RunError: The file cannot be written.
    """
    check_texels(texels)
    exact = texels.detach().to(device="cpu", dtype=torch.float32).contiguous()
    # One entry, for the format keeps its header entries in no fixed order and files would differ.
    header = {_METADATA: json.dumps(dict(metadata or {}), sort_keys=True)}
    content = save({_TENSOR: exact}, metadata=header)
    with written_aside(path) as aside:
        aside.write_bytes(content)


def load_texels(path: Path) -> Float[Tensor, "3 H W"]:
    """Read back what `save_texels` wrote, bit for bit.

    Args:
        path: A file of `save_texels`.

    Returns:
        (3, H, W) float32 in [0, 1], on the CPU.

    Raises:
        DesignError: The file is missing, damaged or holds something else.
    """
    texels, _ = _read(path)
    return texels


def load_texels_metadata(path: Path) -> dict[str, str]:
    """Read the metadata that `save_texels` wrote.

    Raises:
        DesignError: The file is missing, damaged or holds something else.
    """
    _, metadata = _read(path)
    return metadata


def check_texels(texels: Tensor) -> None:
    """Make sure that a tensor can be a design.

    Raises:
        DesignError: It is not (3, H, W) with at least one texel, or holds numbers outside [0, 1].
    """
    if texels.ndim != 3 or texels.shape[0] != 3 or texels.numel() == 0:
        raise DesignError(f"Texels have the shape (3, height, width), got {tuple(texels.shape)}.")
    if not texels.is_floating_point():
        raise DesignError(f"Texels are floating-point numbers from 0 to 1, got {texels.dtype}.")
    low, high = (float(bound) for bound in texels.detach().aminmax())
    if not (low >= 0.0 and high <= 1.0):
        raise DesignError(f"Texels lie between 0 and 1, got {low:.4g} to {high:.4g}; clamp them first.")


def _read(path: Path) -> tuple[Tensor, dict[str, str]]:
    if not path.is_file():
        raise DesignError(f"There is no file {path}; give a texture.safetensors of a run.")
    try:
        with safe_open(path, framework="pt", device="cpu") as stored:
            texels: Tensor = stored.get_tensor(_TENSOR)
            metadata = parse_json((stored.metadata() or {}).get(_METADATA, "{}"))
        if not isinstance(metadata, dict):
            raise ValueError(f"what it says of itself is {metadata!r:.40}")
    except (SafetensorError, OSError, ValueError) as error:
        raise DesignError(f"{path} is not a texture of advmask ({error}); give another file.") from error
    check_texels(texels)
    return texels.to(torch.float32), {str(key): str(value) for key, value in metadata.items()}
