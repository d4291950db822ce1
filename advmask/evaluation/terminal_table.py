"""Results as a table for the terminal."""

from collections.abc import Sequence

from advmask.evaluation.estimates import MARKS_EXPLAINED, Estimate
from advmask.evaluation.summary import RecognizerResult
from advmask.evaluation.traits import FEWEST_PROBES

_ALIGNER_WORDS = {
    "mtcnn": "re-detected and aligned by MTCNN on the masked picture",
    "bare": "aligned as on the bare picture",
    "dlib5": "re-detected and aligned by dlib on the masked picture",
    "maker": "re-detected and aligned as its maker does, photos enrolled too",
    "box": "cropped to MTCNN's box on the masked picture and not aligned",
    "three-point": "re-detected by MTCNN on the masked picture and aligned by eyes and mouth",
    "mesh468": "re-detected by MTCNN and aligned by 468 points on the masked picture",
}
_GALLERY_WORDS = {
    "bare": "",
    "masked": ", enrolled with masked photos",
    "pooled": ", enrolled with bare and masked photos",
}


def results_table(results: Sequence[RecognizerResult]) -> str:
    """Lay out results, one block per recognizer and aligner."""
    blocks = []
    for result in results:
        head = (
            f"{result.recognizer}, {_ALIGNER_WORDS.get(result.aligner, f'aligned by {result.aligner}')}"
            f"{_GALLERY_WORDS[result.gallery]}: {result.probes} probes"
            + (f", {result.left_out} left out (no face found in some condition)" if result.left_out else "")
        )
        ends, source = result.threshold_interval, result.threshold_source
        threshold = threshold_words(result.threshold, ends, result.fmr, source, result.measure)
        table = [("condition", result.measure, "match confidence", "TAR %", "no face")]
        table += [
            (
                f"{name} *" if name == result.strongest_plain else name,
                similarity_text(condition.similarity, result.measure),
                condition.match_confidence.text(3),
                condition.tar.text(1, factor=100),
                str(condition.undetected),
            )
            for name, condition in result.conditions.items()
        ]
        rows = lined_up(table)
        for name, condition in result.conditions.items():
            if condition.drop is not None and name == "design" and result.probes < FEWEST_PROBES:
                rows.append(f"  {name}: {result.probes} probes are too few for a verdict")
            elif condition.drop is not None and name == "design":
                drop = condition.drop.text(1, factor=100)
                verdict = "below" if condition.drop.value > 0 else "NOT below"
                rows.append(
                    f"  {name}: TAR {verdict} that of the strongest plain mask (*); {drop} points lower"
                )
        blocks.append("\n".join([f"{head}; {threshold}", *rows]))
    if any(condition.tar.method for result in results for condition in result.conditions.values()):
        blocks.append(MARKS_EXPLAINED)
    return "\n\n".join(blocks)


def threshold_words(
    threshold: float, interval: tuple[float, float] | None, fmr: float, source: str, measure: str
) -> str:
    """A threshold with its interval, of what, and where from."""
    sign = -1 if measure == "distance" else 1
    low, high = (None, None) if interval is None else sorted(sign * end for end in interval)
    return f"threshold {Estimate(sign * threshold, low, high).text(3)} at FMR {fmr:g} ({source or 'stored'})"


def similarity_text(value: float, measure: str) -> str:
    """A similarity, or the distance that it is minus of; a dash where there is none."""
    return Estimate(-value if measure == "distance" else value).text(3)


def lined_up(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as indented lines with columns under each other, all but the first flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
