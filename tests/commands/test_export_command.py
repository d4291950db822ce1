"""`advmask export` as a user runs it."""

import hashlib
import io
import json
import os
import runpy
from pathlib import Path

import numpy as np
import pymupdf
import pytest
import torch
from PIL import Image, ImageCms, PngImagePlugin

from advmask import cli
from advmask.commands.settings import TrainCommand
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.textures.texel_files import save_texels
from advmask.training.run_folder import RunFolder

FEW = ["printing.dpi=72"]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paint_flowers()


def paint_flowers() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    Image.fromarray(picture).resize((300, 200)).save("flowers.png")


@pytest.fixture(scope="module")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place full of designs that cannot be printed."""
    folder = tmp_path_factory.mktemp("flawed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        paint_flowers()
        a_run("runs/unfinished", finished=False)
        save_texels(a_run("runs/other") / "texture.safetensors", torch.rand(3, 50, 60))
        (a_run("runs/damaged") / "results.json").write_text('{"schema": 7}')
        for name, key, value in (("texture", "pattern", "pleated"), ("printed", "bleed_mm", "3")):
            chunks = PngImagePlugin.PngInfo()
            chunks.add_text(f"advmask:{key}", value)
            Image.open("flowers.png").save(f"{name}.png", pnginfo=chunks)
    return folder


def a_run(
    where: str = "runs/mine", *, size: str = "M", pattern: str = "contour", finished: bool = True
) -> Path:
    """A run folder as training leaves it."""
    folder = Path(where)
    mask = {"pattern": pattern, "size": size}
    settings = TrainCommand.build({"mask": mask, "texture": {"texels_per_mm": 1.0}, "printing": {"dpi": 96}})
    folder.mkdir(parents=True)
    RunFolder(folder).begin(settings)
    if finished:
        height, width = build_mask(MaskSettings(**mask)).texture_size(1.0)
        save_texels(folder / "texture.safetensors", torch.rand(3, height, width))
    return folder


def written(folder: str | Path = ".") -> list[str]:
    base = Path(folder)
    return sorted(str(path.relative_to(base)) for path in base.rglob("*") if path.is_file())


def test_a_picture_on_a_mask_in_two_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "design=flowers.png", "mask=pleated", "mask.size=[S,M]", *FEW]) == 0
    stems = [f"mask-pleated-{size}" for size in ("S", "M")]
    names = [f"{stem}{end}" for stem in stems for end in (".png", "-sheet.pdf", "-lines.png", "-lines.svg")]
    assert written("exports/flowers") == sorted([*names, "files.json"])
    out = capsys.readouterr().out
    assert all(f"Written to exports/flowers/{name}" in out for name in names)
    assert "Print at 100 %" in out
    for size, factor in (("S", 0.94), ("M", 1.0)):
        with Image.open(f"exports/flowers/mask-pleated-{size}.png") as picture:
            assert picture.size[0] / 72 * 25.4 == pytest.approx(175 * factor + 22, abs=0.2)
            assert picture.text["advmask:size"] == size
            assert picture.text["advmask:design"] == "flowers.png"
            assert float(picture.text["advmask:texels_per_mm"]) == pytest.approx(3 / factor * 1.0, rel=0.1)
    assert cli.main(["export", "design=flowers.png", "mask=pleated", "sizes=[S,M]", "out=again", *FEW]) == 0
    for name in names:
        assert Path("again", name).read_bytes() == Path("exports/flowers", name).read_bytes()
    listed = json.loads(Path("again/files.json").read_text())
    assert listed["sha256"] == {
        n: hashlib.sha256(Path("again", n).read_bytes()).hexdigest() for n in sorted(names)
    }


def test_a_run_in_all_sizes_with_its_card_and_no_machine_paths() -> None:
    folder = a_run()
    estimate = {"value": 0.5, "low": 0.25, "high": 0.75}
    condition = {
        "similarity": 0.1,
        "match_confidence": estimate,
        "tar": estimate,
        "undetected": 2,
        "drop": None,
    }
    result = {
        "recognizer": "dlib", "aligner": "mtcnn", "gallery": "bare", "fmr": 0.01, "threshold": -0.5,
        "threshold_interval": None, "threshold_source": "stored", "probes": 40, "left_out": 2,
        "strongest_plain": "white",
        "conditions": {"bare": condition, "white": condition, "design": condition | {"drop": estimate}},
    }  # fmt: skip
    record = {"schema": 2, "people": {"probed": ["ann", "ben"], "held_out": True}, "results": [result]}
    (folder / "results.json").write_text(json.dumps(record))
    assert cli.main(["export", "design=runs/mine", "sizes=[S,M,L,child]"]) == 0
    names = written(folder / "exports")
    assert [name for name in names if name.endswith(".pdf")] == [
        f"mask-contour-{size}-sheet.pdf" for size in ("L", "M", "S", "child")
    ]
    card = json.loads((folder / "exports/card.json").read_text())
    assert (card["schema_version"], card["design"], card["pattern"], card["size"]) == (
        1,
        "mine",
        "contour",
        "M",
    )
    (entry,) = card["recognizers"]
    assert entry["design_tar"] == entry["plain_tar"] == entry["drop"] == estimate
    assert (entry["fmr"], entry["plain_mask"], entry["faces_not_found"]) == (0.01, "white", 2)
    assert card["people"] == {"probed": 2, "held_out": True, "at_hand": None}
    assert card["not_tested"]
    assert card["measured_on"] is None
    assert "ann" not in json.dumps(card)
    config = hashlib.sha256((folder / "config.yaml").read_bytes()).hexdigest()
    here = str(Path.cwd()).encode()
    for name in names:
        assert here not in (folder / "exports" / name).read_bytes()
    with Image.open(folder / "exports/mask-contour-M.png") as picture:
        assert picture.text["advmask:config_sha256"] == config
        assert picture.info["dpi"][0] == pytest.approx(96, abs=0.1), "the run's own resolution"
    with pymupdf.open(folder / "exports/mask-contour-M-sheet.pdf") as document:
        assert config in document.metadata["subject"]
    before = {name: (folder / "exports" / name).read_bytes() for name in names}
    assert cli.main(["export", "design=runs/mine", "sizes=[S,M,L,child]"]) == 0
    assert before == {name: (folder / "exports" / name).read_bytes() for name in written(folder / "exports")}


def test_sublimation_is_mirrored_with_more_bleed_and_has_a_proof(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", "design=flowers.png", "paper=a4", "texels_per_mm=1", *FEW]
    assert cli.main([*words, "printer=sublimation", "out=sub"]) == 0
    out = capsys.readouterr().out
    assert "do not mirror it again" in out
    assert "cannot be printed as asked" in out
    with Image.open("sub/mask-contour-M-sublimation-mirrored.png") as picture:
        assert picture.size[0] / 72 * 25.4 == pytest.approx(207.3 + 12, abs=0.3)
        assert picture.text["advmask:printer"] == "sublimation"
        mirrored = np.asarray(picture)
    same = ["printing.bleed_mm=6", "mirrored=false", "out=plain"]
    assert cli.main([*words, *same]) == 0
    with Image.open("plain/mask-contour-M.png") as picture:
        assert np.array_equal(np.asarray(picture)[:, ::-1], mirrored)
    assert "proof-sublimation.png" in written("sub")
    assert not [name for name in written("plain") if name.startswith("proof")]
    with pymupdf.open("sub/mask-contour-M-sublimation-mirrored-sheet-a4.pdf") as document:
        assert {round(page.rect.width * 25.4 / 72) for page in document} <= {210, 297}


def test_exports_for_two_printers_lie_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", "design=flowers.png", "texels_per_mm=1", "out=files", *FEW]
    assert cli.main([*words, "printer=office_inkjet", "paper=8.5x11in"]) == 0
    first = {name: Path("files", name).read_bytes() for name in written("files") if name != "files.json"}
    assert "mask-contour-M-office_inkjet-sheet-8.5x11in.pdf" in first
    with pymupdf.open("files/mask-contour-M-office_inkjet-sheet-8.5x11in.pdf") as document:
        assert {round(side) for page in document for side in (page.rect.width, page.rect.height)} == {
            612,
            792,
        }
    assert cli.main([*words, "printer=sublimation"]) == 0
    assert "in place of" not in capsys.readouterr().out
    assert first == {name: Path("files", name).read_bytes() for name in first}, "nothing is overwritten"
    new = [name for name in written("files") if name not in first]
    stem = "mask-contour-M-sublimation-mirrored"
    lines = [f"{stem}-lines.png", f"{stem}-lines.svg"]
    assert sorted(new) == sorted(
        ["files.json", f"{stem}.png", *lines, f"{stem}-sheet.pdf", "proof-sublimation.png"]
    )
    with pymupdf.open(f"files/{stem}-sheet.pdf") as document:
        assert "mirrored for transfer: ask the shop" in document[0].get_text()
        assert "ask the shop" in " ".join(document[2].get_text().split())
    assert cli.main([*words, "printer=sublimation", "printing.bleed_mm=2"]) == 0
    out = capsys.readouterr().out
    assert f"Written to files/{stem}.png, in place of an earlier one that differed" in out
    assert f"To print: {stem}-sheet.pdf." in out
    assert "objective.gamut" in out, "what to do about colours that cannot be printed"


def test_tiles_for_fabric_repeat(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", "design=flowers.png", "repeat=true", "fabric.width_mm=1000", "texels_per_mm=1", *FEW]
    assert cli.main(words) == 0
    assert "4 times across 1000 mm" in " ".join(capsys.readouterr().out.split())
    tile = np.asarray(Image.open("exports/flowers/mask-contour-M-fabric.png"))
    assert tile.shape[1] / 72 * 25.4 == pytest.approx(250.0, abs=0.4)
    endless = np.asarray(Image.open("exports/flowers/mask-contour-M-endless.png")).astype(int)
    assert np.array_equal(endless[:, 0], endless[:, -1])
    assert np.array_equal(endless[0], endless[-1])
    half = endless.shape[1] // 2
    assert np.array_equal(endless[:, half - 1], endless[:, half])
    # Put side by side, inks of neighbours keep their gap.
    inked = (np.tile(tile, (2, 2, 1)) < 250).any(axis=2)
    single = np.asarray(Image.open("exports/flowers/mask-contour-M.png"))
    masks = inked.sum() / (single < 250).any(axis=2).sum()
    assert masks == pytest.approx(round(masks), abs=0.03), "no mask lies on another"
    assert round(masks) in (4, 8)


def test_the_profile_of_a_print_shop(capsys: pytest.CaptureFixture[str]) -> None:
    shop = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    Path("shop.icc").write_bytes(bytes(shop))
    words = ["export", "design=flowers.png", "texels_per_mm=1", "printer.profile=shop.icc", *FEW]
    assert cli.main(words) == 0
    assert "proof-shop.png" in written("exports/flowers")
    assert cli.main([*words, "convert=true", "out=converted"]) == 0
    with Image.open("converted/mask-contour-M-shop.png") as picture:
        assert picture.info["icc_profile"] == bytes(shop)
    Path("broken.icc").write_bytes(b"not a profile at all")
    capsys.readouterr()
    assert cli.main([*words[:-2], "printer.profile=broken.icc", "out=x"]) == 2
    assert "broken.icc" in capsys.readouterr().err
    assert cli.main([*words[:-2], "convert=true", "out=x"]) == 2
    assert "printer.profile" in capsys.readouterr().err
    assert not Path("x").exists()


def test_inks_for_a_print_shop_go_into_a_tiff(capsys: pytest.CaptureFixture[str]) -> None:
    made = runpy.run_path(str(Path(__file__).parents[1] / "printers" / "made_profiles.py"))
    profile = made["cmyk"]()
    Path("inks.icc").write_bytes(profile)
    words = ["export", "design=flowers.png", "texels_per_mm=1", "proof=false", *FEW]
    assert cli.main([*words, "printer.profile=inks.icc", "convert=true"]) == 0
    names = written("exports/flowers")
    assert "mask-contour-M-inks-cmyk.tif" in names
    first = Path("exports/flowers/mask-contour-M-inks-cmyk.tif").read_bytes()
    with (
        Image.open(io.BytesIO(first)) as picture,
        Image.open("exports/flowers/mask-contour-M-inks.png") as shown,
    ):
        assert picture.mode == "CMYK"
        assert picture.size == shown.size
        assert picture.info["icc_profile"] == profile
        assert float(picture.info["dpi"][0]) == 72
        assert max(picture.getpixel((0, 0))) <= 2, "no ink beyond the bleed"
        back = ImageCms.profileToProfile(
            picture,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
        apart = np.abs(np.asarray(back).astype(int) - np.asarray(shown))
        assert np.median(apart) < 30, "about the same colours"
    assert cli.main([*words, "printer.profile=inks.icc", "convert=true", "out=again"]) == 0
    assert Path("again/mask-contour-M-inks-cmyk.tif").read_bytes() == first
    grey = made["grey"]()
    Path("grey.icc").write_bytes(grey)
    assert cli.main([*words, "printer.profile=grey.icc", "convert=true", "out=x"]) == 2
    assert "RGB or CMYK" in capsys.readouterr().err


def test_cmyk_pictures_are_converted_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("CMYK", (90, 60), (0, 255, 255, 0)).save("inks.tif")
    assert cli.main(["export", "design=inks.tif", "texels_per_mm=1", *FEW]) == 0
    assert "inks.tif holds CMYK colours" in capsys.readouterr().out
    with Image.open("exports/inks/mask-contour-M.png") as picture:
        red, green, blue = picture.getpixel((picture.width // 2, picture.height // 2))
    assert red > 200
    assert max(green, blue) < 60


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 6, "name a run folder or a picture"),
        (["design=gone.png"], 6, "no run folder or picture file"),
        (["design=flowers.png", "paper=cardboard"], 2, "WIDTHxHEIGHT"),
        (["design=flowers.png", "paper=100x100"], 2, "at least 140 mm"),
        (["design=flowers.png", "sizes=[XXL]"], 2, "no size 'XXL'"),
        (["design=flowers.png", "sizes=[]"], 2, "names no size"),
        (["design=flowers.png", "printing.dpi=20"], 2, "dpi"),
        (["design=flowers.png", "printer.profile=gone.icc"], 2, "gone.icc"),
        (["design=flowers.png", "repeat=true", "fabric.width_mm=200", "texels_per_mm=1"], 2, "narrower"),
        (["design=runs/unfinished"], 7, "has not finished"),
        (["design=runs/unfinished", "mask=pleated"], 2, "comes from the run"),
        (["design=runs/other"], 6, "does not fit"),
        (["design=runs/damaged"], 7, "results.json"),
        (["design=texture.png"], 6, "made for pattern pleated and not for contour"),
        (["design=printed.png"], 6, "is a print file"),
    ],
)
def test_what_the_user_can_mend(
    words: list[str],
    code: int,
    says: str,
    flawed: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(flawed)
    before = written()
    assert cli.main(["export", *words]) == code
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1
    assert written() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(capsys: pytest.CaptureFixture[str]) -> None:
    Path("locked").mkdir(mode=0o500)
    assert cli.main(["export", "design=flowers.png", "texels_per_mm=1", "out=locked", *FEW]) == 7
    assert "Cannot write" in capsys.readouterr().err


def test_a_file_of_the_users_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", "design=flowers.png", "texels_per_mm=1", "out=files", *FEW]
    assert cli.main(words) == 0
    lines = Path("files/mask-contour-M-lines.svg")
    lines.write_text(lines.read_text() + "<!-- mine -->")
    before = Path("files/mask-contour-M.png").read_bytes()
    assert cli.main([*words, "printing.bleed_mm=5"]) == 7
    assert "overwrite=true" in capsys.readouterr().err
    assert "mine" in lines.read_text()
    assert Path("files/mask-contour-M.png").read_bytes() == before, "all or none"
    assert cli.main([*words, "printing.bleed_mm=5", "overwrite=true"]) == 0
    assert "mine" not in lines.read_text()


def test_a_full_disk_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Path.write_bytes

    def full(self: Path, content: bytes) -> int:
        if self.suffix == ".pdf":
            raise OSError(28, "No space left on device")
        return real(self, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert cli.main(["export", "design=flowers.png", "texels_per_mm=1", "out=files", *FEW]) == 7
    assert "No space left" in capsys.readouterr().err
    assert written("files") == []


def test_what_a_proof_shows() -> None:
    from advmask.printers.settings import PrinterSettings
    from advmask.printing.proof import proof_png
    from advmask.textures.design_files import Design

    pattern = build_mask(MaskSettings(pattern="pleated")).pattern
    texels = torch.full((3, 190, 175), 0.5)
    texels[:, :, :88] = torch.tensor([0.0, 1.0, 0.0])[:, None, None]  # a green that no ink has
    design = Design(texels, pattern="pleated", texels_per_mm=1.0)
    inks = {
        "white": (0.9, 0.9, 0.9), "black": (0.02, 0.02, 0.02),
        "cyan": (0.02, 0.3, 0.6), "magenta": (0.6, 0.03, 0.2), "yellow": (0.8, 0.7, 0.02),
        "red": (0.6, 0.04, 0.04), "green": (0.02, 0.26, 0.08), "blue": (0.04, 0.05, 0.24),
    }  # fmt: skip
    content, share = proof_png(
        design, pattern, PrinterSettings.build({"inks": inks, "name": "x"}), name="x", facts={}
    )
    assert share == pytest.approx(0.5, abs=0.02)
    with Image.open(io.BytesIO(content)) as picture:
        pixels = np.asarray(picture)
    assert (pixels[100] == (255, 0, 76)).all(axis=1).any()
