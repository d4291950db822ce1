"""`advmask evaluate`: a design against plain masks: a table, `results.json`, scores and a report."""

from omegaconf import DictConfig

from advmask.commands.design_names import open_design
from advmask.commands.given_settings import as_mapping, beside_run
from advmask.commands.output import folder_of_all_jobs, output_dir
from advmask.commands.settings import EvaluateCommand
from advmask.core.memory import keep_freed_memory
from advmask.evaluation.evaluate import evaluate_design
from advmask.evaluation.findings import CARD, RECORD
from advmask.evaluation.scoring_parts import PARTS, PartsAwaitedError
from advmask.masks.settings import MaskSettings


def run(config: DictConfig) -> None:
    """Evaluate, print the table and write `results.json` with all that belongs to it."""
    keep_freed_memory()
    folder = folder_of_all_jobs(config.design) if config.protocol.shard else output_dir()
    mask = MaskSettings.build(as_mapping(config)["mask"])
    named = open_design(config.design, mask=mask, texels_per_mm=config.texels_per_mm)
    values = beside_run(config, named.run, texels_per_mm=named.texels_per_mm)
    settings = EvaluateCommand.build(values)
    try:
        evaluation = evaluate_design(named.design, settings, parts=folder / PARTS)
    except PartsAwaitedError as awaited:
        print(awaited)
        return
    report = evaluation.write(folder, pictures=settings.pictures)
    print(evaluation.text())
    print(f"Written to {report.with_name(RECORD)}\nTo read: {report}\nTo show: {report.with_name(CARD)}")
