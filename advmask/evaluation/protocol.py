"""The protocol of an honest number: designs against plain masks, on people they may never have seen."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import ConfigError, DesignError
from advmask.effects.own_effects import Effect
from advmask.effects.settings import WearSettings
from advmask.evaluation.conditions import Conditions
from advmask.evaluation.enrolled import JudgedGallery, build_galleries
from advmask.evaluation.maker_setup import maker_setup
from advmask.evaluation.probe_scores import BARE, Scores, Setup, Stage, every_setup, score
from advmask.evaluation.scoring_parts import Shard
from advmask.evaluation.settings import ProtocolSettings
from advmask.evaluation.summary import RecognizerResult, summarise
from advmask.masks.mask_building import build_mask
from advmask.photos.crops import FaceCrop
from advmask.photos.loading import FaceSet
from advmask.photos.pairs_list import PhotoPair
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.aligners.aligner_names import build_aligners
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.preparation import Prepared, rows_of
from advmask.recognizers.recognizer import Recognizer
from advmask.wearing.masked_gallery import enrol_masked
from advmask.wearing.scene import Scene
from advmask.wearing.scene_draw import seeded
from advmask.wearing.worn_photos import wear_masks

_log = logging.getLogger(__name__)

PROBES_WANTED = 64
PLAIN_ENROLMENT = "surgical_blue"


def people_of(faces: FaceSet, chosen: str) -> tuple[str, ...]:
    """Names of the people that a protocol probes."""
    groups = {"train": faces.split.train, "validate": faces.split.validate, "test": faces.split.test}
    return groups.get(chosen, faces.people)


@dataclass(frozen=True, eq=False)
class JudgedScores:
    """Scores of one recognizer, aligner and gallery, and what they are judged by.

    Attributes:
        scores: Of every probe.
        recognizer: That made them.
        threshold: At the first false match rate.
        gallery: With the thresholds at the others, and the comparisons behind them.
    """

    scores: Scores
    recognizer: Recognizer
    threshold: Calibration
    gallery: JudgedGallery

    def summaries(self, *, seed: int) -> list[RecognizerResult]:
        """Rates with intervals at every false match rate that is supported."""
        return [summarise(self.scores, self.recognizer, one, seed=seed) for one in self.gallery.thresholds]


@dataclass(frozen=True, eq=False)
class Judgement:
    """Everything that was scored, and the stage, from which probes can be looked at once more.

    Attributes:
        stage: The probes.
        judged: Of every set-up and gallery, in their order.
        setups: Recognizers behind aligners.
    """

    stage: Stage
    judged: list[JudgedScores]
    setups: Sequence[Setup] = ()

    def by_setup(self) -> Iterator[tuple[Setup, list[JudgedScores]]]:
        """Every set-up with what it made of the probes, for each of its galleries."""
        left = iter(self.judged)
        for setup in self.setups:
            yield setup, list(islice(left, len(setup.galleries)))


def draws_of(protocol: ProtocolSettings, photos: int) -> int:
    """Draws of the effects for each of some photos."""
    return protocol.draws or math.ceil(PROBES_WANTED / photos)


def evaluate_designs(
    designs: Mapping[str, Float[Tensor, "3 height width"]],
    faces: FaceSet,
    prepared: Sequence[Prepared],
    *,
    conditions: Conditions,
    protocol: ProtocolSettings,
    aligners: Sequence[str | Aligner] | None = None,
    own_effects: Sequence[Effect] = (),
) -> list[RecognizerResult]:
    """Judge designs and controls at the first false match rate; for the arguments see `judge_designs`."""
    judgement = judge_designs(
        designs,
        faces,
        prepared,
        conditions=conditions,
        protocol=protocol.model_copy(update={"stricter_fmr": ()}),
        aligners=aligners,
        own_effects=own_effects,
    )
    return [
        summarise(one.scores, one.recognizer, one.threshold, seed=protocol.seed) for one in judgement.judged
    ]


def judge_designs(
    designs: Mapping[str, Float[Tensor, "3 height width"]],
    faces: FaceSet,
    prepared: Sequence[Prepared],
    *,
    conditions: Conditions,
    protocol: ProtocolSettings,
    aligners: Sequence[str | Aligner] | None = None,
    own_effects: Sequence[Effect] = (),
    kept: Sequence[str] = (),
    pairs: Sequence[PhotoPair] = (),
    setups: Sequence[Setup] = (),
    shard: Shard | None = None,
) -> Judgement:
    """Score designs and control masks on the same photos, placements and draws.

    The threshold comes from bare probes against the templates of other people in the same gallery, over all
    people at hand; where they are too few, from the recognizer's stored calibration.

    Args:
        designs: Name and texels, controls among them; all of the mask's texture size.
        faces: Photos of all people at hand.
        prepared: Recognizers made ready on these very photos.
        conditions: What they are judged under.
        protocol: How to judge.
        aligners: In place of `protocol.aligners`, by name or as objects.
        own_effects: Effects of the user's own, after the camera.
        kept: Conditions whose embeddings are kept, for `linkability`.
        pairs: If any, their second photos alone are probed, and all embeddings are kept.
        setups: Further ones, as they are.
        shard: The part that is scored here, of an evaluation in parts.

    Raises:
        ConfigError: The split leaves nobody in the group to be probed, or no pair has its second photo there.
        PhotoError: A mask can be placed on none of the photos.
        DesignError: People are to be enrolled masked, and the plain mask for it is not among the designs.
        RunError: One of several processes died.
        PartsAwaitedError: Other parts have not been scored yet.
    """
    built = build_aligners(protocol.aligners if aligners is None else aligners)
    names = people_of(faces, protocol.people)
    crops = faces.of(names)
    if not crops:
        raise ConfigError(
            f"protocol.people={protocol.people} names nobody here; choose all or another group."
        )
    if pairs:
        crops = second_photos(pairs, crops)
        if not crops:
            raise ConfigError(
                "No pair has its second photo, on which the mask is worn, of "
                f"protocol.people={protocol.people}; choose all, or another group."
            )
    draws = draws_of(protocol, len(crops))
    wearing = partial(
        wear_masks,
        surface=build_mask(conditions.mask),
        texels_per_mm=conditions.texels_per_mm,
        render=conditions.render,
        seed=protocol.seed,
        cache=conditions.cache,
        progress=protocol.progress,
    )
    photos = wearing(crops, wear=conditions.effects.active().wear, ways=draws, stream="evaluate")
    for omission in photos.omissions:
        _log.warning(str(omission))
    masked = None
    if set(protocol.galleries) & {"masked", "pooled"}:
        if PLAIN_ENROLMENT not in designs:
            raise DesignError(
                f"People are enrolled under the {PLAIN_ENROLMENT} mask, which is not among the designs."
            )
        everybody = wearing(faces.crops, wear=WearSettings(), ways=1, stream="enrolment")
        masked = enrol_masked(prepared, faces.crops, everybody, designs[PLAIN_ENROLMENT])
    galleries = build_galleries(protocol.galleries, faces, prepared, masked, fmrs=protocol.fmrs)
    scene = Scene(
        conditions.effects,
        conditions.printer,
        texels_per_mm=conditions.texels_per_mm,
        draws=seeded(protocol.seed, "evaluate"),
        own_effects=own_effects,
    )
    kept = (BARE, *designs) if pairs else kept
    stage = Stage(photos, designs, scene, tuple(rows_of(photos.crops, faces.crops)), tuple(kept))
    embeddings = [item.embeddings for item in prepared]
    makers = [maker_setup(item, faces, fmrs=protocol.fmrs) for item in prepared]
    setups = [
        *every_setup([item.recognizer for item in prepared], galleries, built, embeddings),
        *(one for one in makers if one is not None),
        *setups,
    ]
    scores = score(stage, setups, progress=protocol.progress, processes=protocol.processes, shard=shard)
    judged_by = [(one.recognizer, gallery) for one in setups for gallery in one.galleries]
    judged = [
        JudgedScores(one, recognizer, gallery.thresholds[0], gallery)
        for one, (recognizer, gallery) in zip(scores, judged_by, strict=True)
    ]
    return Judgement(stage, judged, setups)


def second_photos(pairs: Sequence[PhotoPair], crops: Sequence[FaceCrop]) -> tuple[FaceCrop, ...]:
    """Those of some crops that are the second photo of a pair, on which masks are worn."""
    wanted = {pair.second for pair in pairs}
    return tuple(crop for crop in crops if crop.source in wanted)
