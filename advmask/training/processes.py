"""Which of the processes of a run this is, known before Lightning is set up."""

from pytorch_lightning.utilities import rank_zero_only


def is_first_process() -> bool:
    """Whether this process is the only one of its run, or the one of them that writes files and speaks."""
    return int(getattr(rank_zero_only, "rank", 0) or 0) == 0
