"""What an evaluation found: results as objects, as rows for a data frame, as a table, and as files."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from advmask.core.files import write_text, write_with
from advmask.core.locks import alone_in
from advmask.evaluation.estimates import Estimate
from advmask.evaluation.pairs import PairScores
from advmask.evaluation.probe_scores import BARE
from advmask.evaluation.protocol import Judgement
from advmask.evaluation.report.page import report_page
from advmask.evaluation.result_tables import csv_table, figure, latex_of, markdown_of
from advmask.evaluation.results import write_record
from advmask.evaluation.score_files import write_comparisons, write_pairs, write_scores
from advmask.evaluation.summary import RecognizerResult
from advmask.evaluation.terminal_table import lined_up, results_table
from advmask.evaluation.traits import photo_traits
from advmask.evaluation.visitor_card import card_png, card_svg

RECORD, REPORT, CARD = "results.json", "report.html", "card.png"
_PATIENCE_S = 60.0  # writing takes some seconds
_ELSE = "wait until it ends, or name another folder with hydra.run.dir=DIR"
_FIGURES = ("tar", "match_confidence", "drop", "rank1", "others_fmr", "similarity", "displacement")
_WHOM = {
    True: " (whom the design was not trained on)",
    False: " (the design was trained on some or all of them)",
    None: "",
}


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """A design measured against recognizers and control masks.

    Attributes:
        results: Of every recognizer, aligner, gallery and false match rate; `main` are those at the first.
        record: What `results.json` holds: the results, and what they depend on; see docs/results.md.
        judgement: Scores of every probe, and the stage, from which probes can be looked at once more.
        pairs: Scores of the pairs of `protocol.pairs`.
    """

    results: Sequence[RecognizerResult]
    record: dict[str, Any]
    judgement: Judgement = field(repr=False)
    pairs: Sequence[PairScores] = ()

    @property
    def main(self) -> list[RecognizerResult]:
        """Results at the first false match rate."""
        return [one for one in self.results if one.fmr == self.results[0].fmr]

    def rows(self) -> list[dict[str, Any]]:
        """One flat row for each figure, as `pandas.DataFrame` takes them.

        Returns:
            Rows with `recognizer`, `column` (trained on it, or how far from that), `aligner`, `gallery`,
            `fmr`, `condition` (`bare`, a control or `design`), `figure`, `value`, the 95 % interval over
            people from `low` to `high` with the `method` it was made by (None without one), and `n` probes.
            Figures are `tar`, `match_confidence`, `drop` of TAR below the strongest plain mask, `rank1` and
            `others_fmr`, shares between 0 and 1, and the means of `similarity` and `displacement`.
        """
        rows = []
        for one in self.results:
            about = self.record["recognizers"].get(one.recognizer, {})
            head = {
                "recognizer": one.recognizer,
                "column": about.get("column"),
                "aligner": one.aligner,
                "gallery": one.gallery,
                "fmr": one.fmr,
            }
            for condition, found in one.conditions.items():
                for name in _FIGURES:
                    value = getattr(found, name)
                    if value is not None:
                        estimate = value if isinstance(value, Estimate) else Estimate(value)
                        about = {"condition": condition, "figure": name}
                        rows.append(head | about | asdict(estimate) | {"n": one.probes})
        return rows

    def table(self) -> str:
        """The table of the terminal: all conditions at the first false match rate."""
        return results_table(self.main)

    def text(self) -> str:
        """The table, who was probed, and what was not measured."""
        people = self.record["people"]
        names, rate = people["probed"], self.main[0].fmr
        who = "1 person" if len(names) == 1 else f"{len(names)} people"
        brackets = (
            "in brackets 95 % intervals over people" if len(names) > 1 else "one person gives no intervals"
        )
        missing = [
            f"\nNot given at FMR {one['fmr']:g} for {one['recognizer']} ({one['gallery']} gallery): "
            f"{one['reason']}"
            for one in self.record["unsupported"]
            if one["fmr"] == rate
        ]
        return "\n".join(
            [
                f"\n{who}{_WHOM[people['held_out']]}; {brackets}.\n",
                self.table(),
                *dict.fromkeys(missing),
                *self._linked(),
                *self._paired(),
                *self._worn(),
                *self._shown(),
                "\nMeasured on these photos, recognizers and simulated effects only: not a printed mask, not "
                "other recognizers, not a promise.",
                f"\nFor a label or a post:\n{self.record['sentence']}",
            ]
        )

    def _linked(self) -> list[str]:
        """Whether the design links its wearers, next to a plain mask."""
        rows = [("all wear the same", "aligner", "mask", "same person %", "different people %")]
        rows += [
            (
                one["recognizer"],
                one["aligner"],
                one["condition"],
                figure(one["same"], factor=100, digits=1),
                figure(one["others"], factor=100, digits=1),
            )
            for one in self.record["linkability"]
            if one["condition"] != BARE and one["probes"]
        ]
        if len(rows) == 1:
            return []
        return ["\nMatched where everybody is known under the same mask as on the probe:", *lined_up(rows)]

    def _paired(self) -> list[str]:
        """Rates of the pairs of photos that a list names."""
        rows = [("recognizer", "aligner", "mask", "TAR %", "EER %", "strangers matched %", "TAR lower by")]
        for one in self.record["pairs"]:
            rows += [
                (
                    one["recognizer"],
                    one["aligner"],
                    f"{name} *" if name == one["strongest_plain"] else name,
                    *(figure(found[rate], factor=100, digits=1) for rate in ("tar", "eer")),
                    figure(found["others_fmr"], factor=100, digits=2),
                    figure(found["drop"], factor=100, digits=1),
                )
                for name, found in one["conditions"].items()
            ]
        if len(rows) == 1:
            return []
        counts = "; ".join(
            dict.fromkeys(
                f"{one['same']:,} of one person and {one['different']:,} of strangers ({one['aligner']})"
                for one in self.record["pairs"]
            )
        )
        return [
            f"\nPairs, the first photo bare and the mask on the second: {counts}; at FMR "
            f"{self.record['pairs'][0]['fmr']:g} of bare faces:",
            *lined_up(rows),
        ]

    def _worn(self) -> list[str]:
        """Real plain masks next to drawn ones."""
        rows = [("real plain masks", "aligner", "enrolled", "worn", "drawn", "drawn lower by", "no face")]
        rows += [
            (
                one["recognizer"],
                one["aligner"],
                one["gallery"],
                figure(one["tar"], factor=100, digits=1),
                ", ".join(
                    f"{each} {figure(drawn, factor=100, digits=1)}" for each, drawn in one["drawn"].items()
                ),
                figure(one["drawn_lower_by"], factor=100, digits=1),
                f"{one['not_found']} of {one['photos'] + one['not_found']}",
            )
            for one in self.record["worn"]
        ]
        if len(rows) == 1:
            return []
        count = max(one["people"] for one in self.record["worn"])
        who = "1 person" if count == 1 else f"{count} people"
        return [f"\nTAR % under real plain masks (faces.masked), {who}:", *lined_up(rows)]

    def _shown(self) -> list[str]:
        """What the masks show besides, where a mask detector was asked."""
        found = [one for one in self.record["shown"] if one["called_masked"]]
        if not found:
            return []
        aligners = list(found[0]["found"])
        rows = [("what the masks show", *(f"face found by {name} %" for name in aligners), "called masked %")]
        rows += [
            (
                one["condition"],
                *(figure(one["found"][name], factor=100, digits=1) for name in aligners),
                figure(one["called_masked"], factor=100, digits=1),
            )
            for one in found
        ]
        return ["", *lined_up(rows)]

    def write(self, folder: str | Path, *, pictures: bool = True) -> Path:
        """Write `results.json` and what belongs to it: scores, tables, the card, the report.

        Args:
            folder: Where to; an earlier evaluation there is kept under a number. Two processes write one
                after the other.
            pictures: Show faces and names in the report.

        Returns:
            The report.

        Raises:
            RunError: The folder cannot be written to.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with alone_in(folder, wait_s=_PATIENCE_S, taken=f"Another advmask is writing to {folder}; {_ELSE}."):
            write_record(folder / RECORD, self.record)
            stage = self.judgement.stage
            traits = photo_traits(stage.photos.crops, [photo for photo, _ in stage.probes])
            write_scores(folder / "scores.csv.gz", self.judgement.judged, traits)
            write_comparisons(folder / "comparisons.csv.gz", self.judgement.judged)
            if self.pairs:
                write_pairs(folder / "pairs.csv.gz", self.pairs)
            write_text(folder / "results.csv", csv_table(self.record))
            write_text(folder / "results.md", markdown_of(self.record))
            write_text(folder / "results.tex", latex_of(self.record))
            write_text(folder / "card.svg", card_svg(self.record))
            write_with(folder / CARD, lambda aside: aside.write_bytes(card_png(self.record)))
            write_text(folder / REPORT, report_page(self.record, self.judgement, pictures=pictures))
        return folder / REPORT

    def __repr__(self) -> str:
        lines = [f"Evaluation of {self.record['design']['name']}, TAR at FMR {self.main[0].fmr:g}:"]
        for one in self.main:
            about = f"  {one.recognizer}, aligner {one.aligner}, gallery {one.gallery}, {one.probes} probes:"
            tars = (f"{name} {found.tar.text(1, factor=100)} %" for name, found in one.conditions.items())
            lines.append(f"{about} {', '.join(tars)}")
        return "\n".join(lines)
