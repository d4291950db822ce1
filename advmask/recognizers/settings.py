"""How recognizers are fed and run in training, and what they compare with."""

from typing import Literal

from pydantic import Field, model_validator

from advmask.core.settings import Settings

DETECTORS = "mtcnn, scrfd:PATH, retinaface:PATH, yunet:PATH, insightface:PACK"
"""What finds faces in whole pictures, as users write it."""

GalleryName = Literal["bare", "masked", "pooled"]


class PerturbationSettings(Settings):
    """How much recognizers are perturbed in training; nothing by default.

    Attributes:
        alignment: Chips are shifted and scaled by up to this, eye distances.
        dropout: Probability that a channel of a convolution is silent.
        scale: Outputs of convolutions are scaled by one plus or minus up to this, one number a layer.
    """

    alignment: float = Field(default=0.0, ge=0, le=0.5)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    scale: float = Field(default=0.0, ge=0, lt=1)

    @property
    def of_networks(self) -> bool:
        """Whether the networks themselves are perturbed."""
        return self.dropout > 0 or self.scale > 0


class SurrogateSettings(Settings):
    """How an ensemble is fed and run in training.

    Attributes:
        aligners: The photos of a batch are assigned to these in turn: bare; mtcnn-box and mesh468-box, whose
            landmarks carry a gradient; or others. [bare,bare,mtcnn-box] assigns 2 of 3 to bare.
        own_aligners: Aligner of single recognizers, by their short name: {dlib: mtcnn-box}; they see the
            whole batch through it.
        box_shake: How far the face box jumps for aligners that are given it, eye distances.
        weights: Of the recognizers in the objective: a number each in their order, or by short name those
            that do not count 1: {dlib: 0.3}; None counts all alike.
        compile: Compile the networks with torch.compile.
        perturbation: Of the networks, against fitting these very ones.
    """

    aligners: list[str] = Field(default=["bare"], min_length=1)
    own_aligners: dict[str, str] = Field(default_factory=dict)
    box_shake: float = Field(default=0.1, ge=0, le=0.5)
    weights: list[float] | dict[str, float] | None = None
    compile: bool = False
    perturbation: PerturbationSettings = PerturbationSettings()

    @model_validator(mode="after")
    def _compiled_once(self) -> "SurrogateSettings":
        if self.compile and self.perturbation.of_networks:
            raise ValueError(
                "perturbation.dropout and perturbation.scale change the networks in each step, and compiled "
                "networks would be compiled anew for each; set compile=false, or both to 0"
            )
        return self


class ServiceSettings(Settings):
    """What services on the net may be sent, which are named as service:FILE.py:FUNCTION.

    Attributes:
        send: Send them pictures of faces; without it only answers that were kept are used.
        calls: The most calls that each may get from this command: a picture, or a pair of them, in each.
        per_second: The most in a second.
    """

    send: bool = False
    calls: int = Field(default=0, ge=0)
    per_second: float = Field(default=5.0, gt=0)


def check_detector(name: str, *, others: str = "") -> None:
    """Check that a name may be one of `DETECTORS`.

    Args:
        name: As written.
        others: What else is known there, for the message.

    Raises:
        ValueError: It is none.
    """
    kind, _, rest = name.partition(":")
    if name != "mtcnn" and not (kind in ("scrfd", "retinaface", "yunet", "insightface") and rest):
        raise ValueError(f"known are {others}{DETECTORS}")
