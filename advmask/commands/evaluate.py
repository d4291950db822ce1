"""`advmask evaluate`: a design against plain masks, as a table and `results.json`."""

from datetime import UTC, datetime

import torch
from omegaconf import DictConfig

from advmask.commands.designs import CONTROLS, open_design, shipped_design
from advmask.commands.given import as_mapping, beside_run
from advmask.commands.output import output_dir
from advmask.effects import EffectsSettings
from advmask.evaluation.protocol import ProtocolSettings, evaluate_designs, people_of
from advmask.evaluation.results import write_results
from advmask.evaluation.table import results_table
from advmask.masks import MaskSettings, build_mask
from advmask.photos import FaceSet, FacesSettings, load_faces
from advmask.placement_cache import placement_cache
from advmask.printers import PrinterSettings
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.registry import build_recognizers
from advmask.render import RenderSettings
from advmask.settings import Settings
from advmask.training.settings import TrainSettings


class EvaluateSettings(Settings):
    """Everything an evaluation depends on, besides the design."""

    design: str
    texels_per_mm: float
    recognizers: list[str]
    faces: FacesSettings
    mask: MaskSettings
    render: RenderSettings
    effects: EffectsSettings
    printer: PrinterSettings
    protocol: ProtocolSettings


_KNOWN_OF_THEM = {
    True: " (whom the design was not trained on)",
    False: " (the design was trained on some or all of them)",
    None: "",
}


def run(config: DictConfig) -> None:
    """Evaluate, print the table and write `results.json`."""
    mask = MaskSettings.build(as_mapping(config)["mask"])
    design = open_design(config.design, mask=mask, texels_per_mm=config.texels_per_mm)
    values = beside_run(config, design.run, texels_per_mm=design.texels_per_mm)
    settings = EvaluateSettings.build(values)
    faces = load_faces(settings.faces, progress=settings.protocol.progress)
    for omission in faces.omissions:
        print(omission)
    for notice in faces.notices:
        print(notice)
    recognizers = build_recognizers(settings.recognizers)
    surface = build_mask(settings.mask)
    controls = {
        name: shipped_design(name, surface, texels_per_mm=settings.texels_per_mm) for name in CONTROLS
    }
    results = evaluate_designs(
        controls | {"design": design.texels},
        faces,
        prepare_all(recognizers, faces.crops, fmr=settings.protocol.fmr, tell=print),
        texels_per_mm=settings.texels_per_mm,
        protocol=settings.protocol,
        effects=settings.effects,
        printer=settings.printer,
        mask=settings.mask,
        render=settings.render,
        cache=placement_cache(settings.faces),
    )
    names = people_of(faces, settings.protocol.people)
    held_out = _held_out(settings, design.run, faces)
    path = output_dir() / "results.json"
    write_results(
        path,
        results,
        {
            "date": datetime.now(UTC).date().isoformat(),
            "settings": settings.model_dump(mode="json"),
            "people": {
                "probed": list(names),
                "held_out": held_out,
                "at_hand": len(faces.people),
            },
            "weights_sha256": {item.label: item.weights_sha256 for item in recognizers},
            "packages": {"torch": torch.__version__},
        },
    )
    who = "1 person" if len(names) == 1 else f"{len(names)} people"
    brackets = "in brackets 95 % intervals over people" if len(names) > 1 else "one person gives no intervals"
    print(f"\n{who}{_KNOWN_OF_THEM[held_out]}, enrolled with bare photos; {brackets}.\n")
    print(results_table(results))
    print(
        "\nMeasured on these photos, recognizers and simulated effects only: not a printed mask, not other "
        f"recognizers, not a promise.\nWritten to {path}"
    )


def _held_out(settings: EvaluateSettings, run: TrainSettings | None, faces: FaceSet) -> bool | None:
    """Whether the design never saw the people probed; None where this cannot be told from the settings."""
    if run is None or run.faces.split != settings.faces.split:
        return None
    roots = [None if root is None else root.absolute() for root in (run.faces.root, settings.faces.root)]
    if roots[0] != roots[1]:
        return None
    return faces.split.held_out and settings.protocol.people in {"validate", "test"}
