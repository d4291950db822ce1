"""The page as a whole."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from advmask.evaluation.protocol import Judgement
from advmask.evaluation.report.cases import examples, worst_and_best
from advmask.evaluation.report.figures import (
    breakdown_table,
    curve_part,
    impostor_tables,
    rate_tables,
    transfer_matrix,
)
from advmask.evaluation.report.glossary import glossary
from advmask.evaluation.report.html import folded, paragraph, section, text
from advmask.evaluation.report.names import main_results
from advmask.evaluation.report.person_by_person import people_part
from advmask.evaluation.report.provenance import provenance
from advmask.evaluation.report.words import plain_part

_METHOD = (
    "Probes are photos times draws of how the mask sits, prints, is lit and photographed; every condition "
    "has the same photos, placements and draws. A probe is compared with the mean embedding of the person's "
    "other photos. Thresholds come from bare photos against the templates of other people at hand; a design "
    "cannot touch those. A probe without a face found in one condition is left out of all.",
    "Intervals are 95 % by resampling people, who bring all their probes; quantiles are expanded for few "
    "people. Where fewer than ten people stand behind the hits, or behind the misses, they are binomial: as "
    "many trials as people, or more where probes of one person are seen to differ; a rate of exactly 0 or "
    "100 % has the exact bound over people. The drop below the strongest plain mask is paired over probes; "
    "the strongest is chosen on these same probes, which makes the drop a little smaller than one against a "
    "mask chosen beforehand.",
    "Curves: wearers under each condition against bare faces as impostors, down to the smallest rate the "
    "comparisons at hand support.",
)
_PAGE = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    "style-src 'unsafe-inline'\">"
    "<title>{title}</title><style>{style}</style></head><body>{body}</body></html>\n"
)


def report_page(record: Mapping[str, Any], judgement: Judgement, *, pictures: bool = True) -> str:
    """One self-contained HTML page: no scripts, nothing loaded from elsewhere.

    Args:
        record: Of `results.json`.
        judgement: The scores and the probes behind it.
        pictures: Show faces and names; without, people are numbered.
    """
    people = list(dict.fromkeys(judgement.stage.photos.names))
    names = {
        name: name.replace("_", " ") if pictures else f"person {number}"
        for number, name in enumerate(people, 1)
    }
    results = main_results(record)
    plain = next((one["strongest_plain"] for one in results if one["strongest_plain"]), None)
    faces = examples(judgement, plain, names) if pictures else paragraph("Pictures were left out.")
    design = (record.get("design") or {}).get("name")
    title = f"What face recognition makes of {f'the mask design “{design}”' if design else 'a mask design'}"
    body = [
        f"<main><h1>{text(title)}</h1>",
        f'<p class="note">Measured on {text(record.get("date", "an unknown date"))} with advmask '
        f"{text((record.get('packages') or {}).get('advmask', ''))}. A measurement, not a promise.</p>",
        plain_part(record, faces),
        section(
            2,
            "For researchers",
            *(paragraph(line) for line in _METHOD),
            section(3, "Words", glossary()),
            section(3, "Recognizers and aligners", transfer_matrix(record)),
            section(3, "Rates", folded("Tables of all rates", rate_tables(record))),
            section(
                3,
                "Impostors, thresholds, detection, landmarks",
                folded(
                    "Tables of impostors, thresholds, faces not found, landmarks", impostor_tables(record)
                ),
            ),
            section(
                3,
                "Turn of the head, size, light",
                folded("Table of rates in thirds of the probes", breakdown_table(record)),
            ),
            section(
                3,
                "Curves and distributions",
                folded(f"Charts of all set-ups ({len(judgement.judged)})", curve_part(judgement.judged)),
            ),
            section(3, "Person by person", people_part(judgement.judged, record, names)),
            section(
                3,
                "Worst and best pictures",
                worst_and_best(judgement, names) if pictures else paragraph("Pictures were left out."),
            ),
        ),
        section(2, "How to repeat this", provenance(record, show_people=pictures)),
        "</main>",
    ]
    style = (resources.files("advmask.evaluation.report") / "style.css").read_text(encoding="utf-8")
    return _PAGE.format(title=text(title), style=style, body="".join(body))
