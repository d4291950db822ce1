"""`advmask.export_design` writes what `advmask export` writes."""

from pathlib import Path

import pytest
import torch

from advmask import cli
from advmask.core.errors import ConfigError, RunError
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.printing.design_export import export_design
from advmask.textures.design_files import Design, write_design


@pytest.fixture
def texture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    texels = torch.rand(3, *build_mask(MaskSettings()).texture_size(1.0))
    write_design(Path("texture.png"), Design(texels, pattern="contour", texels_per_mm=1.0))
    return Path("texture.png")


def test_files_are_those_of_the_command(texture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ["printing.dpi=72", "sizes=[S]", "paper=a4", "printer=office_inkjet", "texels_per_mm=1"]
    assert cli.main(["export", f"design={texture}", "out=one", *few]) == 0
    capsys.readouterr()
    written = export_design(
        texture, "two", sizes=["S"], paper="a4", printer="office_inkjet", printing={"dpi": 72}
    )
    assert "mask-contour-S-office_inkjet-sheet-a4.pdf" in {path.name for path in written}
    assert {path.name for path in Path("one").iterdir()} == {path.name for path in Path("two").iterdir()}
    for path in Path("one").iterdir():
        assert path.read_bytes() == Path("two", path.name).read_bytes(), path.name


def test_what_it_takes(texture: Path) -> None:
    texels = torch.rand(3, *build_mask(MaskSettings(pattern="pleated")).texture_size(1.0))
    written = export_design(texels, mask="pleated", printing={"dpi": 72})
    assert {path.parent for path in written} == {Path("exports/design")}
    with pytest.raises(ConfigError, match="office_inkjet"):
        export_design(texture, "out", printer="office_inkjett")
    with pytest.raises(ConfigError, match="did you mean paper"):
        export_design(texture, "out", papr="a4")
    written[0].write_bytes(b"changed")
    with pytest.raises(RunError, match="exists and is not as advmask wrote it"):
        export_design(texels, mask="pleated", printing={"dpi": 72})
