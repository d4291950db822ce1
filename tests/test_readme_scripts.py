"""The scripts under "From Python" of the README run, exactly as they stand there."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from advmask.masks.mask_building import build_mask
from advmask.photos.loading import portrait_path
from advmask.printing.settings import AskedPrinting, PrintingSettings
from advmask.textures.texel_files import save_texels
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings

README = Path(__file__).parents[1] / "README.md"
SECTION = README.read_text(encoding="utf-8").partition("\n## From Python\n")[2].partition("\n## ")[0]
SCRIPTS = re.findall(r"^```python\n(.*?)^```$", SECTION, flags=re.DOTALL | re.MULTILINE)


def photos(folder: Path) -> None:
    """Three people of two photos each, from one portrait: as it is, narrower, and wider."""
    face = Image.open(portrait_path()).convert("RGB").crop((90, 0, 350, 260))
    for name, width in {"ada": 260, "bea": 220, "cleo": 310}.items():
        (folder / name).mkdir(parents=True)
        own = face.resize((width, 260))
        own.save(folder / name / "1.jpg", quality=95)
        ImageEnhance.Brightness(ImageOps.mirror(own)).enhance(0.9).save(folder / name / "2.jpg", quality=95)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with photos of some people, and a finished run on them."""
    folder = tmp_path_factory.mktemp("readme")
    photos(folder / "photos")
    settings = TrainSettings.build({"faces": {"root": folder / "photos"}, "texture": {"texels_per_mm": 1.0}})
    run = RunFolder(folder / "runs" / "mine")
    run.path.mkdir(parents=True)
    run.begin(settings)
    size = build_mask(settings.mask).texture_size(1.0)
    save_texels(run.texture, torch.from_numpy(np.random.default_rng(0).random((3, *size), dtype="f4")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        # Fewer probes, placements and dots: no other code runs, in a tenth of the time.
        patch.setattr("advmask.evaluation.protocol.PROBES_WANTED", 6)
        patch.setattr("advmask.training.run._WAYS_IN_ALL", 6)
        patch.setattr(AskedPrinting, "over", lambda self, base: PrintingSettings(dpi=72))
        patch.chdir(folder)
        yield folder


def test_there_are_four() -> None:
    assert len(SCRIPTS) == 4
    for script in SCRIPTS:
        lines = [line for line in script.splitlines() if line.strip() and not line.startswith("#")]
        assert len(lines) <= 14, "about ten lines each"


@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_a_script_runs_as_it_stands(place: Path, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert Path.cwd() == place
    exec(compile(SCRIPTS[number], f"README script {number + 1}", "exec"), {"__name__": "__main__"})
    capsys.readouterr()
