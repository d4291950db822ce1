"""A design measured against recognizers and control masks, in one call."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from advmask.core.changed_settings import changed
from advmask.core.devices import device_of
from advmask.core.run_config import settings_of_run
from advmask.core.settings import Settings
from advmask.effects.own_effects import Effect
from advmask.effects.settings import EffectsSettings
from advmask.evaluation.asked_shard import asked_shard, of_the_whole
from advmask.evaluation.at_hand import AtHand
from advmask.evaluation.conditions import conditions_of
from advmask.evaluation.findings import Evaluation
from advmask.evaluation.linkability import linkability
from advmask.evaluation.listed_pairs import pairs_of, say_left_out, scored_pairs
from advmask.evaluation.pairs import summarise_pairs
from advmask.evaluation.probe_scores import BARE
from advmask.evaluation.protocol import (
    PLAIN_ENROLMENT,
    draws_of,
    judge_designs,
    people_of,
    second_photos,
)
from advmask.evaluation.real_masks import worn_results
from advmask.evaluation.record_facts import about_recognizers, package_versions, texels_sha256
from advmask.evaluation.record_parts import breakdown, held_out, unsupported
from advmask.evaluation.results import PLAIN_MASKS, result_record
from advmask.evaluation.settings import ProtocolSettings, ScoringSettings
from advmask.evaluation.shown import shown
from advmask.evaluation.summary import say_bare_doubts
from advmask.evaluation.visitor_words import visitor_sentence
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet, load_faces, load_masked
from advmask.photos.settings import FacesSettings
from advmask.printers.settings import PrinterSettings
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.asked_answers import services_allowed
from advmask.recognizers.mask_detector import build_mask_detector
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.recognizers.services import ComparingNetwork
from advmask.recognizers.verification_set import calibrated_by
from advmask.render.settings import RenderSettings
from advmask.textures.design_files import Design
from advmask.wearing.artwork import shipped_design
from advmask.wearing.opened_design import as_design

_log = logging.getLogger(__name__)

CONTROLS = (*PLAIN_MASKS, "noise", "lower_face")
DESIGN = "design"
"""What the design is called among the conditions."""


class _OfRun(Settings):
    """What a run says of whom and what its design was trained on.

    Attributes:
        faces: Whose.
        recognizers: Their names.
    """

    faces: FacesSettings = FacesSettings()
    recognizers: list[str]


def evaluate(
    design: Design | Tensor | str | Path,
    faces: FaceSet | FacesSettings | Mapping[str, Any] | str | Path | None = None,
    recognizers: Sequence[str | Recognizer] | None = None,
    *,
    mask: MaskSettings | str | None = None,
    effects: EffectsSettings | Mapping[str, Any] | str | None = None,
    printer: PrinterSettings | Mapping[str, Any] | str | None = None,
    render: RenderSettings | Mapping[str, Any] | None = None,
    protocol: ProtocolSettings | Mapping[str, Any] | None = None,
    controls: Sequence[str] = CONTROLS,
    aligners: Sequence[str | Aligner] | None = None,
    own_effects: Sequence[Effect] = (),
) -> Evaluation:
    """Measure a design against recognizers, alongside plain masks and other controls: `advmask evaluate`.

    Nothing is written; see `Evaluation.write`. What is not given is taken from the run that the design comes
    from, else from the defaults of the command line. Groups of settings are given as the name of a preset
    (`effects="cctv"`), as values that change some (`protocol={"people": "all"}`), or as objects.

    Args:
        design: What `load_design` opens, or gave; or texels (3, h, w), sRGB in [0, 1], on `mask`.
        faces: Photos at hand: a folder of people, of one person, or one photo; settings; or what `load_faces`
            gave. None takes those of the run, or else the portrait that ships with scikit-image.
        recognizers: Names, such as `dlib`, or objects; None takes those of the run, or else dlib.
        mask: For texels or a picture: the mask they are worn on.
        effects: What happens between print and recognizer.
        printer: What designs and controls are printed with.
        render: How masks are drawn.
        protocol: Whose photos are probed, at which false match rates, behind which aligners.
        controls: Names of designs that ship, worn on the same photos in the same draws.
        aligners: In place of `protocol.aligners`, by name or as objects.
        own_effects: Effects of your own, after the camera; see `advmask.effects.own_effects`.

    Raises:
        AdvmaskError: Whatever can be mended, in one sentence.
    """
    design = as_design(design, mask=mask)
    groups = {"effects": effects, "printer": printer, "render": render, "protocol": protocol}
    given: dict[str, Any] = {name: value for name, value in groups.items() if value is not None}
    loaded = faces if isinstance(faces, FaceSet) else None
    if isinstance(faces, str | Path):
        given["faces"] = {"root": str(faces)}
    elif faces is not None and loaded is None:
        given["faces"] = faces
    base = ScoringSettings() if design.run is None else settings_of_run(design.run, ScoringSettings)
    return evaluate_design(
        design,
        changed(base, given),
        faces=loaded,
        recognizers=None if recognizers is None else build_recognizers(recognizers),
        controls=controls,
        aligners=aligners,
        own_effects=own_effects,
    )


def evaluate_design(
    design: Design,
    settings: ScoringSettings,
    *,
    faces: FaceSet | None = None,
    recognizers: Sequence[Recognizer] | None = None,
    controls: Sequence[str] = CONTROLS,
    aligners: Sequence[str | Aligner] | None = None,
    own_effects: Sequence[Effect] = (),
    parts: Path | None = None,
    at_hand: AtHand | None = None,
) -> Evaluation:
    """Measure a design with every setting given; `evaluate` gives those that are not.

    Args:
        design: Its mask and resolution take the place of those of the settings.
        settings: Everything the scores depend on.
        faces: Photos at hand; None loads those of the settings.
        recognizers: That judge; None builds those of the settings.
        controls: Names of designs that ship.
        aligners: In place of those of the protocol, by name or as objects.
        own_effects: Effects of the user's own, after the camera.
        parts: Folder of the parts, where `protocol.shard` asks for one.
        at_hand: Keeps photos and recognizers of the settings for the next design; None makes them anew.

    Raises:
        PartsAwaitedError: This part is scored, and others are not.
        AdvmaskError: Whatever the user can mend, in one sentence.
    """
    at_hand = at_hand or AtHand()
    changes: dict[str, Any] = {"mask": design.mask, "texels_per_mm": design.texels_per_mm}
    device = device_of(settings.protocol.device, processes=settings.protocol.processes)
    if recognizers is None:
        names = settings.recognizers
        recognizers = at_hand.once(
            "recognizers", (names, device), lambda: [one.to(device) for one in build_recognizers(names)]
        )
    else:
        changes["recognizers"] = [one.name for one in recognizers]
    settings = settings.model_copy(update=changes)
    protocol, built = settings.protocol, recognizers
    recognizers = calibrated_by(protocol.calibration, recognizers, fmr=protocol.fmr)
    others = faces is not None  # then nobody knows who they are
    detector = None if protocol.mask_detector is None else build_mask_detector(protocol.mask_detector)
    pairs = pairs_of(protocol.pairs, settings.faces, faces)  # before an hour is spent on faces
    if faces is None:
        makers = [one.specification.aligner for one in recognizers]
        for name in dict.fromkeys([*(protocol.aligners if aligners is None else aligners), *makers]):
            if isinstance(name, str):
                build_aligner(name)  # says now what it lacks
        of_whom, progress = settings.faces, protocol.progress
        faces = at_hand.once(
            "faces", (of_whom, device), lambda: load_faces(of_whom, progress=progress, device=device)
        )
        for sentence in [*map(str, faces.omissions), *faces.notices]:
            _log.warning(sentence)
    masked = None
    if settings.faces.masked is not None:
        known = people_of(faces, protocol.people)
        masked = load_masked(settings.faces, known, progress=protocol.progress, device=device)
        for sentence in [*map(str, masked.omissions), *masked.notices]:
            _log.warning(sentence)
    surface = build_mask(design.mask)
    masks = {name: shipped_design(name, surface, texels_per_mm=design.texels_per_mm) for name in controls}
    linked = (BARE, *({PLAIN_ENROLMENT} & masks.keys()), DESIGN) if protocol.linkability else ()
    say_left_out(pairs, faces, protocol)
    probed = faces.of(people_of(faces, protocol.people))
    _say_what_is_sent(
        recognizers,
        faces,
        len(second_photos(pairs, probed) if pairs else probed),
        protocol,
        conditions=len(masks) + 2,
        linked=len(linked),
        pairs=len(pairs),
        worn=0 if masked is None else len(masked.crops) * len(aligners or protocol.aligners),
    )
    judged_at, judges, crops = (protocol.calibration, protocol.fmr), recognizers, faces.crops
    with services_allowed(settings.services):
        judgement = judge_designs(
            masks | {DESIGN: design.texels},
            faces,
            at_hand.once(
                "prepared",
                judged_at,
                lambda: prepare_all(judges, crops, fmr=protocol.fmr),
                of=(faces, *built),
            ),
            conditions=conditions_of(settings),
            protocol=protocol,
            aligners=aligners,
            own_effects=own_effects,
            kept=linked,
            pairs=pairs,
            shard=asked_shard(settings, design, recognizers, faces, parts),
        )
        paired = scored_pairs(pairs, faces, judgement)
        worn = [] if masked is None else worn_results(judgement, masked, seed=protocol.seed)
        links = [
            found
            for one in judgement.judged
            for found in linkability(one.scores, one.recognizer, one.threshold, linked, seed=protocol.seed)
        ]
    settings = of_the_whole(settings)
    results = [one for each in judgement.judged for one in each.summaries(seed=protocol.seed)]
    say_bare_doubts([one for one in results if one.fmr == results[0].fmr])
    of_run = None if design.run is None else settings_of_run(design.run, _OfRun)
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "settings": settings.model_dump(mode="json"),
        "people": {
            "probed": list(people_of(faces, protocol.people))
            if not pairs
            else sorted(set(judgement.stage.photos.names)),
            "held_out": None if of_run is None or others else held_out(settings, of_run.faces, faces),
            "at_hand": len(faces.people),
        },
        "design": {"name": design.name, "texels_sha256": texels_sha256(design.texels)},
        "recognizers": about_recognizers(recognizers, None if of_run is None else of_run.recognizers),
        "unsupported": unsupported(judgement),
        "breakdown": breakdown(judgement, seed=protocol.seed),
        "linkability": links,
        "pairs": [summarise_pairs(*one, seed=protocol.seed) for one in paired],
        "worn": worn,
        "shown": shown(judgement, detector, seed=protocol.seed),
        "weights_sha256": {item.label: item.weights_sha256 for item in recognizers},
        "packages": package_versions(),
    }
    record = result_record(results, facts)
    record["sentence"] = visitor_sentence(record)
    return Evaluation(results, record, judgement, [one for one, _ in paired])


def _say_what_is_sent(
    recognizers: Sequence[Recognizer],
    faces: FaceSet,
    probed: int,
    protocol: ProtocolSettings,
    *,
    conditions: int,
    linked: int,
    pairs: int,
    worn: int,
) -> None:
    """Log how much services are asked, before they are."""
    if probed:
        draws = draws_of(protocol, probed)
        shown = len(faces.crops) + probed * draws * conditions + worn
        # Each with its own template and those of all people; linked ones with those of their kind as well.
        compared = (shown + probed * draws * linked) * (len(faces.people) + 1) + pairs * draws * conditions
        for one in recognizers:
            if one.asked:
                two = isinstance(one.network, ComparingNetwork)
                what = f"{compared:,} pairs of pictures" if two else f"{shown:,} pictures"
                _log.warning(
                    f"{one.label} is asked about {what} at most; what it answered before is not "
                    "asked again, and nothing is sent that services.send and services.calls do not allow."
                )
