"""Presets of shops: one picture of the size and shape that a shop asks for."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from advmask import cli
from advmask.core.errors import ConfigError
from advmask.printing.settings import ShopSettings
from advmask.printing.shop import encoded, printable, shop_picture

ART = np.full((40, 60, 3), 100, dtype=np.uint8)


def test_the_artwork_lies_in_the_middle_of_a_picture_of_the_size_asked_for():
    picture = shop_picture(ART, ShopSettings(name="a", width_mm=25.4, height_mm=50.8), dpi=100)
    assert picture.shape == (200, 100, 3)
    inked = np.argwhere((picture == 100).all(axis=2))
    assert inked.min(axis=0).tolist() == [80, 20]
    assert inked.max(axis=0).tolist() == [119, 79]
    assert (picture[0] == 255).all()
    assert np.array_equal(shop_picture(ART, ShopSettings(name="a"), dpi=100), ART)


def test_an_artwork_that_is_too_large_is_refused():
    with pytest.raises(ConfigError, match="15 x 10 mm with its bleed, and shop=a prints 13 x 51 mm"):
        shop_picture(ART, ShopSettings(name="a", width_mm=12.7, height_mm=50.8), dpi=100)


def test_a_template_prints_where_it_is_white_or_clear(tmp_path):
    path = tmp_path / "shop.png"
    template = Image.new("RGBA", (200, 100), (80, 80, 80, 255))
    ImageDraw.Draw(template).ellipse((110, 10, 189, 89), fill=(0, 0, 0, 0))
    template.save(path)
    shop = ShopSettings(name="a", width_mm=50.8, height_mm=25.4, template=path)
    picture = shop_picture(ART, shop, dpi=100)
    inked = (picture == 100).all(axis=2)
    assert not inked[:, :110].any()
    assert inked[50, 120:180].all(), "in the middle of what is printed"
    assert not inked[~printable(path, size=(100, 200))].any()
    Image.new("RGB", (20, 20), "black").save(path)
    with pytest.raises(ConfigError, match="white or clear nowhere"):
        printable(path, size=(20, 20))


@pytest.mark.parametrize(("kind", "found"), [("png", "PNG"), ("tiff", "TIFF"), ("jpeg", "JPEG")])
def test_files_are_of_the_kind_asked_for_in_true_size(kind, found):
    content = encoded(ART, ShopSettings(name="a", file=kind), dpi=150)
    assert content == encoded(ART, ShopSettings(name="a", file=kind), dpi=150)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == found
        assert picture.size == (60, 40)
        assert float(picture.info["dpi"][0]) == pytest.approx(150, abs=0.1)


def test_a_template_is_not_squeezed(tmp_path):
    path = tmp_path / "shop.png"
    Image.new("RGB", (400, 100), "white").save(path)
    for side in ({"width_mm": 101.6}, {"height_mm": 25.4}):
        shop = ShopSettings(name="a", template=path, **side)
        assert shop_picture(ART, shop, dpi=100).shape == (100, 400, 3)
    shop = ShopSettings(name="a", template=path, width_mm=50.0, height_mm=25.0)
    with pytest.raises(ConfigError, match="would squeeze it; give one of the two"):
        shop_picture(ART, shop, dpi=100)
    with pytest.raises(ConfigError, match=r"give shop.width_mm or shop.height_mm"):
        ShopSettings.build({"name": "a", "template": path})


def test_settings_of_no_shop_are_refused():
    with pytest.raises(ConfigError, match=r"Without a shop, shop.dpi would change nothing.*shop.name=NAME"):
        ShopSettings.build({"dpi": 200})


def test_a_shop_changes_its_own_file_only(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (30, 20), (40, 90, 160)).save("drawing.png")
    words = ["export", "drawing.png", "printer=sublimation", "printing.dpi=72", "proof=false"]
    own = ["shop.name=../my shop", "shop.bleed_mm=1", "shop.mirrored=false", "shop.product=fabric"]
    assert cli.main([*words, *own, "out=with"]) == 0
    assert cli.main([*words, "out=without"]) == 0
    home = {path.name: path.read_bytes() for path in Path("without").iterdir() if path.name != "files.json"}
    assert any(name.endswith("-mirrored-sheet.pdf") for name in home)
    assert home == {name: Path("with", name).read_bytes() for name in home}
    more = {path.name for path in Path("with").iterdir()} - {*home, "files.json"}
    assert more == {"mask-contour-M-sublimation-shop-.._my_shop.png"}
    with Image.open(Path("with", *more)) as picture:
        assert picture.text["advmask:bleed_mm"] == "1"
    assert "is not mirrored" in capsys.readouterr().out


def test_presets_at_the_command_line_and_one_of_ones_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (300, 150), (40, 90, 160)).save("drawing.png")
    assert cli.main(["export", "drawing.png", "mask=gaiter", "shop=gaiter_tube", "printing.dpi=72"]) == 0
    assert "compare them with your shop's" in capsys.readouterr().out
    with Image.open("exports/drawing/mask-gaiter-M-shop-gaiter_tube.png") as picture:
        assert picture.size == (round(522 / 25.4 * 72), round(272 / 25.4 * 72))
    assert cli.main(["export", "drawing.png", "shop=fabric_metre", "out=cloth", "printing.dpi=72"]) == 0
    with Image.open("cloth/mask-contour-M-shop-fabric_metre.png") as picture:
        assert picture.width == pytest.approx(1400 / 6 / 25.4 * 72, abs=1.0)
    monkeypatch.setenv("ADVMASK_CONFIG", str(tmp_path / "own"))
    Path("own/conf/shop").mkdir(parents=True)
    Path("own/conf/shop/corner.yaml").write_text("name: corner\ndpi: 96\nfile: jpeg\nmirrored: true\n")
    assert cli.main(["export", "drawing.png", "shop=corner", "out=corner", "printer.dpi=72"]) == 0
    with Image.open("corner/mask-contour-M-mirrored-shop-corner.jpeg") as picture:
        assert float(picture.info["dpi"][0]) == 96
    with Image.open("corner/mask-contour-M.png") as picture:
        assert float(picture.info["dpi"][0]) == pytest.approx(72, abs=0.1)
