"""A small configuration and a fake command, so that these tests know nothing of what the commands do."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from omegaconf import DictConfig

import advmask.core.config_folders
from advmask import cli

REPOSITORY = Path(__file__).parents[2]

FILES = {
    "train.yaml": """\
# Design a mask.
defaults:
  - hydra_defaults
  - faces: folder
  - texture: palette        # what is learned
  - _self_

recognizers: [dlib]         # names, as a list
design: null
# number of steps
steps: 100
input: ???                  # a file
light:                      # how light falls
  angle: 30.0               # degrees
  note: "x # y"             # odd
""",
    "preview.yaml": """\
defaults:
  - hydra_defaults
  - faces: folder
  - _self_
design: null
photos: []
hydra:
  run:
    dir: ${advmask_output:preview,${design},${now:%Y-%m-%d_%H-%M-%S}}
""",
    "faces/folder.yaml": "root: null   # folder of photos\ncache: null  # where crops are kept\n",
    "texture/palette.yaml": "start: null\ncolours: 4  # inks\n",
    "texture/pixels.yaml": "size: 5  # texels\n",
}


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of YAML files that the command line uses instead of the shipped one."""
    folder = tmp_path / "conf of [tests], = 1"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    shared = REPOSITORY / "conf" / "hydra_defaults.yaml"
    (folder / shared.name).write_text(shared.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(advmask.core.config_folders, "conf_dir", lambda: folder)
    return folder


@pytest.fixture
def command(
    conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[DictConfig], None]], None]:
    """Make a function the body of `train` and `preview`, in an empty working folder."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def install(run: Callable[[DictConfig], None]) -> None:
        module = ModuleType("fake_command_of_tests")
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        table = {
            "train": cli.Command(module.__name__, "train it"),
            "preview": cli.Command(module.__name__, "look at it", ("design", "photos...")),
        }
        monkeypatch.setattr(cli, "COMMANDS", table)
        monkeypatch.setattr("advmask.commands.launch.check_settings", lambda *_: None)

    return install
