"""Learn a design with parts of one's own: python examples/train.py RUN_FOLDER."""

import logging
import sys
from pathlib import Path

import yaml

import advmask

HERE = Path(__file__).parent
sys.path += [str(HERE / "effect"), str(HERE / "objective")]

from calm import Calm  # noqa: E402
from haze import Haze  # noqa: E402


def main(folder: str) -> advmask.TrainSettings:
    """Train in that folder."""
    said = yaml.safe_load((HERE / "train.yaml").read_text(encoding="utf-8"))
    said["mask"]["pattern"] = str(HERE / said["mask"]["pattern"])
    said["recognizers"] = [f"python:{HERE / 'recognizer' / 'tiny_network.py'}:build"]
    settings = advmask.TrainSettings.build(said)
    print(advmask.train(settings, folder=folder, effects=[Haze()], terms=[Calm(weight=0.5)]))
    return settings


if __name__ == "__main__":
    logging.basicConfig(level="INFO", format="%(message)s")
    main(*sys.argv[1:])
