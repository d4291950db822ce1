"""Designs as users name them."""

from pathlib import Path

import pytest
import torch
import yaml

from advmask.core.errors import ConfigError, DesignError, RunError
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.textures.design_files import Design, write_design
from advmask.textures.texel_files import save_texels
from advmask.wearing.artwork import shipped_design
from advmask.wearing.opened_design import load_design

PLEATED = MaskSettings(pattern="pleated", size="L")


def noise(mask: MaskSettings, per_mm: float) -> torch.Tensor:
    return torch.rand(3, *build_mask(mask).texture_size(per_mm))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    values = {"mask": PLEATED.model_dump(), "texture": {"texels_per_mm": 1.5}, "trainer": {"steps": 3}}
    (folder / "config.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    save_texels(folder / "texture.safetensors", noise(PLEATED, 1.5))
    return folder


def test_a_run_brings_its_mask_and_resolution(run: Path) -> None:
    design = load_design(run)
    assert (design.mask, design.texels_per_mm, design.name, design.run) == (PLEATED, 1.5, "mine", run)
    assert repr(design) == f"Design(pleated L, 302 x 278 texels at 1.5 per mm, from {run})"
    with pytest.raises(ConfigError, match="brings its mask"):
        load_design(run, mask="contour")


def test_a_run_that_has_not_finished(run: Path) -> None:
    (run / "texture.safetensors").unlink()
    with pytest.raises(RunError, match="has not finished"):
        load_design(run)
    (run / "config.yaml").unlink()
    with pytest.raises(RunError, match="is not a run folder"):
        load_design(run)


def test_settings_of_another_version_are_said_to_be(run: Path) -> None:
    (run / "config.yaml").write_text("mask: {patern: contour}\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"does not fit advmask .* did you mean pattern.*design=.*texture.png"
    ):
        load_design(run)


def test_a_picture_of_advmask_says_what_it_is_for(tmp_path: Path) -> None:
    texels = (noise(PLEATED, 1.0) * 255).round() / 255
    path = tmp_path / "texture.png"
    name = build_mask(PLEATED).name
    write_design(path, Design(texels, pattern=name, size="L", texels_per_mm=1.0))
    design = load_design(path)
    assert torch.equal(design.texels, texels)
    assert (design.mask, design.place, design.run) == (PLEATED, path, None)
    with pytest.raises(DesignError, match="made for pattern pleated and not for contour; add mask=pleated"):
        load_design(path, mask="contour")


def test_any_other_picture_is_fitted_to_a_mask() -> None:
    picture = Path(__file__).parents[2] / "textures" / "noise.png"
    assert load_design(picture).texels.shape[1:] == build_mask(MaskSettings()).texture_size(3.0)
    design = load_design(str(picture), mask=PLEATED, texels_per_mm=0.5)
    assert design.texels.shape[1:] == build_mask(PLEATED).texture_size(0.5)
    assert design.mask == PLEATED


def test_designs_that_ship_have_names() -> None:
    design = load_design("lower_face", mask="panelled", texels_per_mm=1.0)
    surface = build_mask(MaskSettings(pattern="panelled"))
    assert torch.equal(design.texels, shipped_design("lower_face", surface, texels_per_mm=1.0))
    assert (design.run, design.name) == (None, "lower_face")
    with pytest.raises(DesignError, match=r"no run folder or picture file at whit; .*Did you mean white\?"):
        load_design("whit")


def test_print_files_are_no_designs(tmp_path: Path) -> None:
    from advmask.textures.png_bytes import encode_png

    path = tmp_path / "mask-contour-M.png"
    pixels = (torch.rand(10, 10, 3) * 255).byte().numpy()
    path.write_bytes(encode_png(pixels, pixels_per_mm=1.0, text={"advmask:bleed_mm": "3"}))
    with pytest.raises(DesignError, match="is a print file"):
        load_design(path)
