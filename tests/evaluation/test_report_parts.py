"""Parts of the report: what was simulated, tables on narrow screens, folded parts, the command line."""

import html
import re
import shlex

import pytest

from advmask.effects.settings import EffectsSettings
from advmask.evaluation.report.charts import bars_by_person
from advmask.evaluation.report.page import TEMPLATES
from advmask.evaluation.report.pieces import Table
from advmask.evaluation.report.provenance import provenance
from advmask.evaluation.report.simulated import printer_words, simulated
from advmask.printers.settings import PrinterSettings

PIECES = TEMPLATES.get_template("pieces.html.j2").module


def settings(effects: EffectsSettings, printer: PrinterSettings | None = None) -> dict[str, object]:
    return {
        "effects": effects.model_dump(mode="json"),
        "printer": (printer or PrinterSettings()).model_dump(mode="json"),
    }


def test_no_effects_are_said_to_be_none():
    lines = simulated(settings(EffectsSettings()))
    assert lines[-1] == "No printer was simulated: colours are those of the file."
    assert lines[0].startswith("Not simulated: how the mask sits, fabric, light, camera")
    assert len(lines) == 2


def test_effects_are_given_with_units_and_switched_off_ones_left_out():
    given = {"wear": {"slip_mm": 8.0, "tilt_deg": 3.0}, "fabric": {"white": 0.15}}
    on = " ".join(simulated(settings(EffectsSettings.build(given))))
    assert "slipped up to 8 mm down, tilted up to 3 degrees" in on
    assert "up to 15 % darker than ideal white" in on
    off = " ".join(simulated(settings(EffectsSettings.build({**given, "without": ["wear"]}))))
    assert "slipped" not in off
    assert "15 %" in off


@pytest.mark.parametrize(
    ("printer", "expected"),
    [
        (PrinterSettings(), "No printer was simulated"),
        (PrinterSettings(finest_mm=1.0), "No printer was simulated"),
        (PrinterSettings(name="office_inkjet", spread_mm=0.2), "Printer simulated: office inkjet."),
        (PrinterSettings(spread_mm=0.2), "Printer simulated: one of your own"),
    ],
)
def test_the_printer_is_named_where_it_does_something(printer: PrinterSettings, expected: str):
    assert printer_words(settings(EffectsSettings(), printer)).startswith(expected)


def test_a_record_without_settings_says_so():
    assert simulated(None) == ["Which effects were simulated is not recorded."]


def test_each_cell_carries_the_heading_of_its_column_for_narrow_screens():
    markup = PIECES.table(Table("t", ("who", "a & b", "c"), [("x", 1, 2), ("y", 3, 4)]))
    assert re.findall(r'data-label="([^"]*)"', markup) == ["a &amp; b", "c"] * 2
    assert markup.count('role="row"') == 3
    assert markup.count('role="rowheader"') == 2


def test_a_checksum_may_be_broken():
    assert f'<span class="sum">{"a1" * 32}</span>' in PIECES.table(Table("t", ("x", "y"), [("x", "a1" * 32)]))


def test_folded_parts_stand_outside_the_details_so_that_they_print():
    markup = PIECES.folded("more", caller=lambda: "inside")
    assert "inside" not in markup[: markup.index("</details>")]
    assert "inside" in markup


def test_a_long_name_keeps_its_count():
    chart = PIECES.chart(bars_by_person({f"{'long ' * 12}(4)": (1.0, 0.0)}, title="t", names=("w", "d")))
    assert re.search(r"…\s*\(4\)<", chart)


def test_the_command_line_is_one_and_names_nobody_without_pictures():
    record = {
        "schema": 3,
        "date": "2030-01-02",
        "design": {"name": "it", "texels_sha256": "-"},
        "settings": {
            "design": "runs/my design",
            "faces": {"root": "people/ada"},
            "recognizers": ["dlib", "facenet:vggface2"],
            "protocol": {"seed": 1, "galleries": ["bare", "pooled"], "progress": True},
        },
    }
    template = TEMPLATES.get_template("how_to_repeat.html.j2")
    page = template.render(provenance=provenance(record, show_people=True))
    assert "2030-01-02" in page
    (shown,) = re.findall(r"<pre>(advmask evaluate .*?)</pre>", page, re.DOTALL)
    words = shlex.split(html.unescape(shown))
    assert words[:3] == ["advmask", "evaluate", 'design="runs/my design"']
    assert 'protocol.galleries=["bare", "pooled"]' in words
    assert not [word for word in words if word.startswith("protocol.progress")]
    hidden = template.render(provenance=provenance(record, show_people=False))
    assert "ada" not in hidden
    assert "my design" not in hidden
