"""The page as a whole: what is shown is computed by these modules, how is said by the templates."""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from advmask.evaluation.estimates import MARKS_EXPLAINED
from advmask.evaluation.protocol import Judgement
from advmask.evaluation.report.answer import answer
from advmask.evaluation.report.charts import setup_charts
from advmask.evaluation.report.face_pictures import examples, worst_and_best
from advmask.evaluation.report.names import main_results
from advmask.evaluation.report.person_by_person import person_by_person
from advmask.evaluation.report.plain_part import plain_part
from advmask.evaluation.report.provenance import provenance
from advmask.evaluation.report.tables import (
    breakdown_table,
    impostor_tables,
    linkability_table,
    pairs_tables,
    rate_tables,
    shown_table,
    transfer_matrix,
    worn_table,
)

# Every value is escaped; one that is missing is an error.
TEMPLATES = Environment(
    loader=PackageLoader("advmask.evaluation.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.tests["checksum"] = re.compile("[0-9a-f]{40,}").fullmatch


def report_page(record: Mapping[str, Any], judgement: Judgement, *, pictures: bool = True) -> str:
    """One self-contained HTML page: no scripts, nothing loaded from elsewhere.

    Args:
        record: Of `results.json`.
        judgement: The scores and the probes behind it.
        pictures: Show faces and names; without, people are numbered.
    """
    names = {
        name: name.replace("_", " ") if pictures else f"person {number}"
        for number, name in enumerate(dict.fromkeys(judgement.stage.photos.names), 1)
    }
    plain = next((one["strongest_plain"] for one in main_results(record) if one["strongest_plain"]), None)
    return TEMPLATES.get_template("page.html.j2").render(
        design=(record.get("design") or {}).get("name"),
        date=record.get("date", "an unknown date"),
        version=(record.get("packages") or {}).get("advmask", ""),
        pictures=pictures,
        answer=answer(record),
        plain=plain_part(record),
        examples=examples(judgement, plain, names) if pictures else [],
        marks=MARKS_EXPLAINED,
        matrix=transfer_matrix(record),
        rates=rate_tables(record),
        impostors=impostor_tables(record),
        linkability=linkability_table(record),
        pairs=pairs_tables(record),
        worn=worn_table(record),
        shown=shown_table(record),
        detector=((record.get("settings") or {}).get("protocol") or {}).get("mask_detector"),
        breakdown=breakdown_table(record),
        charts=[setup_charts(one) for one in judgement.judged],
        people=person_by_person(judgement.judged, record, names),
        cases=worst_and_best(judgement, names) if pictures else None,
        provenance=provenance(record, show_people=pictures),
    )
