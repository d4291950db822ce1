"""Results as a table for the terminal."""

from collections.abc import Sequence

from advmask.evaluation.estimates import MARKS_EXPLAINED
from advmask.evaluation.summary import RecognizerResult
from advmask.evaluation.traits import FEWEST_PROBES

_ALIGNER_WORDS = {
    "mtcnn": "found and aligned afresh by MTCNN on the masked picture",
    "bare": "aligned as on the bare picture",
    "dlib5": "found and aligned afresh by dlib on the masked picture",
    "mesh468": "found by MTCNN and aligned afresh by 468 points on the masked picture",
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
        sign = -1 if result.measure == "distance" else 1
        head = (
            f"{result.recognizer}, {_ALIGNER_WORDS.get(result.aligner, f'aligned by {result.aligner}')}"
            f"{_GALLERY_WORDS[result.gallery]}: {result.probes} probes"
            + (f", {result.left_out} left out (no face found in some condition)" if result.left_out else "")
            + f"; threshold {_threshold(result)} at FMR {result.fmr:g} ({result.threshold_source})"
        )
        rows = [f"  {'condition':15}{result.measure:>11}{'match confidence':>26}{'TAR %':>24}{'no face':>9}"]
        for name, condition in result.conditions.items():
            value = sign * condition.similarity
            mark = " *" if name == result.strongest_plain else ""
            rows.append(
                f"  {name + mark:15}{value:>11.3f}{condition.match_confidence.text(3):>26}"
                f"{condition.tar.text(1, factor=100):>24}{condition.undetected:>9}"
            )
        for name, condition in result.conditions.items():
            if condition.drop is not None and name == "design" and result.probes < FEWEST_PROBES:
                rows.append(f"  {name}: {result.probes} probes are too few for a verdict")
            elif condition.drop is not None and name == "design":
                drop = condition.drop.text(1, factor=100)
                verdict = "below" if condition.drop.value > 0 else "NOT below"
                rows.append(
                    f"  {name}: TAR {verdict} that of the strongest plain mask (*); {drop} points lower"
                )
        blocks.append("\n".join([head, *rows]))
    if any(condition.tar.method for result in results for condition in result.conditions.values()):
        blocks.append(MARKS_EXPLAINED)
    return "\n\n".join(blocks)


def _threshold(result: RecognizerResult) -> str:
    sign = -1 if result.measure == "distance" else 1
    if result.threshold_interval is None:
        return f"{sign * result.threshold:.3f}"
    low, high = sorted(sign * end for end in result.threshold_interval)
    return f"{sign * result.threshold:.3f} [{low:.3f}, {high:.3f}]"
