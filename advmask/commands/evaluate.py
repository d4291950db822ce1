"""`advmask evaluate`: designs against plain masks: a table, `results.json`, scores and a report of each."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from advmask.commands.design_names import NamedDesign, labels, open_design
from advmask.commands.given_settings import as_mapping, beside_run
from advmask.commands.output import folder_of_all_jobs, output_dir
from advmask.commands.settings import EvaluateCommand
from advmask.commands.told_wandb import tell_of
from advmask.core.errors import AdvmaskError, ConfigError, RunError
from advmask.core.memory import keep_freed_memory
from advmask.core.run_config import CONFIG
from advmask.evaluation.at_hand import AtHand
from advmask.evaluation.evaluate import evaluate_design
from advmask.evaluation.findings import CARD, RECORD
from advmask.evaluation.scoring_parts import PARTS, PartsAwaitedError
from advmask.evaluation.sweeps.collected import collect
from advmask.evaluation.sweeps.collected_tables import markdown, tables
from advmask.evaluation.sweeps.measured_runs import is_sweep, read_run, read_runs, run_folders
from advmask.evaluation.sweeps.settings import CollectSettings
from advmask.evaluation.sweeps.written import write_collected
from advmask.masks.settings import MaskSettings


def run(config: DictConfig) -> None:
    """Evaluate, print a table of each design and write `results.json` with all that belongs to it.

    Of several designs runs are written to their own folders, and a sweep ends in the tables of
    `advmask collect`.
    """
    keep_freed_memory()
    given = [str(name) for name in (config.design, *config.further) if name]
    sweeps = {name: [*map(str, run_folders([name]))] for name in given if is_sweep(Path(name))}
    names = [each for name in given for each in sweeps.get(name, [name])]
    if len(names) < 2 and not sweeps:
        _evaluate(config, _opened(config, config.design), AtHand())
        return
    if config.protocol.shard:
        raise ConfigError("protocol.shard scores a part of one evaluation; name one design with it.")
    members = {each for held in sweeps.values() for each in held}
    opened = _all_opened(config, names, skip=members - set(given))
    chosen, folders = _folders(list(opened))
    at_hand = AtHand()
    for number, (name, named) in enumerate(opened.items(), 1):
        print(f"\n== {number} of {len(opened)}: {name} ==")
        _evaluate(config, named, at_hand, folder=folders[name])
    runs = {name: folders[name] for name, named in opened.items() if named.run is not None}
    of_sweeps = [sweep for sweep, held in sweeps.items() if runs.keys() & set(held)]
    if of_sweeps or len(runs) == len(opened):
        _tell_together(of_sweeps, runs, chosen)


def _evaluate(config: DictConfig, named: NamedDesign, at_hand: AtHand, *, folder: Path | None = None) -> None:
    if folder is None:
        folder = folder_of_all_jobs(config.design) if config.protocol.shard else output_dir()
    values = beside_run(config, named.run, texels_per_mm=named.texels_per_mm)
    settings = EvaluateCommand.build(values)
    try:
        evaluation = evaluate_design(named.design, settings, parts=folder / PARTS, at_hand=at_hand)
    except PartsAwaitedError as awaited:
        print(awaited)
        return
    report = evaluation.write(folder, pictures=settings.pictures)
    print(evaluation.text())
    if (folder / CONFIG).exists():  # the results lie in the run of the design
        tell_of(folder, evaluation.results, what="evaluate", here_only=True)
    print(f"Written to {report.with_name(RECORD)}\nTo read: {report}\nTo show: {report.with_name(CARD)}")


def _opened(config: DictConfig, name: str | None) -> NamedDesign:
    mask = MaskSettings.build(as_mapping(config)["mask"])
    return open_design(name, mask=mask, texels_per_mm=config.texels_per_mm)


def _all_opened(config: DictConfig, names: Sequence[str], *, skip: Set[str]) -> dict[str, NamedDesign]:
    """All designs, before hours are spent on the first; of a sweep those that there are already."""
    opened = {}
    for name in dict.fromkeys(names):
        try:
            opened[name] = _opened(config, name)
        except AdvmaskError as error:
            if name not in skip:
                raise
            print(f"Left out: {error}")
    if not opened:
        raise RunError("None of these runs has finished; let them end, or resume them.")
    return opened


def _folders(names: Sequence[str]) -> tuple[Path | None, dict[str, Path]]:
    """The folder that the user named for all, and where each is written: without that, a run into its own."""
    chosen = any(word.startswith("hydra.run.dir=") for word in HydraConfig.get().overrides.hydra)
    whole = output_dir() if chosen else Path("runs/evaluate") / f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    return whole if chosen else None, {
        name: whole / label if chosen or not Path(name).is_dir() else Path(name)
        for name, label in zip(names, labels(names), strict=True)
    }


def _tell_together(sweeps: Sequence[str], runs: Mapping[str, Path], chosen: Path | None) -> None:
    """The runs as one table, from where they were written to now; a sweep keeps it, or the folder chosen."""
    record = collect([read_run(Path(name), evaluated_in=folder) for name, folder in runs.items()])
    figures = CollectSettings(sweeps=list(runs)).figures
    print("\n== together ==\n")
    print(markdown(record, tables(record, figures)))
    kept = [(chosen, record)] if chosen else [(Path(sweep), collect(read_runs([sweep]))) for sweep in sweeps]
    for place, of_it in kept:
        print("\n".join(f"Written to {path}" for path in write_collected(place, of_it, figures)))
    if not kept:
        print("To keep these tables: advmask collect RUN... out=DIR")
