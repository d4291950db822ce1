"""The commands of docs/artist.md, typed one after the other as they stand there, but for shorter work."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from advmask import cli
from advmask.core.config_folders import designs_dir
from advmask.photos.loading import portrait_path

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "artist.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
SHORTER = {
    "train": ["trainer.steps=2", "trainer.batch=2", "trainer.placements=2", "texture.texels_per_mm=1"],
    "evaluate": ["protocol.draws=2"],
    "export": ["printing.dpi=72"],
}


def test_every_picture_and_file_of_the_page_is_there():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", PAGE)
    assert len(pictures) >= 2
    for picture in pictures:
        assert (REPOSITORY / "docs" / picture).stat().st_size < 200_000


@pytest.mark.slow
def test_the_page_runs_from_drawing_to_cloth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("advmask.evaluation.protocol.PROBES_WANTED", 6)
    shutil.copy(designs_dir() / "flowers.png", "drawing.png")
    Image.open(portrait_path()).convert("RGB").save("me.jpg")
    for command in COMMANDS:
        program, name, *words = shlex.split(command)
        assert program == "advmask"
        assert cli.main([name, *words, *SHORTER.get(name, [])]) == 0, command + capsys.readouterr().err
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    named = set(re.findall(r"^\| `([\w.-]+)` \|", PAGE, flags=re.MULTILINE))
    assert len(named) == 5
    assert {f"runs/inks/exports/{name}" for name in named} <= made
    assert {"drawing-worn.jpg", "inks-worn.jpg", "runs/inks/preview.png", "runs/inks/report.html"} <= made
    assert "runs/mine/texture.png" in made
    assert "gallery:poppies" in capsys.readouterr().out
