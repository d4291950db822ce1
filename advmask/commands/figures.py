"""`advmask figures`: what was measured as vector graphics, next to the report of each run."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping
from advmask.core.errors import AdvmaskError, RunError
from advmask.core.memory import keep_freed_memory
from advmask.evaluation.at_hand import AtHand
from advmask.evaluation.figures.course_figure import course_figure
from advmask.evaluation.figures.curves_figure import bands_of, curves_figure
from advmask.evaluation.figures.figure_style import styled, write_figure
from advmask.evaluation.figures.measured import Measured, measured
from advmask.evaluation.figures.people_figure import people_figure
from advmask.evaluation.figures.rates_figure import rates_figure
from advmask.evaluation.figures.saliency_figure import saliency_figure
from advmask.evaluation.figures.saliency_of_run import saliency_of_run
from advmask.evaluation.figures.scores_figure import scores_figure
from advmask.evaluation.sweeps.collected import collect
from advmask.evaluation.sweeps.measured_runs import Run, is_sweep, read_runs
from advmask.evaluation.sweeps.recipes import recipes
from advmask.evaluation.sweeps.settings import FiguresSettings
from advmask.training.csv_log import read_log
from advmask.training.plot import curves_of
from advmask.training.run_folder import RunFolder

_log = logging.getLogger(__name__)

FOLDER = "figures"


def run(config: DictConfig) -> None:
    """Draw what the files of each run allow, and of several runs what they are together."""
    settings = FiguresSettings.build(as_mapping(config))
    keep_freed_memory()
    runs = read_runs(settings.runs)
    written: list[Path] = []
    with styled(settings.style):
        for place, name, figure in [*_together(runs, settings), *_of_each(runs, settings)]:
            written += write_figure(place, name, figure, settings.formats)
    if not written:
        raise RunError(
            f"Nothing was found to draw {', '.join(settings.figures)} from; train ends with metrics.csv, and "
            "advmask evaluate writes the scores."
        )
    print("\n".join(f"Written to {path}" for path in written))


Drawn = tuple[Path, str, Any]


def _together(runs: Sequence[Run], settings: FiguresSettings) -> Iterator[Drawn]:
    """Figures of several runs: into the folder of the sweep, or that which is named for them."""
    if len(runs) < 2:
        return
    place = settings.out or next((Path(name) for name in settings.runs if is_sweep(Path(name))), None)
    if place is None:
        _log.warning("Figures of all these runs together are left out: name a folder for them with out=DIR.")
        return
    if "rates" in settings.figures and any(one.results for one in runs):
        yield place / FOLDER, "rates", rates_figure(collect(runs), "tar")
    if "course" in settings.figures:
        courses = {one.name: [_course(each) for each in one.runs] for one in recipes(runs)}
        if any(map(any, courses.values())):
            yield place / FOLDER, "course", course_figure(courses)


def _of_each(runs: Sequence[Run], settings: FiguresSettings) -> Iterator[Drawn]:
    at_hand = AtHand()
    for number, one in enumerate(runs):
        place = (
            (settings.out / f"{number}" if len(runs) > 1 else settings.out) if settings.out else one.folder
        )
        for name, figure in _of_run(one, settings, at_hand):
            yield place / FOLDER, name, figure


def _of_run(one: Run, settings: FiguresSettings, at_hand: AtHand) -> Iterator[tuple[str, Any]]:
    setups = measured(one)
    with_others = [each for each in setups if len(each.impostor)]
    with_plain = [each for each in setups if each.plain and "design" in each.conditions()]
    kinds = [kind for kind in ("roc", "det") if kind in settings.figures and with_others]
    curves = bands_of(with_others) if kinds else []
    for kind in kinds:
        yield kind, curves_figure(with_others, curves, missed=kind == "det")
    if "scores" in settings.figures and setups:
        yield "scores", scores_figure(setups)
    if "people" in settings.figures and _several_people(with_plain):
        yield "people", people_figure(with_plain, names=settings.names)
    if "course" in settings.figures and (course := _course(one)):
        yield "course", course_figure({one.name: [course]})
    if "saliency" in settings.figures and one.measured is not None and setups:
        try:
            found, design, surface = saliency_of_run(
                one, probes=settings.probes, steps=settings.steps, at_hand=at_hand
            )
        except AdvmaskError as error:  # photos or networks that are gone; the other figures need none
            _log.warning(f"The saliency of {one.name} is left out: {error}")
            return
        if found:
            yield (
                "saliency",
                saliency_figure(found, design.texels, surface, texels_per_mm=design.texels_per_mm),
            )


def _several_people(setups: Sequence[Measured]) -> bool:
    return any(len(set(each.people())) > 1 for each in setups)


def _course(one: Run) -> Mapping[str, Any]:
    metrics = RunFolder(one.folder).metrics
    return curves_of(read_log(metrics)) if metrics.exists() else {}
