"""What Hydra composes for a command: its settings class first, then the choices and the user's overrides."""

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from advmask.commands.settings import COMMAND_SETTINGS
from advmask.core.config_folders import conf_dir, register_resolvers
from advmask.core.presets import bare_values


def register(command: str) -> None:
    """Make known what the command's YAML file refers to: `COMMAND_settings`, and our resolvers."""
    register_resolvers()
    ConfigStore.instance().store(
        f"{command}_settings", bare_values(COMMAND_SETTINGS[command]), package="_global_", provider="advmask"
    )


def composed(
    command: str, overrides: Sequence[str] = (), *, conf: Path | None = None
) -> tuple[DictConfig, dict[str, str | None]]:
    """The configuration of a command, and the choices between files behind it, by group.

    Args:
        command: Its name.
        overrides: Hydra overrides, quoted.
        conf: Folder of the YAML files; None takes ours.

    Raises:
        hydra.errors.HydraException: The files or the overrides do not compose.
    """
    register(command)
    with initialize_config_dir(version_base="1.3", config_dir=str(conf or conf_dir())):
        full = compose(command, overrides=list(overrides), return_hydra_config=True)
    choices = {str(group): option for group, option in full.hydra.runtime.choices.items()}
    plain = OmegaConf.masked_copy(full, [str(key) for key in full if key != "hydra"])
    return plain, {group: option for group, option in choices.items() if not group.startswith("hydra/")}
