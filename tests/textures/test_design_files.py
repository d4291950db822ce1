import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

import advmask
from advmask.colour.srgb_profile import srgb_profile
from advmask.core.errors import DesignError, RunError
from advmask.textures.design_files import Design, name_of, read_design, write_design

KEYS = ("advmask:version", "advmask:pattern", "advmask:size", "advmask:texels_per_mm")


def some_design(height: int = 20, width: int = 30, **changes: object) -> Design:
    values: dict = {"pattern": "duckbill", "size": "L", "texels_per_mm": 2.5} | changes
    levels = torch.randint(0, 256, (3, height, width), generator=torch.Generator().manual_seed(1))
    return Design(levels / 255.0, **values)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    text=st.dictionaries(
        st.text("abcdefgh:_-é", min_size=1, max_size=12),
        st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40),
        max_size=3,
    ),
    scale=st.floats(0.05, 50),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_a_design_comes_back_as_it_went(tmp_path, text, scale, size):
    design = some_design(*size, texels_per_mm=scale, text=text)
    write_design(tmp_path / "d.png", design)
    back = read_design(tmp_path / "d.png")
    assert torch.equal(back.texels, design.texels)
    assert back.texels.dtype == torch.float32
    assert (back.pattern, back.size, back.texels_per_mm) == ("duckbill", "L", scale)
    assert back.text == text


def test_texels_between_levels_are_rounded_to_the_nearest(tmp_path):
    design = Design(torch.full((3, 2, 2), 100.4 / 255), pattern="p", texels_per_mm=1.0)
    write_design(tmp_path / "d.png", design)
    assert np.asarray(Image.open(tmp_path / "d.png")).tolist() == [[[100] * 3] * 2] * 2


def test_the_file_says_what_it_is(tmp_path):
    write_design(tmp_path / "d.png", some_design(460, 702, texels_per_mm=3.0))
    with Image.open(tmp_path / "d.png") as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (702, 460))
        assert [picture.text[key] for key in KEYS] == [advmask.__version__, "duckbill", "L", "3.0"]
        assert 702 / picture.info["dpi"][0] * 25.4 == pytest.approx(234.0, abs=0.1)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_the_same_design_gives_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        write_design(
            tmp_path / name,
            some_design(text={"b": "2", "a": "1"} if name == "a.png" else {"a": "1", "b": "2"}),
        )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_profile_holds_no_date_and_is_srgb():
    profile = srgb_profile()
    assert profile[24:36] == bytes(12)
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8))
    ours = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    same = ImageCms.profileToProfile(colours, ours, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert np.abs(np.asarray(same).astype(int) - np.asarray(colours)).max() <= 1


@pytest.mark.parametrize("missing", KEYS)
def test_a_picture_without_our_chunks_is_no_design(tmp_path, missing):
    chunks = PngImagePlugin.PngInfo()
    for key in KEYS:
        if key != missing:
            chunks.add_text(key, "3")
    Image.new("RGB", (4, 4)).save(tmp_path / "d.png", pnginfo=chunks)
    with pytest.raises(DesignError, match=missing):
        read_design(tmp_path / "d.png")


@pytest.mark.parametrize("scale", ["many", "-1", "nan", "0"])
def test_a_scale_that_is_no_scale_is_refused(tmp_path, scale):
    chunks = PngImagePlugin.PngInfo()
    for key in KEYS:
        chunks.add_text(key, scale)
    Image.new("RGB", (4, 4)).save(tmp_path / "d.png", pnginfo=chunks)
    with pytest.raises(DesignError, match="texels_per_mm"):
        read_design(tmp_path / "d.png")


@pytest.mark.parametrize(
    ("texels", "changes", "says"),
    [
        (torch.zeros(1, 4, 4), {}, "shape"),
        (torch.zeros(3, 0, 4), {}, "shape"),
        (torch.zeros(3, 4, 4, dtype=torch.uint8), {}, "floating"),
        (torch.full((3, 4, 4), 1.01), {}, "between 0 and 1"),
        (torch.full((3, 4, 4), float("nan")), {}, "between 0 and 1"),
        (torch.zeros(3, 4, 4), {"texels_per_mm": 0.0}, "above 0"),
        (torch.zeros(3, 4, 4), {"texels_per_mm": float("inf")}, "above 0"),
        (torch.zeros(3, 4, 4), {"pattern": ""}, "names its pattern"),
        (torch.zeros(3, 4, 4), {"text": {"advmask:size": "S"}}, "advmask:size"),
    ],
)
def test_bad_designs_are_refused_where_they_are_made(texels, changes, says):
    with pytest.raises(DesignError, match=says):
        Design(texels, **({"pattern": "p", "texels_per_mm": 1.0} | changes))


@pytest.mark.parametrize("key", ["", "x" * 80, "日本", " padded", "two\nlines"])
def test_a_key_that_png_cannot_hold_is_refused(tmp_path, key):
    with pytest.raises(DesignError, match="text key"):
        write_design(tmp_path / "d.png", some_design(text={key: "value"}))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_gives_a_run_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="file"):
        write_design(tmp_path / "file" / "d.png", some_design())
    assert [path.name for path in Path(tmp_path).iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("runs/first", "first"),
        ("sweeps/of seeds/0", "of seeds/0"),
        ("sweeps/of seeds/12", "of seeds/12"),
        ("runs/first/steps-300", "first/steps-300"),
        ("sweeps/of seeds/3/steps-300", "of seeds/3/steps-300"),
        ("runs/v2.1", "v2.1"),
    ],
)
def test_runs_of_a_sweep_are_told_apart(tmp_path: Path, place: str, name: str):
    (tmp_path / place).mkdir(parents=True)
    assert name_of(tmp_path / place) == name


def test_a_picture_is_called_by_its_own_name(tmp_path: Path):
    (tmp_path / "12").touch()
    assert name_of(tmp_path / "12") == "12"
    assert name_of(tmp_path / "gone.png") == "gone.png"
