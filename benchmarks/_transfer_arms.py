"""What `transfer.py` compares: ways of training (arms), and what designs are trained against (cases)."""

from dataclasses import dataclass

OURS, RIVAL = "advmask", "adversarial-mask"

_OURS = (
    "texture=pyramid",
    "texture.start=mean_face",
    "objective=through_alignment",
    "surrogates.aligners=[bare,bare,bare,mtcnn-box]",
    "effects=indoor",
    "holes.most=3",
)

_INKS = "texture.palette.inks=['#16181d','#f2efe6','#c2452d','#e3b04b','#2f6c8f']"
RIVAL_STEPS = 1.25  # to one of ours: they are cheaper, and should cost no less in all

# Words of `advmask train`, of which a later one wins; but for the rival, each arm changes one thing of ours.
LOGO = "LOGO"  # stands for a file that `transfer.py` draws
ARMS: dict[str, tuple[str, ...]] = {
    OURS: _OURS,
    RIVAL: ("experiment=adversarial_mask",),  # docs/comparison.md says how it is translated
    "no holes": (*_OURS, "holes.most=0"),
    "from grey": (*_OURS, "texture.start=grey"),
    "from large_face": (*_OURS, "texture.start=large_face"),
    "pixels": (*_OURS, "texture=pixels", "texture.start=mean_face"),
    "spectral": (*_OURS, "texture=spectral", "texture.start=mean_face"),
    "4 mm detail": (*_OURS, "texture.detail_mm=4"),
    "mirror": (*_OURS, "texture.symmetry=mirror"),
    "five inks": (*_OURS, "texture=palette", "texture.start=mean_face", _INKS),
    "five inks mirror logo": (
        *_OURS,
        "texture=palette",
        "texture.start=mean_face",
        "texture.symmetry=mirror",
        _INKS,
        f"texture.locked=[{{mask: {LOGO}, content: '#f2efe6'}}]",
    ),
    "bounded change": (*_OURS, "texture.change=0.4"),
    "similarity": (*_OURS, "objective.match=similarity"),
    "confidence": (*_OURS, "objective.match=confidence"),
    "smooth_max": (*_OURS, "objective.over_recognizers=smooth_max"),
    "tail of half": (*_OURS, "objective.tail=0.5"),
    "features": (*_OURS, "objective.features=1"),
    "masked gallery": (*_OURS, "objective.masked_gallery=0.5"),
    "impostor": (*_OURS, "objective.impostor=0.2"),
    "smoother": (*_OURS, "objective.smoothness=0.2"),
    "displacement 1": (*_OURS, "objective.displacement=1"),
    "no displacement": (*_OURS, "objective.displacement=0"),
    "bare alignment": (*_OURS, "objective.displacement=0", "surrogates.aligners=[bare]"),
    "no effects": (*_OURS, "effects=none"),
    "full effects": (*_OURS, "effects=full"),
    "chip jitter": (*_OURS, "surrogates.perturbation.alignment=0.06"),
    "network jitter": (
        *_OURS,
        "surrogates.perturbation.scale=0.2",
        "surrogates.perturbation.dropout=0.05",
    ),
    "averaged": (*_OURS, "optimiser.average=0.3"),
    "sign": (*_OURS, "optimiser.kind=sign"),
    "slower": (*_OURS, "optimiser.learning_rate=0.03"),
    "faster": (*_OURS, "optimiser.learning_rate=0.3"),
}


@dataclass(frozen=True)
class Case:
    """What designs are trained against.

    Attributes:
        name: Short.
        trained: Numbers of the recognizers trained against; the others are held out.
    """

    name: str
    trained: tuple[int, ...]


def cases_of(part: str, labels: list[str]) -> list[Case]:
    """The cases of a part: `white`, all recognizers; `held_out`, each family left out in turn."""
    everyone = tuple(range(len(labels)))
    if part == "white":
        return [Case("white", everyone)]
    return [
        Case(f"without-{label}", tuple(i for i in everyone if i != number))
        for number, label in enumerate(labels)
    ]
