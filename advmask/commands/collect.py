"""`advmask collect`: a sweep as tables, one row for each run, mean and spread over seeds."""

from pathlib import Path

from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping
from advmask.evaluation.sweeps.collected import collect
from advmask.evaluation.sweeps.collected_tables import markdown, tables
from advmask.evaluation.sweeps.measured_runs import read_runs
from advmask.evaluation.sweeps.settings import CollectSettings
from advmask.evaluation.sweeps.written import write_collected


def run(config: DictConfig) -> None:
    """Read the runs, print the tables and write them."""
    settings = CollectSettings.build(as_mapping(config))
    record = collect(
        read_runs(settings.sweeps),
        columns=settings.columns,
        against=settings.against,
        tested=settings.tested,
        seed=settings.seed,
    )
    paths = write_collected(settings.out or Path(settings.sweeps[0]), record, settings.figures)
    print(markdown(record, tables(record, settings.figures)))
    print("\n".join(f"Written to {path}" for path in paths))
