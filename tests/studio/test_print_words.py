"""The notes of an export in plain words: every one that it has is known."""

import re
from pathlib import Path

import pytest
import torch

from advmask.core.changed_settings import changed
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.printing.design_export import export_files
from advmask.printing.settings import ExportSettings
from advmask.studio.print_words import NOTES, plain_notes
from advmask.textures.design_files import Design

PAGE = Path(__file__).parents[2] / "advmask" / "studio" / "page"


def words_of(inks: list[list[float]], printer: str) -> list[str]:
    height, width = build_mask(MaskSettings()).texture_size(0.5)
    colours = torch.tensor(inks, dtype=torch.float32)
    texels = colours[torch.arange(width) * len(inks) // width].T[:, None].expand(3, height, width)
    design = Design(texels.clone(), pattern="contour", texels_per_mm=0.5)
    given = {"printer": printer, "paper": "a4", "printing": {"dpi": 72}}
    return export_files(design, changed(ExportSettings(), given), printer_named=True)[1]


@pytest.fixture(scope="module")
def said() -> list[str]:
    return words_of([[0, 1, 0], [1, 0, 1]], "sublimation") + words_of([[0.2, 0.2, 0.2]], "none")


def test_every_note_of_an_export_is_known(said: list[str]):
    notes = plain_notes(["Written to /somewhere/mask.png", *said])
    assert [note for note in notes if "text" in note] == []
    assert {note["name"] for note in notes} == set(NOTES)
    inks = next(note for note in notes if note["name"] == "inks")
    assert inks["values"][0] == "2"
    assert inks["values"][1].split(", ") == ["#00ff00", "#ff00ff"]


def test_the_page_has_a_sentence_for_each_that_names_no_setting(said: list[str]):
    script = (PAGE / "prints.js").read_text(encoding="utf-8")
    sentences = dict(re.findall(r'^  (\w+): w\("([^"]+)"\),$', script, re.MULTILINE))
    assert set(sentences) == set(NOTES)
    assert not any(re.search(r"=|\w_\w|\w\.\w", text) for text in sentences.values())
    for note in plain_notes(said):
        holes = re.findall(r"\{(\d)\}", sentences[note["name"]])
        assert all(int(hole) < len(note["values"]) for hole in holes)


def test_nothing_is_said_of_a_print_that_has_all_its_colours():
    line = "proof-x.png: 0 % of the mask cannot be printed as asked (Delta E 2000 above 3)."
    assert plain_notes([line, line.replace("0 %", "7 %", 1)]) == [
        {"name": "gamut", "values": ["proof-x.png", "7"]}
    ]
