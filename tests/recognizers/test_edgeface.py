"""EdgeFace by its published names and shapes, against the same written out by hand in float64."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from published_names import EDGEFACES, edgeface_shapes, random_state
from torch import Tensor

from advmask.core.errors import WeightsError
from advmask.recognizers.edgeface_network import load_edgeface
from advmask.recognizers.recognizer_names import build_recognizer

State = dict[str, Tensor]
# Parameters in millions, as the publication's table has them.
PUBLISHED = {("xxs", None): 1.24, ("xs", 0.6): 1.77, ("s", 0.5): 3.65, ("base", None): 18.23}


@pytest.mark.parametrize(("size", "gamma"), PUBLISHED)
def test_names_shapes_and_counts_are_the_published_ones(
    size: str, gamma: float | None, tmp_path: Path
) -> None:
    shapes = edgeface_shapes(size, gamma=gamma)
    torch.save({name: torch.zeros(shape) for name, shape in shapes.items()}, tmp_path / "net.pt")
    network = load_edgeface(tmp_path / "net.pt")
    found = {f"model.{name}": tuple(values.shape) for name, values in network.state_dict().items()}
    assert found == shapes
    count = sum(values.numel() for values in network.parameters())
    assert count / 1e6 == pytest.approx(PUBLISHED[size, gamma], abs=0.0051)


def _linear(state: State, name: str, x: Tensor) -> Tensor:
    if f"{name}.weight" in state:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]
    return (x @ state[f"{name}.linear1.weight"].T) @ state[f"{name}.linear2.weight"].T + state[
        f"{name}.linear2.bias"
    ]


def _norm(state: State, name: str, x: Tensor) -> Tensor:
    """Over the channels, which come last."""
    x = x - x.mean(dim=-1, keepdim=True)
    scale = (x.square().mean(dim=-1, keepdim=True) + 1e-6).rsqrt()
    return x * scale * state[f"{name}.weight"] + state[f"{name}.bias"]


def _conv(state: State, name: str, x: Tensor, **how: int) -> Tensor:
    """Of maps whose channels come last."""
    y = F.conv2d(x.permute(0, 3, 1, 2), state[f"{name}.weight"], state[f"{name}.bias"], **how)
    return y.permute(0, 2, 3, 1)


def _each(state: State, block: str, x: Tensor) -> Tensor:
    inner = _linear(state, f"{block}.mlp.fc1", _norm(state, f"{block}.norm", x))
    inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
    return state[f"{block}.gamma"] * _linear(state, f"{block}.mlp.fc2", inner)


def _positions(rows: int, columns: int) -> Tensor:
    table = torch.zeros(1, rows, columns, 64, dtype=torch.float64)
    for row in range(rows):
        for column in range(columns):
            for number in range(32):
                long = 10000 ** (2 * (number // 2) / 32)
                wave = math.sin if number % 2 == 0 else math.cos
                table[0, row, column, number] = wave(2 * math.pi * (row + 1) / (rows + 1e-6) / long)
                table[0, row, column, 32 + number] = wave(
                    2 * math.pi * (column + 1) / (columns + 1e-6) / long
                )
    return table


def _by_hand(state: State, pictures: Tensor, size: str) -> Tensor:
    depths, widths, heads = EDGEFACES[size]
    x = _norm(state, "stem.1", _conv(state, "stem.0", pictures.permute(0, 2, 3, 1), stride=4))
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        at = f"stages.{stage}"
        if stage:
            x = _conv(state, f"{at}.downsample.1", _norm(state, f"{at}.downsample.0", x), stride=2)
        for number in range(depth):
            block = f"{at}.blocks.{number}"
            if f"{block}.conv_dw.weight" in state:
                y = _conv(state, f"{block}.conv_dw", x, padding=1 + stage, groups=width)
                x = x + _each(state, block, y)
                continue
            parts, group = (0, 2, 3, 4)[stage], len(state[f"{block}.convs.0.weight"])
            before, cut = None, []
            for part in range(parts):
                y = x[..., part * group : (part + 1) * group]
                if part < parts - 1:
                    y = y if before is None else y + before
                    before = y = _conv(state, f"{block}.convs.{part}", y, padding=1, groups=group)
                cut.append(y)
            y = torch.cat(cut, dim=-1)
            batch, rows, columns, _ = y.shape
            if stage == 1:
                y = y + _conv(state, f"{block}.pos_embd.token_projection", _positions(rows, columns))
            three = _linear(state, f"{block}.xca.qkv", _norm(state, f"{block}.norm_xca", y))
            query, key, value = three.reshape(batch, -1, 3 * width).split(width, dim=-1)
            seen = []
            for head in range(heads):
                some = slice(head * width // heads, (head + 1) * width // heads)
                q, k = (each[..., some] / each[..., some].norm(dim=1, keepdim=True) for each in (query, key))
                alike = torch.einsum("bnc,bnd->bcd", q, k) * state[f"{block}.xca.temperature"][head]
                seen.append(torch.einsum("bcd,bnd->bnc", alike.softmax(dim=-1), value[..., some]))
            mixed = _linear(state, f"{block}.xca.proj", torch.cat(seen, dim=-1)).reshape(y.shape)
            y = y + state[f"{block}.gamma_xca"] * mixed
            x = x + _each(state, block, y)
    return _linear(state, "head.fc", _norm(state, "head.norm", x.mean(dim=(1, 2))))


@pytest.mark.parametrize(("size", "gamma"), [("xs", 0.6), ("s", 0.5), ("xxs", None)])
def test_it_computes_what_is_published(size: str, gamma: float | None, tmp_path: Path) -> None:
    state = random_state(edgeface_shapes(size, gamma=gamma))
    torch.save(state, tmp_path / "net.pt")
    x = torch.rand(2, 3, 112, 112, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    exact = {name.removeprefix("model."): values.double() for name, values in state.items()}
    with torch.no_grad():
        found = load_edgeface(tmp_path / "net.pt").double()(x)
    torch.testing.assert_close(found, _by_hand(exact, x, size), rtol=1e-9, atol=1e-9)


def test_it_is_fed_as_insightfaces_networks_and_carries_a_gradient(tmp_path: Path) -> None:
    torch.save(random_state(edgeface_shapes("xxs", gamma=None)), tmp_path / "edgeface_xxs.pt")
    recognizer = build_recognizer(f"edgeface:{tmp_path / 'edgeface_xxs.pt'}")
    assert (recognizer.label, recognizer.family) == ("edgeface_xxs", "edgeface")
    chips = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(0)).requires_grad_()
    found = recognizer.embed(chips)
    torch.testing.assert_close(found, recognizer.network(chips * 2 - 1), rtol=1e-4, atol=1e-5)
    (gradient,) = torch.autograd.grad(found.sum(), chips)
    assert bool(gradient.flatten(1).any(dim=1).all())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model.stem.0.weight": (40, 3, 4, 4)}, r"its first layer has 40 channels; 24, 32, 48, 80"),
        ({"model.stem.0.weight": ()}, "its first layer has 0 channels"),
        ({"model.stages.0.blocks.0.gamma": (7,)}, r"stages\.0\.blocks\.0\.gamma has shape \(7,\)"),
        ({"model.head.norm.more": (7,)}, r"adds head\.norm\.more"),
        ({"model.head.fc.weight": (9,)}, r"head\.fc\.weight has shape \(9,\)"),
    ],
)
def test_another_network_is_named(change: dict[str, tuple[int, ...]], says: str, tmp_path: Path) -> None:
    shapes = edgeface_shapes("xxs", gamma=None) | change
    torch.save({name: torch.zeros(shape) for name, shape in shapes.items()}, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match=says):
        load_edgeface(tmp_path / "net.pt")
