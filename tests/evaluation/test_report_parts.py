"""Parts of the report: what was simulated, tables on narrow screens, folded parts, the command line."""

import html
import re
import shlex
from operator import itemgetter

import pytest

from advmask.effects.settings import EffectsSettings
from advmask.evaluation.estimates import Estimate
from advmask.evaluation.report.charts import bars_by_person
from advmask.evaluation.report.page import TEMPLATES
from advmask.evaluation.report.pieces import Table
from advmask.evaluation.report.provenance import provenance
from advmask.evaluation.report.simulated import printer_words, simulated
from advmask.evaluation.report.tables import impostor_tables, rate_tables
from advmask.evaluation.results import result_record
from advmask.evaluation.summary import ConditionResult, RecognizerResult
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
    columns = [(name, itemgetter(number)) for number, name in enumerate(("who", "a & b", "c"))]
    markup = PIECES.table(Table("t", columns, [("x", 1, 2), ("y", 3, 4)]))
    assert re.findall(r'data-label="([^"]*)"', markup) == ["a &amp; b", "c"] * 2
    assert markup.count('role="row"') == 3
    assert markup.count('role="rowheader"') == 2


def test_a_checksum_may_be_broken():
    assert f'<span class="sum">{"a1" * 32}</span>' in PIECES.table(
        Table("t", [("x", str), ("y", lambda one: one * 32)], ["a1"])
    )


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("12.0", "12.0"),
        ("12.0 [3.0, 20.0]", '12.0 <span class="i">[3.0, 20.0]</span>'),
        ("12.0 [3.0, 20.0]b *", '12.0 * <span class="i">[3.0, 20.0]b</span>'),
        ("12.0 [3.0, 20.0]t", '12.0 <span class="i">[3.0, 20.0]t</span>'),
        ("about [nothing", "about [nothing"),
    ],
)
def test_an_interval_keeps_the_mark_of_its_method(cell: str, shown: str):
    assert f">{shown}</td>" in PIECES.table(Table("t", [("x", str), ("y", str)], [cell]))


def test_tables_say_how_each_interval_was_made():
    estimates = {
        "many": Estimate(0.5, 0.4, 0.6, "bootstrap"),
        "few": Estimate(0.5, 0.3, 0.7, "binomial"),
        "drop": Estimate(0.0, -0.2, 0.2, "combined"),
        "others": Estimate(0.01, 0.0, 0.02, "student"),
    }
    plain = ConditionResult(
        0.4, estimates["many"], estimates["many"], 0, None, None, estimates["others"], 0.0
    )
    own = ConditionResult(0.4, estimates["few"], estimates["few"], 0, estimates["drop"], None, None, 0.0)
    conditions = {"bare": plain, "white": plain, "design": own}
    one = RecognizerResult("mine", "mtcnn", "bare", 0.01, 0.5, None, "here", 40, 2, "white", conditions)
    record = result_record([one], {})
    tar, _, confidence = (table.rows[0] for table in rate_tables(record))
    assert tar[3:] == ["50.0 [30.0, 70.0]b", "0.0 [-20.0, 20.0]c", "50.0 [40.0, 60.0]", "50.0 [40.0, 60.0] *"]
    assert confidence[2:] == ["0.50 [0.30, 0.70]b", "0.50 [0.40, 0.60]", "0.50 [0.40, 0.60]"]
    assert impostor_tables(record)[0].rows[0][4] == "1.00 [0.00, 2.00]t"


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
