"""Settings of what is made of runs that were measured: tables and figures."""

from typing import Literal

from pydantic import Field

from advmask.core.settings import Settings
from advmask.photos.settings import GivenPath

Figure = Literal["tar", "match_confidence", "drop", "rank1", "others_fmr", "similarity", "displacement"]


class CollectSettings(Settings):
    """`advmask collect`: runs as tables, one row each, and recipes over their seeds; docs/sweeps.md.

    Attributes:
        sweeps: Folders of sweeps, or run folders.
        columns: Settings shown, by dotted names; None takes those that differ.
        figures: Shown for each recognizer and aligner; CSV and JSON have all of them.
        against: Recipe that the others are tested against, by its name, or by that of a run of it; None
            takes the first.
        tested: Figure of the tests.
        seed: Of the tests.
        out: Folder for the tables; None is the first folder named.
    """

    sweeps: list[str] = Field(min_length=1)
    columns: list[str] | None = None
    figures: list[Figure] = Field(default=["tar", "drop"], min_length=1)
    against: str | None = None
    tested: Literal["tar", "match_confidence"] = "tar"
    seed: int = Field(default=1, ge=0)
    out: GivenPath = None


class FiguresSettings(Settings):
    """`advmask figures`: SVG and PDF next to the report of each run; docs/sweeps.md.

    Attributes:
        runs: Run folders, or folders of sweeps.
        figures: Which; those of several runs together are rates and course.
        formats: Of the files.
        names: Write the names of people where they stand side by side; false numbers them.
        probes: Looked at for the saliency.
        steps: For the saliency, from the plain mask to the design.
        style: A matplotlib style sheet whose values stand over ours.
        out: Folder for the figures; None takes those of the runs.
    """

    runs: list[str] = Field(min_length=1)
    figures: list[Literal["roc", "det", "scores", "people", "saliency", "course", "rates"]] = Field(
        default=["roc", "det", "scores", "people", "saliency", "course", "rates"], min_length=1
    )
    formats: list[Literal["svg", "pdf", "png"]] = Field(default=["svg", "pdf"], min_length=1)
    names: bool = False
    probes: int = Field(default=32, ge=1)
    steps: int = Field(default=8, ge=1, le=256)
    style: GivenPath = None
    out: GivenPath = None
