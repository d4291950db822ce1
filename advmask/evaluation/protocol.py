"""A first version of the protocol: one design against plain masks, on people it may never have seen."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from advmask.effects import EffectsSettings, WearSettings
from advmask.errors import ConfigError, DesignError
from advmask.evaluation.enrolled import build_galleries, enrol_masked
from advmask.evaluation.results import RecognizerResult, summarise
from advmask.evaluation.scoring import Scores, score
from advmask.masks import MaskSettings, build_mask
from advmask.photos import FaceSet
from advmask.placement_cache import PlacementCache
from advmask.printers import PrinterSettings
from advmask.recognizers.aligners import build_aligners
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.galleries import GalleryName
from advmask.recognizers.preparation import Prepared, rows_of
from advmask.recognizers.recognizer import Recognizer
from advmask.render import RenderSettings
from advmask.scene import Scene, seeded
from advmask.settings import Settings
from advmask.worn import wear_masks

PROBES_WANTED = 64
PLAIN_ENROLMENT = "surgical_blue"


class ProtocolSettings(Settings):
    """How a design is judged.

    Attributes:
        people: Whose photos are probed.
        fmr: False match rate of the threshold.
        draws: Draws of the effects per photo; None makes at least 64 probes in all.
        aligners: Where landmarks come from: `mtcnn`, `dlib5`, `mesh468` afresh on each picture, `bare` from
            the bare picture, or `python:module:function`.
        galleries: What probes are compared with: people enrolled with `bare` photos, with `masked` ones
            (under a plain mask), or with both (`pooled`: the better counts).
        seed: Of the draws; training draws from other streams, so these draws were never seen.
        progress: Show progress bars.
    """

    people: Literal["train", "validate", "test", "all"] = "test"
    fmr: float = Field(default=1e-2, gt=0, lt=1)
    draws: int | None = Field(default=None, ge=1)
    aligners: list[str] = Field(default=["mtcnn", "bare"], min_length=1)
    galleries: list[GalleryName] = Field(default=["bare"], min_length=1)
    seed: int = 1
    progress: bool = True


def people_of(faces: FaceSet, chosen: str) -> tuple[str, ...]:
    """Names of the people that a protocol probes."""
    groups = {"train": faces.split.train, "validate": faces.split.validate, "test": faces.split.test}
    return groups.get(chosen, faces.people)


@dataclass(frozen=True, eq=False)
class JudgedScores:
    """Scores of one recognizer, aligner and gallery, and what they are judged by."""

    scores: Scores
    recognizer: Recognizer
    threshold: Calibration


def evaluate_designs(
    designs: Mapping[str, Float[Tensor, "3 height width"]],
    faces: FaceSet,
    prepared: Sequence[Prepared],
    *,
    texels_per_mm: float,
    protocol: ProtocolSettings,
    effects: EffectsSettings,
    printer: PrinterSettings,
    mask: MaskSettings,
    render: RenderSettings,
    cache: PlacementCache | None = None,
    tell: Callable[[str], None] = print,
) -> list[RecognizerResult]:
    """Judge designs and control masks, as rates with intervals; for the arguments see `score_designs`."""
    judged = score_designs(
        designs,
        faces,
        prepared,
        texels_per_mm=texels_per_mm,
        protocol=protocol,
        effects=effects,
        printer=printer,
        mask=mask,
        render=render,
        cache=cache,
        tell=tell,
    )
    return [summarise(one.scores, one.recognizer, one.threshold, seed=protocol.seed) for one in judged]


def score_designs(
    designs: Mapping[str, Float[Tensor, "3 height width"]],
    faces: FaceSet,
    prepared: Sequence[Prepared],
    *,
    texels_per_mm: float,
    protocol: ProtocolSettings,
    effects: EffectsSettings,
    printer: PrinterSettings,
    mask: MaskSettings,
    render: RenderSettings,
    cache: PlacementCache | None = None,
    tell: Callable[[str], None] = print,
) -> list[JudgedScores]:
    """Score designs and control masks on the same photos, placements and draws.

    The threshold comes from bare probes against the templates of other people in the same gallery, over all
    people at hand; where they are too few, from the recognizer's stored calibration.

    Args:
        designs: Name and texels, controls among them; all of the mask's texture size.
        faces: Photos of all people at hand.
        prepared: Recognizers made ready on these very photos.
        texels_per_mm: Of the designs.
        protocol: How to judge.
        effects: What happens between print and recognizer.
        printer: What designs and controls are printed with.
        mask: Which mask.
        render: How it is drawn.
        cache: Where placements are kept.
        tell: Receives sentences for the user.

    Raises:
        ConfigError: The split leaves nobody in the group to be probed.
        PhotoError: A mask can be placed on none of the photos.
        DesignError: People are to be enrolled masked, and the plain mask for it is not among the designs.
    """
    aligners = build_aligners(protocol.aligners)
    names = people_of(faces, protocol.people)
    crops = faces.of(names)
    if not crops:
        raise ConfigError(
            f"protocol.people={protocol.people} names nobody here; choose all or another group."
        )
    draws = protocol.draws or math.ceil(PROBES_WANTED / len(crops))
    wearing = partial(
        wear_masks,
        surface=build_mask(mask),
        texels_per_mm=texels_per_mm,
        render=render,
        seed=protocol.seed,
        cache=cache,
        progress=protocol.progress,
    )
    photos = wearing(crops, wear=effects.active().wear, ways=draws, stream="evaluate")
    for omission in photos.omissions:
        tell(str(omission))
    masked = None
    if set(protocol.galleries) & {"masked", "pooled"}:
        if PLAIN_ENROLMENT not in designs:
            raise DesignError(
                f"People are enrolled under the {PLAIN_ENROLMENT} mask, which is not among the designs."
            )
        everybody = wearing(faces.crops, wear=WearSettings(), ways=1, stream="enrolment")
        masked = enrol_masked(prepared, faces, everybody, designs[PLAIN_ENROLMENT])
    galleries = build_galleries(protocol.galleries, faces, prepared, masked, fmr=protocol.fmr)
    scores = score(
        photos,
        designs,
        [item.recognizer for item in prepared],
        galleries,
        scene=Scene(effects, printer, texels_per_mm=texels_per_mm, draws=seeded(protocol.seed, "evaluate")),
        aligners=aligners,
        rows=rows_of(photos.crops, faces.crops),
        progress=protocol.progress,
    )
    judged_by = {
        (item.recognizer.label, gallery.name): (item.recognizer, gallery.calibration)
        for item, own in zip(prepared, galleries, strict=True)
        for gallery in own
    }
    judged = []
    for one in scores:
        recognizer, threshold = judged_by[one.recognizer, one.gallery]
        judged.append(JudgedScores(one, recognizer, threshold or recognizer.calibrated))
    return judged
