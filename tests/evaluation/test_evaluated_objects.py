"""Networks, aligners and effects that are given to an evaluation as objects."""

from typing import Any

import pytest
import torch
from tiny_conditions import TINY_CONDITIONS
from torch import Tensor, nn

from advmask.core.errors import ConfigError
from advmask.evaluation.protocol import evaluate_designs
from advmask.evaluation.results import RecognizerResult
from advmask.evaluation.settings import ProtocolSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers


class Shifted:
    name = "shifted"
    differentiable = False

    def landmarks(self, pictures: Tensor, hint: Tensor) -> tuple[Tensor, Tensor]:
        return hint + 4.0, torch.ones(len(pictures), dtype=torch.bool)


class Dark:
    def draw(self, batch: int, generator: torch.Generator) -> Tensor:
        return 0.5 + 0.3 * torch.rand((batch, 1, 1, 1), generator=generator)

    def apply(self, pictures: Tensor, record: Tensor) -> Tensor:
        return pictures * record


def evaluated(faces: FaceSet, *, processes: int = 1, **objects: Any) -> list[RecognizerResult]:
    torch.manual_seed(0)
    mine = Recognizer.from_module(
        nn.Sequential(nn.Conv2d(3, 8, 8, 8), nn.Tanh(), nn.Flatten()),
        size=(32, 32),
        template="arcface",
        name="mine",
        calibration={"threshold": 0.5, "scale": 10.0, "fmr": 0.01},
    )
    size = build_mask(MaskSettings()).texture_size(1.0)
    return evaluate_designs(
        {"white": torch.ones(3, *size), "design": torch.full((3, *size), 0.2)},
        faces,
        prepare_all(build_recognizers([mine]), faces.crops),
        conditions=TINY_CONDITIONS,
        protocol=ProtocolSettings(
            draws=2, people="all", progress=False, aligners=["bare"], processes=processes
        ),
        **objects,
    )


def test_objects_stand_where_names_do(portrait: FaceSet) -> None:
    (plain,) = evaluated(portrait)
    bare, shifted = evaluated(portrait, aligners=["bare", Shifted()])
    (dark,) = evaluated(portrait, own_effects=[Dark()])
    assert (plain.recognizer, bare.aligner, shifted.aligner) == ("mine", "bare", "shifted")
    similarity = [one.conditions["design"].similarity for one in (plain, bare, shifted, dark)]
    assert similarity[0] == similarity[1]
    assert len({round(value, 4) for value in similarity}) == 3


@pytest.mark.parametrize(("objects", "named"), [({}, "module:mine"), ({"aligners": [Shifted()]}, "shifted")])
def test_objects_are_not_shared_by_processes(portrait: FaceSet, objects: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=rf"{named} was given as an object .* protocol\.processes=1"):
        evaluated(portrait, processes=2, **objects)
