"""A user without a home folder, as services and some clusters run programs."""

import os
import pwd
from pathlib import Path

import pytest

from advmask.cli import main
from advmask.core.config_folders import has_home, user_conf_dir, user_folder
from advmask.core.errors import RunError
from advmask.photos.crop_cache import CropCache, default_crop_folder
from advmask.printers.colour_table import perfect_table
from advmask.printers.store import own_printers, save_printer
from advmask.recognizers.weights_folder import weight_folders
from advmask.wearing.placement_cache import default_placement_folder


@pytest.fixture(autouse=True)
def _homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unknown(user: object) -> None:
        raise KeyError(user)

    for name in list(os.environ):
        if name in ("HOME", "ADVMASK_CONFIG", "ADVMASK_WEIGHTS") or name.startswith("XDG_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.chdir(tmp_path)


def test_nothing_is_kept_and_nothing_is_own() -> None:
    assert not has_home()
    assert user_folder("cache") is user_folder("config") is None
    assert default_crop_folder() is default_placement_folder() is None
    assert CropCache(default_crop_folder()).size() == (0, 0)
    assert not user_conf_dir().exists()
    assert own_printers() == []
    assert not weight_folders()[0].exists()
    with pytest.raises(RunError, match="set HOME or ADVMASK_CONFIG"):
        save_printer("mine", perfect_table(), about="a test")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["train", "--cfg", "job", "-p", "seed"], 0, "0"),
        (["cache", "show"], 2, "no home folder, so nothing is kept; set HOME"),
        (["weights", "get", "facenet:vggface2"], 7, "set HOME or ADVMASK_WEIGHTS"),
        (["export", "motif", "out=~/prints"], 2, "A path begins with ~"),
        (["export", "~/mine"], 6, "There is no run folder or picture file at ~/mine"),
    ],
)
def test_commands(words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == code
    out, err = capsys.readouterr()
    assert said in out + err
