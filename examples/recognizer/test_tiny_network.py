"""What any recognizer must do: embed each picture by itself, with a gradient."""

from pathlib import Path

import pytest
import torch
from tiny_network import build

import advmask

NAME = f"python:{Path(__file__).with_name('tiny_network.py')}:build"


@pytest.fixture(scope="module")
def chips() -> torch.Tensor:
    return torch.rand((3, 3, 112, 112), generator=torch.Generator().manual_seed(0))


def test_a_picture_s_embedding_does_not_depend_on_its_neighbours(chips: torch.Tensor) -> None:
    network, fed = build()
    together = network.eval()(chips)
    assert together.shape == (3, fed["embedding"])
    torch.testing.assert_close(together[1:2], network(chips[1:2]), rtol=1e-4, atol=1e-6)


def test_it_is_opened_by_name(chips: torch.Tensor) -> None:
    (recognizer,) = advmask.build_recognizers([NAME])
    network, _ = build()
    with torch.no_grad():
        expected = network.eval()((chips - 0.5) / 0.5)
        torch.testing.assert_close(recognizer.embed(chips), expected, rtol=1e-4, atol=1e-5)
