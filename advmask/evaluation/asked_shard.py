"""The part of an evaluation that `protocol.shard` asks for, and what all parts must agree in."""

from collections.abc import Sequence
from pathlib import Path

from advmask.core.errors import ConfigError
from advmask.core.files import sha256
from advmask.evaluation.record_facts import package_versions, texels_sha256
from advmask.evaluation.scoring_parts import Shard
from advmask.evaluation.settings import ScoringSettings
from advmask.photos.loading import FaceSet
from advmask.recognizers.recognizer import Recognizer
from advmask.textures.design_files import Design


def of_the_whole(settings: ScoringSettings) -> ScoringSettings:
    """Settings as one run has them that is not in parts."""
    protocol = settings.protocol.model_copy(update={"shard": None})
    return settings.model_copy(update={"protocol": protocol})


def asked_shard(
    settings: ScoringSettings,
    design: Design,
    recognizers: Sequence[Recognizer],
    faces: FaceSet,
    parts: Path | None,
) -> Shard | None:
    """The part to be scored here; None where all is.

    Args:
        settings: Say which part, and what else scores depend on.
        design: That is judged.
        recognizers: That judge.
        faces: Photos at hand.
        parts: Folder of the parts.

    Raises:
        ConfigError: There is no folder for parts.
    """
    if settings.protocol.shard is None:
        return None
    if parts is None:
        raise ConfigError("protocol.shard needs a folder for the parts; it is for `advmask evaluate`.")
    number, _, of = settings.protocol.shard.partition("/")
    kept = of_the_whole(settings).model_dump(mode="json")
    protocol = {key: value for key, value in kept["protocol"].items() if key not in ("progress", "processes")}
    of_scores = {key: kept[key] for key in ScoringSettings.model_fields if key != "faces"}
    about = {
        "settings": of_scores | {"protocol": protocol},
        "texels": texels_sha256(design.texels),
        "weights": [one.weights_sha256 for one in recognizers],
        "photos": [[crop.person, crop.sha256] for crop in faces.crops],
        "lists": [path and sha256(path) for path in (settings.protocol.pairs, settings.protocol.calibration)],
        "packages": package_versions(),
    }
    return Shard(int(number), int(of), parts, about)
