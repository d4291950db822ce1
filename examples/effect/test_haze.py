"""What any effect must do: draw from its generator alone, photos first, and be differentiable."""

import torch
from haze import Haze

PICTURES = torch.rand((4, 3, 5, 6), generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def drawn(seed: int, batch: int = 4) -> torch.Tensor:
    return Haze(most=0.5).draw(batch, torch.Generator().manual_seed(seed))


def test_a_draw_is_of_its_generator_alone() -> None:
    torch.testing.assert_close(drawn(1), drawn(1), rtol=0, atol=0)
    assert not torch.equal(drawn(1), drawn(2))
    assert 0 <= drawn(3, 1000).min() < drawn(3, 1000).max() <= 0.5


def test_a_part_of_a_batch_is_that_part_of_the_whole() -> None:
    record = drawn(1)
    whole = Haze().apply(PICTURES, record)
    torch.testing.assert_close(Haze().apply(PICTURES[2:], record[2:]), whole[2:], rtol=0, atol=0)


def test_it_mixes_with_the_air() -> None:
    hazy = Haze(air=0.25).apply(PICTURES, torch.full((4, 1, 1, 1), 0.5))
    torch.testing.assert_close(hazy, 0.5 * PICTURES + 0.125)


def test_gradient() -> None:
    pictures = PICTURES.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda seen: Haze().apply(seen, drawn(1).double()), (pictures,))
