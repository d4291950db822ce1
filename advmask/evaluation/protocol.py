"""A first version of the protocol: one design against plain masks, on people it may never have seen."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from advmask.effects import EffectsSettings
from advmask.errors import ConfigError
from advmask.evaluation.results import RecognizerResult, summarise
from advmask.evaluation.scoring import score
from advmask.masks import MaskSettings, build_mask
from advmask.photos import FaceSet
from advmask.recognizers.preparation import own_templates, prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.render import MaskRenderer, RenderSettings
from advmask.settings import Settings
from advmask.worn import wear_masks

PROBES_WANTED = 64
AlignerName = Literal["mtcnn", "bare"]


class ProtocolSettings(Settings):
    """How a design is judged.

    Attributes:
        people: Whose photos are probed.
        fmr: False match rate of the threshold.
        draws: Draws of the effects per photo; None makes at least 64 probes in all.
        aligners: Where landmarks come from: `mtcnn` afresh on each picture, `bare` from the bare picture.
        seed: Of the draws; training draws from other streams, so these draws were never seen.
        progress: Show progress bars.
    """

    people: Literal["train", "validate", "test", "all"] = "test"
    fmr: float = Field(default=1e-2, gt=0, lt=1)
    draws: int | None = Field(default=None, ge=1)
    aligners: list[AlignerName] = Field(default=["mtcnn", "bare"], min_length=1)
    seed: int = 1
    progress: bool = True


def people_of(faces: FaceSet, chosen: str) -> tuple[str, ...]:
    """Names of the people that a protocol probes."""
    groups = {"train": faces.split.train, "validate": faces.split.validate, "test": faces.split.test}
    return groups.get(chosen, faces.people)


def evaluate_designs(
    designs: Mapping[str, Float[Tensor, "3 height width"]],
    faces: FaceSet,
    recognizers: Sequence[Recognizer],
    *,
    texels_per_mm: float,
    protocol: ProtocolSettings,
    effects: EffectsSettings,
    mask: MaskSettings,
    render: RenderSettings,
    tell: Callable[[str], None] = print,
) -> list[RecognizerResult]:
    """Judge designs and control masks on the same photos, placements and draws.

    Everybody is enrolled with bare photos. The threshold comes from bare probes against the templates of
    other people, over all people at hand; where they are too few, from the recognizer's stored
    calibration.

    Args:
        designs: Name and texels, controls among them; all of the mask's texture size.
        faces: Photos of all people at hand.
        recognizers: Calibrated here if no calibration is stored.
        texels_per_mm: Of the designs.
        protocol: How to judge.
        effects: What happens to print and picture.
        mask: Which mask.
        render: How it is drawn.
        tell: Receives sentences for the user.

    Raises:
        ConfigError: The split leaves nobody in the group to be probed.
        PhotoError: A mask can be placed on none of the photos.
    """
    names = people_of(faces, protocol.people)
    crops = faces.of(names)
    if not crops:
        raise ConfigError(
            f"protocol.people={protocol.people} names nobody here; choose all or another group."
        )
    draws = protocol.draws or math.ceil(PROBES_WANTED / len(crops))
    prepared = prepare_all(recognizers, faces.crops, fmr=protocol.fmr)
    surface = build_mask(mask)
    height, width = surface.texture_size(texels_per_mm)
    photos = wear_masks(
        crops,
        surface,
        wear=effects.wear,
        ways=draws,
        texels_per_mm=texels_per_mm,
        render=render,
        seed=protocol.seed,
        stream="evaluate",
        progress=protocol.progress,
    )
    for omission in photos.omissions:
        tell(str(omission))
    renderer = MaskRenderer(height=height, width=width)
    scores = score(
        photos,
        designs,
        recognizers,
        own_templates(prepared, faces.crops, photos.crops),
        renderer=renderer,
        effects=effects,
        seed=protocol.seed,
        aligners=protocol.aligners,
        progress=protocol.progress,
    )
    by_label = {item.recognizer.label: item for item in prepared}
    return [
        summarise(
            one,
            by_label[one.recognizer].recognizer,
            by_label[one.recognizer].at_hand or by_label[one.recognizer].recognizer.calibrated,
            seed=protocol.seed,
        )
        for one in scores
    ]
