"""The user's own printers: a YAML and a colour table each, in the user's configuration folder."""

import re
from pathlib import Path
from typing import Any

import torch
import yaml

from advmask.core.config_folders import conf_dir, user_conf_dir
from advmask.core.errors import ConfigError
from advmask.core.files import write_text
from advmask.printers.colour_table import ColourTable
from advmask.printers.settings import PrinterSettings
from advmask.printers.table_files import load_table, save_table

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def printers_folder() -> Path:
    """Where the user's printers are kept, `printer` in the `user_conf_dir`; it need not exist."""
    return user_conf_dir() / "printer"


def own_printers() -> list[str]:
    """Names of the user's printers."""
    folder = printers_folder()
    return sorted(path.stem for path in folder.glob("*.yaml")) if folder.is_dir() else []


def check_printer(name: str, table: ColourTable, *, overwrite: bool = False) -> None:
    """Make sure that a printer can be kept under a name; arguments and errors are those of `save_printer`."""
    _check_name(name)
    written, stored = _files(name)
    if not overwrite and (written.exists() or (stored.exists() and not _holds(stored, table))):
        raise ConfigError(
            f"There is a printer {name} in {written.parent} already; choose another name or say "
            "overwrite=true."
        )


def save_printer(
    name: str,
    table: ColourTable,
    *,
    about: str,
    settings: PrinterSettings | None = None,
    overwrite: bool = False,
) -> Path:
    """Keep a measured printer, so that it can be chosen by `printer=NAME`.

    Args:
        name: Letters, digits, - and _; at most 64.
        table: Its colours.
        about: Where they come from: printer, paper, date, light.
        settings: Everything else about it; its own `name`, `about`, `inks`, `profile` and `table` are
            replaced.
        overwrite: Whether a printer of this name may be replaced. Its table alone, of the same colours, may.

    Returns:
        The YAML; the table lies next to it.

    Raises:
        ConfigError: The name is not allowed or taken.
        RunError: The files cannot be written.
    """
    check_printer(name, table, overwrite=overwrite)
    written, stored = _files(name)
    own = {"name": name, "about": about, "inks": None, "profile": None, "table": str(stored)}
    values = (settings or PrinterSettings()).model_dump(mode="json") | own
    save_table(stored, table, metadata={"name": name, "about": about})
    text = yaml.safe_dump(_literal(values), sort_keys=False, allow_unicode=True, width=110)
    write_text(written, f"# {name}, as measured; made by advmask, and yours to edit.\n{text}")
    return written


def _files(name: str) -> tuple[Path, Path]:
    """Its YAML and its table."""
    return printers_folder() / f"{name}.yaml", printers_folder() / f"{name}.safetensors"


def _holds(stored: Path, table: ColourTable) -> bool:
    """Whether a file is this very table: left by a process that was killed before it wrote the YAML."""
    try:
        return torch.equal(load_table(stored).nodes, table.nodes.to(device="cpu", dtype=torch.float32))
    except ConfigError:
        return False


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"A printer cannot be called {name!r}: letters, digits, - and _ are allowed, 64 at most, and a "
            "letter or digit first."
        )
    shipped = sorted(path.stem for path in (conf_dir() / "printer").glob("*.yaml"))
    # Case by case, since on some systems files do not differ by it.
    if name.lower() in {each.lower() for each in shipped}:
        raise ConfigError(
            f"{name} is one of the printers shipped ({', '.join(shipped)}); choose another name."
        )


def _literal(values: Any) -> Any:
    """The same values, with what the configuration would take for a reference written as text."""
    if isinstance(values, dict):
        return {key: _literal(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_literal(value) for value in values]
    return values.replace("${", "\\${") if isinstance(values, str) else values
