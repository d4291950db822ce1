"""What any term must do: give one number with a gradient that agrees with differences."""

import torch
from calm import Calm

from advmask.objectives.own_terms import Step


def step(texels: torch.Tensor) -> Step:
    nothing = torch.zeros((1, 3, 2, 2))
    return Step(0, texels, nothing, nothing, torch.zeros((1, 5, 2)))


def test_one_colour_is_calm_and_stripes_are_not() -> None:
    flat = torch.full((3, 4, 6), 0.3)
    stripes = flat.clone()
    stripes[:, ::2] = 0.7
    assert Calm()(step(flat)) == 0
    torch.testing.assert_close(Calm(weight=0.5)(step(stripes)), torch.tensor(0.5 * 0.2**2))


def test_gradient() -> None:
    draw = torch.Generator().manual_seed(0)
    texels = torch.rand((3, 3, 4), generator=draw, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda seen: Calm()(step(seen)), (texels,))
