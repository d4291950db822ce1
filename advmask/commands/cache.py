"""`advmask cache show` and `advmask cache clear`: the crops and placed masks kept on this machine."""

from pathlib import Path

from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping
from advmask.commands.settings import CacheCommand
from advmask.core.errors import ConfigError
from advmask.photos.crop_cache import CropCache, default_crop_folder
from advmask.wearing.placement_cache import (
    LIMIT_BYTES,
    PlacementCache,
    default_placement_folder,
    placements_beside,
)


def run(config: DictConfig) -> None:
    """Show or clear the caches."""
    settings = CacheCommand.build(as_mapping(config))
    folder = Path(settings.folder).expanduser() if settings.folder else default_crop_folder()
    beside = placements_beside(folder) if settings.folder and folder else default_placement_folder()
    if folder is None or beside is None:
        raise ConfigError("There is no home folder, so nothing is kept; set HOME, or name folder=FOLDER.")
    crops, placements = CropCache(folder), PlacementCache(beside)
    if settings.action == "show":
        count, size = crops.size()
        print(f"{folder}: crops of {count} photos, {size / 1e6:.1f} MB")
        count, size = placements.size()
        print(
            f"{beside}: {count} masks placed on photos, {size / 1e6:.1f} MB; beyond {LIMIT_BYTES / 1e9:.0f} "
            "GB, or what its faces.cache_gb says, a run deletes what was not used for longest, and by no run "
            "for a day"
        )
        print("Both show faces, which is biometric data; `advmask cache clear` deletes it.")
    elif settings.action == "clear":
        print(f"{folder}: crops of photos: {crops.clear()} deleted")
        print(f"{beside}: masks placed on photos: {placements.clear()} deleted")
    else:
        raise ConfigError(f"advmask cache cannot {settings.action!r}; write show or clear.")
