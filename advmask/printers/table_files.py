"""Colour tables as files: `.safetensors` with what is to be known about them."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from advmask.core.errors import ConfigError
from advmask.core.files import written_aside
from advmask.printers.colour_table import ColourTable

_TENSOR = "colour_table"
_METADATA = "advmask"
_WILDEST = 4.0  # a reflectance beyond this is another kind of number


def save_table(path: Path, table: ColourTable, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write a colour table, exact to float32.

    Args:
        path: The file, ending in `.safetensors`.
        table: What to write.
        metadata: Strings kept in the header of the file: printer, paper, date.

    Raises:
        ConfigError: The table holds numbers that are not reflectances.
        RunError: The file cannot be written.
    """
    _check(table, "This table")
    nodes = table.nodes.detach().to(device="cpu", dtype=torch.float32).contiguous()
    # One entry, for the format keeps its header entries in no fixed order and files would differ.
    header = {_METADATA: json.dumps(dict(metadata or {}), sort_keys=True)}
    content = save({_TENSOR: nodes}, metadata=header)
    with written_aside(path) as aside:
        aside.write_bytes(content)


def load_table(path: Path) -> ColourTable:
    """Read what `save_table` wrote, bit for bit.

    Raises:
        ConfigError: The file is missing, damaged or holds something else.
    """
    if not path.is_file():
        raise ConfigError(f"There is no colour table {path}; `advmask calibrate fit` makes one.")
    try:
        with safe_open(path, framework="pt", device="cpu") as stored:
            table = ColourTable(stored.get_tensor(_TENSOR).to(torch.float32))
    except (SafetensorError, OSError, ValueError) as error:
        raise ConfigError(
            f"{path} is not a colour table of advmask ({error}); give one that `advmask calibrate fit` made."
        ) from error
    _check(table, f"The colour table {path}")
    return table


def _check(table: ColourTable, named: str) -> None:
    if not bool((table.nodes.abs() <= _WILDEST).all()):  # NaN fails this too
        raise ConfigError(f"{named} holds numbers that are not reflectances from 0 to 1; measure it again.")
