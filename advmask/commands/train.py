"""`advmask train`: learn a design, write its print files, and say what it was measured to do."""

import shlex

import torch
from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping
from advmask.commands.output import output_dir
from advmask.commands.settings import TrainCommand
from advmask.commands.told_wandb import tell_of
from advmask.core.memory import keep_freed_memory
from advmask.evaluation.conditions import Conditions
from advmask.evaluation.protocol import evaluate_designs, people_of
from advmask.evaluation.results import PLAIN_MASKS, RecognizerResult, write_results
from advmask.evaluation.settings import ProtocolSettings
from advmask.evaluation.summary import say_bare_doubts
from advmask.masks.mask_building import build_mask
from advmask.printing.exports import PRINT_FILES, write_exports
from advmask.printing.settings import SheetSettings
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.training.processes import is_first_process
from advmask.training.run import TrainResult, train
from advmask.wearing.artwork import shipped_design
from advmask.wearing.placement_cache import placement_cache


def run(config: DictConfig) -> None:
    """Train, and export and check what is not there yet, unless that is to be left out."""
    settings = TrainCommand.build(as_mapping(config))
    keep_freed_memory()
    if settings.trainer.threads is not None:
        torch.set_num_threads(settings.trainer.threads)  # the check below too
    result = train(settings, folder=output_dir())
    if not is_first_process():  # of a run on several devices the others have done their part
        return
    exports = [result.folder / "exports" / name for name in PRINT_FILES]
    if settings.export and not all(path.exists() for path in exports):
        pattern = build_mask(settings.mask).pattern
        sheet = SheetSettings(mirrored=settings.printer.mirrored)
        printing = settings.printing.over(settings.printer)
        write_exports(result.folder / "exports", result.design, pattern, printing, sheet)
    if settings.check:
        _tell_check(result)
    print("\nThe design:  " + str(result.folder / "texture.png"))
    print("Its course:  " + str(result.folder / "progress.png"))
    if all(path.exists() for path in exports):
        print("To print:    " + ", ".join(str(path) for path in exports))
    place = shlex.quote(str(result.folder))
    print(f"To export:   advmask export {place} paper=a4    (sheets, notes, other sizes)")
    print(f"To measure:  advmask evaluate {place}")


def _tell_check(result: TrainResult) -> None:
    path = result.folder / "check.json"
    if path.exists():
        print(f"Its short check stands in {path}.")
        return
    results = _check(result)
    if results:
        who = "validation people" if result.faces.split.held_out else "the people it was trained on"
        print(f"\nChecked on {who}, under newly drawn effects:\n{_summary(results)}")
        say_bare_doubts(results)
        write_results(path, results, {"what": "short check at the end of training"})
        tell_of(result.folder, results, what="check")


def _check(result: TrainResult) -> list[RecognizerResult]:
    """Judge the design alongside plain masks; nothing where a recognizer has no threshold to be judged by."""
    settings = result.settings
    prepared = result.prepared or prepare_all(
        build_recognizers(settings.recognizers), result.faces.crops, needs_threshold=False
    )
    lacking = [item.recognizer.label for item in prepared if item.recognizer.calibration is None]
    if lacking:
        print(f"\nNot checked: {', '.join(lacking)} has no threshold, and the photos are too few for one.")
        return []
    surface, per_mm = build_mask(settings.mask), settings.texture.texels_per_mm
    plain = {name: shipped_design(name, surface, texels_per_mm=per_mm) for name in PLAIN_MASKS}
    people = "validate" if people_of(result.faces, "validate") else "all"
    return evaluate_designs(
        plain | {"design": result.design.texels},
        result.faces,
        prepared,
        conditions=Conditions(
            texels_per_mm=per_mm,
            effects=settings.effects,
            printer=settings.printer,
            mask=settings.mask,
            render=settings.render,
            cache=placement_cache(settings.faces),
        ),
        protocol=ProtocolSettings(people=people, progress=settings.trainer.progress),
    )


def _summary(results: list[RecognizerResult]) -> str:
    lines = []
    for result in results:
        how = (
            "re-detected and aligned by MTCNN"
            if result.aligner == "mtcnn"
            else "aligned as on the bare picture"
        )
        lines.append(f"  {result.recognizer}, {how}, {result.probes} probes")
        for name, condition in result.conditions.items():
            sign = -1 if result.measure == "distance" else 1
            measure = f"{result.measure} {sign * condition.similarity:.3f}"
            lines.append(
                f"    {name:15} match confidence {condition.match_confidence.value:.3f}   {measure}"
                + (f"   no face found in {condition.undetected}" if condition.undetected else "")
            )
    return "\n".join(lines)
