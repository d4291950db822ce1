"""Inks of a drawing are its own colours, and stay what they were said to be."""

from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

from advmask.textures.colour_names import colour_code, colour_named
from advmask.textures.colours import lab_of
from advmask.textures.ink_choice import colour_in_words
from advmask.textures.picture_inks import picture_inks
from advmask.textures.picture_texels import read_picture_as_texels
from advmask.textures.settings import TextureSettings
from advmask.textures.texture import build_texture

FIVE = ("#f4ecd8", "#f2b134", "#d1342f", "#1f3a5f", "#1a1a1a")  # the last on 2 %


def draw(path: Path, finer: int = 1, quality: int = 75) -> Path:
    """A sun, two hills and a small black box in five flat colours; smooth edges where `finer`."""
    width, height = 600, 400
    picture = Image.new("RGB", (width * finer, height * finer), FIVE[0])
    pen = ImageDraw.Draw(picture)
    for shape, points, colour in (
        (pen.ellipse, (200, 60, 400, 260), FIVE[1]),
        (pen.polygon, (0, 400, 160, 240, 320, 400), FIVE[2]),
        (pen.polygon, (280, 400, 440, 220, 600, 400), FIVE[3]),
        (pen.rectangle, (80, 40, 159, 99), FIVE[4]),
    ):
        shape([finer * at for at in points], fill=colour)
    picture.resize((width, height), Image.Resampling.LANCZOS).save(path, quality=quality)
    return path


def inks_of(path: Path, count: int) -> list[str]:
    texels = read_picture_as_texels(path, height=200, width=310)
    return [colour_code(ink) for ink in picture_inks(texels, count).tolist()]


@pytest.mark.parametrize("finer", [1, 4])
@pytest.mark.parametrize("count", [5, 8])
def test_of_flat_colours_exactly_these_are_taken(tmp_path: Path, finer: int, count: int) -> None:
    assert sorted(inks_of(draw(tmp_path / "d.png", finer), count)) == sorted(FIVE)


@pytest.mark.parametrize("count", [5, 8])
def test_the_noise_of_a_jpeg_makes_no_further_colours(tmp_path: Path, count: int) -> None:
    found = inks_of(draw(tmp_path / "d.jpg", quality=40), count)
    assert len(found) == 5
    for wanted in FIVE:
        colours = torch.tensor([colour_named(wanted), *map(colour_named, found)])
        lab = lab_of(colours)
        assert float((lab[1:] - lab[0]).norm(dim=1).min()) < 4, wanted


def test_thin_lines_are_a_colour_and_their_edges_are_none(tmp_path: Path) -> None:
    picture = Image.new("RGB", (1500, 1000), "white")
    pen = ImageDraw.Draw(picture)
    for at in range(0, 1500, 40):
        pen.line((at, 0, 1500 - at, 1000), fill="black", width=4)
    picture.save(tmp_path / "lines.png")
    assert inks_of(tmp_path / "lines.png", 5) == ["#ffffff", "#000000"]


def test_to_one_colour_no_hue_is_invented(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20), "#c03028").save(tmp_path / "one.png")
    assert inks_of(tmp_path / "one.png", 5)[0] == "#c03028"
    assert inks_of(tmp_path / "one.png", 5)[1:] in (["#ffffff"], ["#000000"])


@pytest.mark.parametrize("learn", [None, True])
def test_inks_of_a_drawing_stay_unless_asked(
    tmp_path: Path, learn: bool | None, caplog: pytest.LogCaptureFixture
) -> None:
    palette = {"inks": 8} if learn is None else {"inks": 8, "learn": learn}
    asked = TextureSettings.build(
        {"kind": "palette", "start": str(draw(tmp_path / "d.png")), "palette": palette, "texels_per_mm": 1}
    )
    with caplog.at_level("INFO", logger="advmask"):
        texture = build_texture(
            asked, height=80, width=120, nose_column=60, generator=torch.Generator().manual_seed(0)
        )
    assert "there are 5 inks" in caplog.text
    assert ("inks are learned too" in caplog.text) == bool(learn)
    with torch.no_grad():
        for learned in texture.parameters():
            learned.add_(torch.randn(learned.shape, generator=torch.Generator().manual_seed(1)))
    fields = texture.ink_fields()
    assert fields is not None
    kept = sorted(map(colour_code, fields.colours.tolist())) == sorted(FIVE)
    assert kept == (not learn)


@pytest.mark.parametrize(
    ("code", "word"),
    [("#0000ff", "blue"), ("#00ff00", "green"), ("#f2b134", "yellow"), ("#1f3a5f", "dark blue")],
)
def test_bright_colours_in_words(code: str, word: str) -> None:
    assert colour_in_words(code) == word
