"""The saliency of a run's design, on the photos and by the recognizers that it was evaluated with."""

from collections.abc import Sequence
from typing import Any

import torch

from advmask.core.changed_settings import changed
from advmask.core.errors import RunError
from advmask.evaluation.at_hand import AtHand
from advmask.evaluation.conditions import conditions_of
from advmask.evaluation.figures.saliency import Saliency, saliency
from advmask.evaluation.protocol import judge_designs
from advmask.evaluation.settings import ScoringSettings
from advmask.evaluation.sweeps.measured_runs import Run
from advmask.evaluation.sweeps.recipe_tests import DESIGN
from advmask.masks.mask_building import build_mask
from advmask.masks.surface import MaskSurface
from advmask.photos.loading import load_faces
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.recognizers.verification_set import calibrated_by
from advmask.textures.design_files import Design
from advmask.wearing.artwork import shipped_design
from advmask.wearing.opened_design import load_design

_CPU = torch.device("cpu")  # where the recognizers below are


def saliency_of_run(
    run: Run, *, probes: int, steps: int, at_hand: AtHand
) -> tuple[Sequence[Saliency], Design, MaskSurface]:
    """Where the design of a run acts, below the strongest plain mask of its first result.

    Args:
        run: That was evaluated.
        probes: Looked at.
        steps: From the plain mask to the design.
        at_hand: Keeps photos and recognizers for the next run.

    Returns:
        A map for each recognizer that has a gradient, the design, and its mask.

    Raises:
        AdvmaskError: Photos, weights or the design are not there any more.
    """
    asked = (run.measured or {}).get("settings") or {}
    if "recognizers" not in asked:
        raise RunError(f"{run.name} has no results.json of advmask evaluate.")
    design = load_design(run.folder)
    known = {
        key: value for key, value in asked.items() if key in ScoringSettings.model_fields and key != "mask"
    }
    settings = changed(ScoringSettings(), {**known, "mask": design.mask})
    # Nothing is scored but what the gradient is taken of; services have none.
    only: dict[str, Any] = {"draws": 1, "aligners": ["bare"], "galleries": ["bare"], "stricter_fmr": ()}
    protocol = settings.protocol.model_copy(update={**only, "pairs": None, "shard": None, "progress": False})
    names = [name for name in settings.recognizers if not name.startswith("service:")]
    built = at_hand.once("recognizers", tuple(names), lambda: build_recognizers(names))
    judges = calibrated_by(protocol.calibration, built, fmr=protocol.fmr)
    faces = at_hand.once("faces", settings.faces, lambda: load_faces(settings.faces, device=_CPU))
    prepared = at_hand.once(
        "prepared",
        (protocol.calibration, protocol.fmr),
        lambda: prepare_all(judges, faces.crops, fmr=protocol.fmr),
        of=(faces, *built),
    )
    surface = build_mask(design.mask)
    plain = next((one["strongest_plain"] for one in run.results if one["strongest_plain"]), "white")
    judgement = judge_designs(
        {plain: shipped_design(plain, surface, texels_per_mm=design.texels_per_mm), DESIGN: design.texels},
        faces,
        prepared,
        conditions=conditions_of(settings.model_copy(update={"texels_per_mm": design.texels_per_mm})),
        protocol=protocol,
    )
    return saliency(judgement.stage, judgement.setups, plain, probes=probes, steps=steps), design, surface
