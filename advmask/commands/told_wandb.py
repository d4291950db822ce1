"""Final figures and the card of a run, for its record at Weights & Biases if it has one."""

from collections.abc import Sequence
from pathlib import Path

from advmask.evaluation.findings import CARD
from advmask.evaluation.summary import RecognizerResult
from advmask.training.run_folder import RunFolder


def tell_of(folder: Path, results: Sequence[RecognizerResult], *, what: str, here_only: bool = False) -> None:
    """Send rates of the bare face, of the strongest plain mask and of the design, by recognizer and aligner.

    Args:
        folder: Of the run.
        results: What was measured.
        what: First part of their names: `check` or `evaluate`.
        here_only: Keep them on this machine even where the run was sent: nobody asked for that now, and the
            run may be somebody else's.
    """
    run = RunFolder(folder)
    settings = run.read_settings()
    if settings.logger.kind != "wandb":
        return
    from advmask.training.wandb_log import tell_wandb_after  # it loads Lightning, three seconds

    figures = {}
    for one in results:
        place = f"{what}/{one.recognizer}/{one.aligner}/{one.gallery}/fmr_{one.fmr:g}"
        for name in ("bare", one.strongest_plain, "design"):
            if name in one.conditions:
                shown = "plain" if name == one.strongest_plain else name
                condition = one.conditions[name]
                figures[f"{place}/{shown}/tar"] = condition.tar.value
                figures[f"{place}/{shown}/match_confidence"] = condition.match_confidence.value
    tell_wandb_after(settings, run, pictures={"card": folder / CARD}, figures=figures, here_only=here_only)
