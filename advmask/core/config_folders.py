"""Where the configuration and the shipped designs lie, and the resolver that the configuration uses."""

import os
from pathlib import Path
from typing import Literal

from advmask.core.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]


def conf_dir() -> Path:
    """Absolute path of the folder of YAML files that Hydra composes.

    An installed wheel carries it inside the package; an editable install or a plain checkout has it at the
    root of the repository.

    Raises:
        ConfigError: Neither folder exists.
    """
    return _shipped(inside="conf", beside="conf", what="configuration")


def user_folder(kind: Literal["cache", "config"]) -> Path | None:
    """The folder for what is kept for this user, or None where the user has no home folder.

    Services and jobs of clusters may run without one, and without the XDG variables that could replace it.
    """
    from platformdirs import user_cache_path, user_config_path

    try:
        found = (user_cache_path if kind == "cache" else user_config_path)("advmask", appauthor=False)
    except RuntimeError:
        return None
    return found if found.is_absolute() else None


def has_home() -> bool:
    """Whether the user has a home folder."""
    try:
        return Path.home().is_absolute()
    except RuntimeError:
        return False


def user_conf_dir() -> Path:
    """Absolute path of the folder of YAML files that the user's own choices are kept in, such as printers.

    `ADVMASK_CONFIG` names its parent; by default that is the user's configuration folder. It need not exist;
    without a home folder it is one that never can, and says so where it is named.
    """
    own = os.environ.get("ADVMASK_CONFIG")
    if own:
        return Path(own).expanduser().absolute() / "conf"
    return (user_folder("config") or nowhere("ADVMASK_CONFIG")) / "conf"


def nowhere(variable: str) -> Path:
    """A folder that holds nothing and can never be made; its name says what to do about that.

    Args:
        variable: The environment variable that names another.
    """
    return Path(os.devnull) / f"no home folder, so set HOME or {variable}"


def designs_dir() -> Path:
    """Absolute path of the folder of starting designs and control masks.

    Raises:
        ConfigError: Neither the wheel's folder nor the checkout's exists.
    """
    return _shipped(inside="designs", beside="textures", what="designs")


def register_resolvers() -> None:
    """Make `${advmask_output:COMMAND,DESIGN,STAMP}` known to OmegaConf; call it before composing.

    It names the folder for the output of a command that works on a design: the run folder that `DESIGN`
    is, or else `runs/COMMAND/STAMP`.
    """
    from omegaconf import OmegaConf

    OmegaConf.register_new_resolver("advmask_output", _output_for, replace=True)


def _output_for(command: str, design: object, stamp: str) -> str:
    if design is not None and str(design) and Path(str(design)).is_dir():
        return str(design)
    return f"runs/{command}/{stamp}"


def _shipped(*, inside: str, beside: str, what: str) -> Path:
    packaged = _PACKAGE / inside
    if packaged.is_dir():
        return packaged
    checkout = _PACKAGE.parent
    # Without this check, a stranger's site-packages/conf would pass for ours.
    if (checkout / "pyproject.toml").is_file() and (checkout / beside).is_dir():
        return checkout / beside
    raise ConfigError(
        f"The {what} of advmask is neither in {packaged} nor in {checkout / beside}; install advmask again."
    )
