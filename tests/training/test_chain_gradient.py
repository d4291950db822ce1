"""The gradient of the whole chain, in float64 against finite differences.

texture -> renderer -> effects -> alignment -> network -> similarity -> objective, by the training step.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_chain import write_network
from torch import Tensor, nn

from advmask.effects.draws import generator
from advmask.masks.mask_building import build_mask
from advmask.masks.surface import MaskSurface
from advmask.objectives.own_terms import Embedded, Step
from advmask.photos.loading import load_faces
from advmask.recognizers.preparation import own_templates, prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.training.building import build_module, build_texture
from advmask.training.data import Batch, StepDataset
from advmask.training.module import DesignModule
from advmask.training.own_parts import OwnParts
from advmask.training.settings import TrainSettings
from advmask.wearing.worn_photos import WornPhotos, wear_masks

Chain = tuple[DesignModule, Batch]
_STEP = 1e-5  # of a texel; the error of a central difference is of the order of its square


class _Texels(nn.Module):
    """A texture that is its own parameter, so that the gradient is that of each texel."""

    def __init__(self, texels: Tensor) -> None:
        super().__init__()
        self.texels = nn.Parameter(texels)

    def forward(self) -> Tensor:
        return self.texels

    def progress(self, share: float) -> None:
        """Nothing changes with time."""


class _Whole:
    """A term of the user's own that sees texels and pictures."""

    def __call__(self, step: Step) -> Tensor:
        return step.texels[2].square().mean() + 3 * (step.pictures - step.bare)[:, 0].square().mean()


class _OfEmbedding:
    """A term of the user's own that sees embeddings; neither linear nor alike for all photos."""

    def of_embedding(self, seen: Embedded) -> Tensor:
        assert seen.margin is not None
        away = (seen.embedding - seen.template).abs().mean(dim=1)
        return (away * torch.sigmoid(seen.margin)).mean() + seen.similarity.square().mean()


class _Haze:
    """An effect of the user's own, drawn for each photo."""

    def draw(self, batch: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"haze": torch.rand((batch, 1, 1, 1), generator=generator)}

    def apply(self, pictures: Tensor, record: dict[str, Tensor]) -> Tensor:
        return pictures + record["haze"].to(pictures) * (0.7 - pictures)


@cache
def _worn(settings_json: str) -> tuple[WornPhotos, MaskSurface]:
    """The portrait with its masks, and the mask: the same for most tests here."""
    settings = TrainSettings.model_validate_json(settings_json)
    surface = build_mask(settings.mask)
    worn = wear_masks(
        load_faces(settings.faces).crops,
        surface,
        wear=settings.effects.wear,
        ways=3,
        texels_per_mm=settings.texture.texels_per_mm,
        render=settings.render,
        seed=0,
        stream="train",
    )
    return worn, surface


def _chain(settings: TrainSettings, *, photos: int, parts: OwnParts | None = None) -> Chain:
    """The module and one batch of a run, all in float64."""
    # Noise has no gradient: the pictures would be differentiated as if its strength did not follow the light.
    quiet = settings.effects.model_copy(update={"without": ("camera.sensor",)})
    settings = settings.model_copy(update={"effects": quiet})
    worn, surface = _worn(settings.model_dump_json(include={"faces", "mask", "effects", "texture", "render"}))
    recognizers = build_recognizers(settings.recognizers)
    prepared = prepare_all(recognizers, worn.crops)
    # Three more people, of whom there is an embedding and no photo: templates are all that is asked of them.
    own = own_templates(prepared, worn.crops, worn.crops)
    draws = generator(2, 0, "templates of a test")
    templates = [
        torch.cat([each, each + each.std() * torch.randn(3, each.shape[1], generator=draws)]) for each in own
    ]
    module = build_module(
        settings,
        build_texture(settings, surface),
        recognizers,
        templates,
        masked_templates=[each.flip(0) for each in templates],
        people=["a", "b", "c", "d"],
        own=parts,
    ).double()

    batch = StepDataset(worn, module.scene.drawer, batch=photos, seed=0)[3]
    batch = replace(
        batch,
        pictures=batch.pictures.double(),
        # A landmark in the bare photo's own template would make similarity stationary; a masked one moves.
        landmarks=batch.landmarks.double() + 0.37,
        packed=batch.packed.to("cpu", dtype=torch.float64),
    )
    assert {value.dtype for value in module.state_dict().values()} == {torch.float64}
    return module, batch


def _start(module: DesignModule) -> Tensor:
    height, width = module.texture().shape[-2:]
    draws = generator(1, 0, "texels of a test")
    return 0.3 + 0.4 * torch.rand(3, height, width, generator=draws, dtype=torch.float64)


def _check(chain: Chain, parameter: Tensor, *, random: int, largest: int, relative: float) -> None:
    module, batch = chain

    def objective() -> Tensor:
        value = module.training_step(batch, 0)
        assert value.dtype == torch.float64
        return value

    (gradient,) = torch.autograd.grad(objective(), parameter)
    assert gradient.dtype == torch.float64
    assert bool(torch.isfinite(gradient).all())
    flat = gradient.flatten()
    scale = float(flat.abs().max())
    assert scale > 0
    reached = flat.nonzero()[:, 0]
    assert len(reached) > 0.1 * len(flat)
    draws = torch.Generator().manual_seed(0)
    places = [int(reached[int(i)]) for i in torch.randint(len(reached), (random,), generator=draws)]
    places += flat.abs().topk(largest).indices.tolist()
    values = parameter.data.view(-1)
    with torch.no_grad():
        for place in places:
            before = float(values[place])
            values[place] = before + _STEP
            above = float(objective())
            values[place] = before - _STEP
            below = float(objective())
            values[place] = before
            slope = (above - below) / (2 * _STEP)
            # Rounding: two objectives of order one, over the step.
            assert slope == pytest.approx(float(flat[place]), rel=relative, abs=1e-10 + 1e-5 * scale)


@pytest.mark.parametrize("match", ["log_confidence", "confidence", "similarity"])
def test_gradient_of_every_texel(tiny_settings: Callable[..., TrainSettings], match: str):
    chain = _chain(tiny_settings(objective={"match": match, "smoothness": 0.0}), photos=2)
    texels = _start(chain[0])
    chain[0].texture = _Texels(texels)
    _check(chain, chain[0].texture.texels, random=12, largest=4, relative=1e-4)


@pytest.mark.parametrize(
    "objective",
    [
        {"displacement": 2.0, "displacement_reach": 0.2},
        {"over_recognizers": "smooth_max", "temperature": 0.3},
        {"tail": 0.4},
        {"masked_gallery": 0.7},
        {"impostor": 2.0},
        {"features": 3.0},
        {"fidelity": 0.05},
    ],
    ids=lambda objective: next(iter(objective)),
)
def test_gradient_of_each_further_term(
    tiny_settings: Callable[..., TrainSettings], tiny_dir: Path, objective: dict[str, Any]
):
    """Each changes the gradient, and the gradient stays that of the objective."""
    name = write_network(tiny_dir / "second.onnx", seed=1)
    settings = tiny_settings(objective={"smoothness": 0.0})
    settings = TrainSettings.build(
        settings.model_dump()
        | {
            "recognizers": [*settings.recognizers, name],
            "surrogates": {"aligners": ["mtcnn-box"] if "displacement" in objective else ["bare"]},
        }
    )
    asked = settings.objective.model_copy(update=objective)
    plain, chain = (
        _chain(settings.model_copy(update={"objective": one}), photos=2)
        for one in (settings.objective, asked)
    )
    gradients = []
    for module, batch in (plain, chain):
        texels = _start(module)
        module.texture = _Texels(texels)
        gradients.append(torch.autograd.grad(module.training_step(batch, 0), module.texture.texels)[0])
    assert float((gradients[1] - gradients[0]).abs().max()) > 1e-3 * float(gradients[0].abs().max())
    _check(chain, chain[0].texture.texels, random=6, largest=4, relative=1e-3)


def test_gradient_with_smoothness(tiny_settings: Callable[..., TrainSettings]):
    chain = _chain(tiny_settings(objective={"smoothness": 0.5}), photos=2)
    chain[0].texture = _Texels(_start(chain[0]))
    _check(chain, chain[0].texture.texels, random=8, largest=2, relative=1e-4)


def test_gradient_of_what_is_learned(tiny_settings: Callable[..., TrainSettings]):
    chain = _chain(tiny_settings(objective={"smoothness": 0.0}), photos=2)
    (parameter,) = chain[0].texture.parameters()
    with torch.no_grad():
        parameter += 0.3 * torch.randn(parameter.shape, dtype=torch.float64)
    _check(chain, parameter, random=12, largest=4, relative=1e-4)


def test_the_gradient_reaches_the_texels_a_camera_sees_and_no_others(
    tiny_settings: Callable[..., TrainSettings],
):
    """A texel without gradient does not change the picture; one with gradient does."""
    module, batch = _chain(tiny_settings(objective={"smoothness": 0.0}), photos=2)
    module.texture = _Texels(_start(module))
    texels = module.texture.texels

    def pictures() -> Tensor:
        seen: Tensor = module.scene(texels, batch.pictures, batch.packed, batch.drawn)
        return seen

    (gradient,) = torch.autograd.grad(pictures().sum(), texels)
    unseen = (gradient == 0).nonzero()
    assert 0 < len(unseen) < gradient.numel()
    with torch.no_grad():
        before = pictures()
        texels[gradient == 0] = 0.9
        assert torch.equal(pictures(), before)


def test_gradient_through_the_dlib_network(tiny_dir: Path):
    """The network users meet by default, on the crop size they meet, one photo, a few texels."""
    values: dict[str, Any] = {
        "recognizers": ["dlib"],
        "faces": {"size": 112, "cache": str(tiny_dir / "cache")},
        "texture": {"texels_per_mm": 1.0},
        "effects": {},
        "objective": {"smoothness": 0.0},
    }
    chain = _chain(TrainSettings.build(values), photos=1)
    chain[0].texture = _Texels(_start(chain[0]))
    _check(chain, chain[0].texture.texels, random=4, largest=4, relative=1e-3)


@pytest.mark.parametrize("over", ["mean", "smooth_max"])
def test_gradient_through_terms_and_effects_of_ones_own(
    tiny_settings: Callable[..., TrainSettings], tmp_path: Path, over: str
):
    """Also where the networks' gradients are taken one after another and put together by a smooth maximum."""
    settings = tiny_settings(objective={"over_recognizers": over, "temperature": 0.3, "smoothness": 0.0})
    names = [*settings.recognizers, write_network(tmp_path / "second.onnx", seed=5)]
    parts = OwnParts(terms=[_Whole(), _OfEmbedding()], effects=[_Haze()])
    chain = _chain(settings.model_copy(update={"recognizers": names}), photos=2, parts=parts)
    chain[0].texture = _Texels(_start(chain[0]))
    _check(chain, chain[0].texture.texels, random=8, largest=4, relative=1e-4)
    _, values = chain[0].loss(chain[1])
    assert {"term/_Whole", "term/_OfEmbedding"} <= set(values)
    plain = _chain(settings, photos=2)
    alone, _ = plain[0].loss(plain[1])
    assert float(values["loss"]) != pytest.approx(float(alone.detach()))
