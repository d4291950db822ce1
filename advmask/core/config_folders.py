"""Where the configuration and the shipped designs lie, and the resolver that the configuration uses."""

import os
from pathlib import Path

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


def user_conf_dir() -> Path:
    """Absolute path of the folder of YAML files that the user's own choices are kept in, such as printers.

    `ADVMASK_CONFIG` names its parent; by default that is the user's configuration folder. It need not exist.
    """
    from platformdirs import user_config_path

    own = os.environ.get("ADVMASK_CONFIG")
    if own:
        return Path(own).expanduser().absolute() / "conf"
    return user_config_path("advmask", appauthor=False) / "conf"


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
