"""The designs that ship: a made gallery for what the code does, the real one for what it holds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import advmask
import advmask.core.config_folders
import advmask.textures.gallery
from advmask import cli
from advmask.core.errors import DesignError
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.printing.design_export import export_files
from advmask.printing.gallery_words import card_page, listed, measured_sentence
from advmask.printing.settings import AskedPrinting, ExportSettings
from advmask.textures.design_files import Design, write_design
from advmask.textures.gallery import gallery_design, gallery_design_at, gallery_names, gallery_picture
from advmask.textures.settings import TextureSettings
from advmask.textures.starts import start_texels
from advmask.wearing.opened_design import load_design


def entry(name: str, aligner: str, plain: float, design: float) -> dict[str, Any]:
    def rate(value: float) -> dict[str, float]:
        return {"value": value, "low": 0.0, "high": 1.0}

    return {
        "recognizer": name, "aligner": aligner, "gallery": "bare", "fmr": 0.01, "threshold": 0.5,
        "probes": 92, "left_out": 0, "bare_tar": rate(1.0), "plain_mask": "white", "plain_tar": rate(plain),
        "design_tar": rate(design), "drop": rate(plain - design), "faces_not_found": 0,
    }  # fmt: skip


def card(*entries: dict[str, Any], others: tuple[str, ...] = ()) -> dict[str, Any]:
    names = list(dict.fromkeys(one["recognizer"] for one in entries))
    return {
        "title": "Stripes",
        "character": "Two colours side by side.",
        "inks": ["#ffffff", "#000000"],
        "licence": "MIT",
        "learned": {
            "trained_on": [name for name in names if name not in others],
            "not_trained_on": list(others),
            "people": 44, "start": "large_face", "near_start": True, "steps": 9, "batch": 12, "seed": 0,
            "command": "advmask train", "versions": {"advmask": "0", "torch": "2"},
        },
        "judged_under": "indoor",
        "measured": {
            "schema_version": 1, "design": "stripes", "pattern": "contour", "size": "M",
            "measured_on": "2026-11-30", "people": {"probed": 20, "held_out": True, "at_hand": 72},
            "draws": 1, "recognizers": list(entries), "weights_sha256": {}, "not_tested": ["a real print"],
            "says": "No promise.", "facts": {},
        },
    }  # fmt: skip


ENTRIES = (
    entry("dlib", "mtcnn", 0.3, 0.0),
    entry("dlib", "bare", 0.4, 0.05),
    entry("mobile", "mtcnn", 0.9, 0.06),
    entry("mobile", "bare", 0.95, 0.2),
)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gallery of one design in two inks."""
    folder = tmp_path / "designs" / "gallery"
    folder.mkdir(parents=True)
    height, width = build_mask(MaskSettings()).texture_size(3.0)
    texels = (torch.arange(width) // 30 % 2).float().expand(3, height, width)
    write_design(folder / "stripes.png", Design(texels, pattern="contour", texels_per_mm=3.0))
    (folder / "stripes.json").write_text(json.dumps(card(*ENTRIES)))
    monkeypatch.setattr(advmask.textures.gallery, "designs_dir", lambda: folder.parent)
    return folder


def test_a_design_is_opened_by_its_name(made: Path):
    assert gallery_names() == ["stripes"]
    design = advmask.load_design("gallery:stripes")
    assert (design.pattern, design.texels_per_mm, design.name) == ("contour", 3.0, "stripes.png")
    assert design.around is not None  # it was held near its start, and goes on as that does
    assert gallery_design_at(design.place) == gallery_design("stripes") == gallery_design("gallery:stripes")
    assert (
        gallery_design_at(made / "other.png") is gallery_design_at(None) is gallery_picture("a.png") is None
    )
    start = start_texels(
        "gallery:stripes",
        height=design.texels.shape[1],
        width=design.texels.shape[2],
        generator=torch.Generator(),
    )
    assert torch.equal(start, design.texels)
    assert TextureSettings(start="gallery:stripes").start == "gallery:stripes"


@pytest.mark.parametrize("name", ["gallery:stripe", "gallery:", "gallery:../stripes", "gallery:white"])
def test_an_unknown_name_is_refused_with_those_there_are(made: Path, name: str):
    with pytest.raises(DesignError, match=r"is in the gallery that ships.*stripes"):
        advmask.load_design(name)


@pytest.mark.parametrize("damage", ["", "[]", '{"title": "t"}', "{"])
def test_a_damaged_card_is_said(made: Path, damage: str):
    (made / "stripes.json").write_text(damage)
    with pytest.raises(DesignError, match=r"stripes\.json is damaged.*install advmask again"):
        gallery_design("stripes")


def test_the_sentence_gives_the_range_over_recognizers(made: Path):
    assert measured_sentence(gallery_design("stripes")) == (
        "Of photos of 20 people it was not trained on, two recognizers it was trained on still match "
        "0 to 6 % where the face is found anew (strongest plain mask: 30 to 90 %) and 5 to 20 % where the "
        "alignment is that of the bare photo (strongest plain mask: 40 to 95 %)."
    )
    worse = (*ENTRIES[:3], entry("mobile", "bare", 0.5, 0.6))
    (made / "stripes.json").write_text(json.dumps(card(*worse)))
    assert measured_sentence(gallery_design("stripes")).endswith(" mobile: no less than under a plain mask.")
    (made / "stripes.json").write_text(json.dumps(card(*ENTRIES, others=("mobile",))))
    said = measured_sentence(gallery_design("stripes"))
    assert "one recognizer it was trained on still matches 0 % where" in said
    assert "; one recognizer it was not trained on still matches 6 % where" in said
    assert "Not trained on it: mobile." in card_page(gallery_design("stripes"))


def test_the_list_and_the_card_are_printed(made: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["designs"]) == 0
    assert capsys.readouterr().out.startswith("gallery:stripes  Stripes; 2 inks: #ffffff, #000000\n")
    assert cli.main(["designs", "stripes"]) == 0
    page = capsys.readouterr().out
    assert "9 steps of 12 photos, from large_face, on 44 people, against dlib, mobile" in page
    assert "Not tested: a real print." in page
    assert cli.main(["designs", "stripe"]) == 6
    assert "Did you mean gallery:stripes?" in capsys.readouterr().err


def test_print_files_take_the_card_along(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", "gallery:stripes", "printing.dpi=72"]) == 0
    folder = tmp_path / "exports" / "stripes"
    kept = json.loads((folder / "card.json").read_text())
    assert kept["recognizers"] == list(ENTRIES)
    assert kept["facts"]["advmask:design"] == "stripes.png"
    with Image.open(folder / "card.png") as picture:
        assert min(picture.size) > 300
    assert (folder / "mask-contour-M-inks.svg").exists()


def test_the_card_says_the_size_that_was_measured(made: Path, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    monkeypatch.setattr(
        "advmask.printing.job_files.card_png", lambda *_, size, **__: said.append(size) or b"picture"
    )
    design = load_design(gallery_design("stripes").picture, mask=MaskSettings(size="L"))
    files, _ = export_files(design, ExportSettings(printing=AskedPrinting(dpi=72)), printer_named=False)
    assert files["card.png"] == b"picture"
    assert any("contour-L" in name for name in files)
    assert said == ["M"]


@pytest.mark.parametrize("name", gallery_names())
def test_each_that_ships_is_small_and_true_to_its_card(name: str):
    shipped = gallery_design(name)
    design = advmask.load_design(shipped.design)
    assert shipped.picture.stat().st_size < 1_000_000
    assert {"pattern": design.pattern, "size": design.size} == {
        key: shipped.measured[key] for key in ("pattern", "size")
    }
    assert design.texels.shape[1:] == build_mask(design.mask).texture_size(design.texels_per_mm)
    colours = (design.texels * 255).round().flatten(1).unique(dim=1)
    assert colours.shape[1] == len(shipped.inks) or not shipped.inks
    people = shipped.measured["people"]
    assert people["held_out"]
    assert people["probed"] == 20
    assert shipped.learned["start"] != "mean_face"  # nothing of a person travels
    learned = shipped.learned
    judged = {one["recognizer"] for one in shipped.measured["recognizers"]}
    assert judged == {*learned["trained_on"], *learned["not_trained_on"]}
    text = shipped.picture.with_suffix(".json").read_text(encoding="utf-8")
    assert not re.search(r"(?<![~\w])/\w", text), "no path of a machine"
    assert measured_sentence(shipped) in listed([shipped])


def test_all_that_ships_is_small():
    folder = advmask.core.config_folders.designs_dir() / "gallery"
    assert sum(file.stat().st_size for file in folder.glob("*")) < 1_500_000
