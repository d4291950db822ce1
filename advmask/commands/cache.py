"""`advmask cache show` and `advmask cache clear`: the face crops kept on this machine."""

from pathlib import Path

from omegaconf import DictConfig

from advmask.errors import ConfigError
from advmask.photos import CropCache, default_crop_folder


def run(config: DictConfig) -> None:
    """Show or clear the cache."""
    folder = Path(config.folder) if config.folder else default_crop_folder()
    cache = CropCache(folder)
    if config.action == "show":
        files, size = cache.size()
        print(f"{folder}: crops of {files} photos, {size / 1e6:.1f} MB")
    elif config.action == "clear":
        print(f"{folder}: {cache.clear()} files deleted")
    else:
        raise ConfigError(f"advmask cache cannot {config.action!r}; write show or clear.")
