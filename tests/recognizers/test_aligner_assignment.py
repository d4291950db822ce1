"""Assigning photos to aligners: fair shares, replayable, with honest fallback and gradient."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from advmask.recognizers.aligners.aligner import Aligner, BareAligner
from advmask.recognizers.aligners.assignment import aligned_points, assign, assigned_points


class Marked:
    """Gives the picture's first value times 1000 plus its own mark; finds nothing where that value is 0."""

    differentiable = True

    def __init__(self, mark: float) -> None:
        self.name = f"marked-{mark}"
        self._mark = mark
        self.hints: list[Tensor] = []

    def landmarks(self, pictures: Tensor, hint: Tensor) -> tuple[Tensor, Tensor]:
        self.hints.append(hint)
        value = pictures[:, 0, 0, 0]
        found = value.detach() != 0
        points = (1000 * value + self._mark)[:, None, None].expand(-1, 5, 2)
        return torch.where(found[:, None, None], points, 0), found


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def photos(batch: int) -> tuple[Tensor, Tensor]:
    return torch.ones(batch, 3, 4, 4), torch.rand(batch, 5, 2) * 50


@given(batch=st.integers(0, 13), parts=st.integers(1, 5), seed=st.integers(0, 1000))
def test_shares_differ_by_one_at_most_and_every_photo_is_assigned_once(batch, parts, seed) -> None:
    aligners = [Marked(mark) for mark in range(parts)]
    points, found = aligned_points(aligners, *photos(batch), draws=generator(seed))
    marks = (points[:, 0, 0] - 1000).long()
    assert bool(found.all())
    shares = torch.bincount(marks, minlength=parts)
    assert int(shares.sum()) == batch
    assert int(shares.max() - shares.min()) <= 1


def test_every_photo_and_every_extra_place_goes_to_each_aligner_in_turn() -> None:
    aligners = [Marked(0), Marked(1)]
    assigned = torch.stack(
        [aligned_points(aligners, *photos(3), draws=generator(seed))[0][:, 0, 0] for seed in range(200)]
    )
    assert bool(((assigned - 1000).mean(dim=0) - 0.5).abs().max() < 0.15)


def test_the_same_draws_assign_the_same_and_bare_gets_the_hint_itself() -> None:
    aligners: Sequence[Aligner] = [Marked(5), BareAligner()]
    pictures, hint = photos(8)
    first, _ = aligned_points(aligners, pictures, hint, draws=generator(3), shake=0.1)
    again, _ = aligned_points(aligners, pictures, hint, draws=generator(3), shake=0.1)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    bare = (first == hint).all(dim=2).all(dim=1)
    assert int(bare.sum()) == 4
    assert bool((first[~bare] == 1005).all())


def test_a_face_not_found_falls_back_to_the_unshaken_hint() -> None:
    pictures, hint = photos(4)
    pictures[1] = 0
    points, found = aligned_points([Marked(2)], pictures, hint, draws=generator(), shake=0.2)
    assert found.tolist() == [True, False, True, True]
    torch.testing.assert_close(points[1], hint[1], rtol=0, atol=0)


def test_the_shake_stays_within_its_reach_and_is_a_similarity() -> None:
    five = torch.tensor([(40.0, 40.0), (60.0, 42.0), (50.0, 55.0), (42.0, 65.0), (58.0, 66.0)])
    hint = five.expand(300, 5, 2)
    seen = Marked(0)
    aligned_points([seen], torch.ones(300, 3, 4, 4), hint, draws=generator(), shake=0.05)
    (shaken,) = seen.hints
    eyes = (five[1] - five[0]).norm()
    moved = (shaken.mean(1) - five.mean(0)) / eyes
    size = (shaken[:, 1] - shaken[:, 0]).norm(dim=1) / eyes
    assert 0.045 < float(moved.abs().max()) <= 0.0501
    assert 0.045 < float((size - 1).abs().max()) <= 0.0501
    centred = shaken - shaken.mean(1, keepdim=True)
    torch.testing.assert_close(centred, (five - five.mean(0)) * size[:, None, None], rtol=0, atol=1e-3)


def test_the_gradient_reaches_the_pictures_of_differentiable_aligners_only() -> None:
    pictures, hint = photos(6)
    pictures[0] = 0
    pictures.requires_grad_()
    points, found = aligned_points([Marked(0), BareAligner()], pictures, hint, draws=generator())
    points.sum().backward()
    assert pictures.grad is not None
    moved = (points != hint).any(dim=2).any(dim=1)
    torch.testing.assert_close(pictures.grad[:, 0, 0, 0] != 0, moved)
    assert bool((moved <= found).all())


@given(batch=st.integers(0, 13), parts=st.integers(1, 5), seed=st.integers(0, 1000))
def test_draws_are_taken_in_the_order_that_earlier_runs_took_them(batch, parts, seed) -> None:
    """Runs made before assigning and finding were two steps replay: assigned here by hand, photo by photo."""
    by_hand, used = generator(seed), generator(seed)
    order = torch.randperm(batch, generator=by_hand).tolist()
    first = int(torch.randint(parts, (), generator=by_hand))
    moves = torch.rand(batch, 3, generator=by_hand)
    assigned = assign(parts, batch, draws=used)
    shares: list[list[int]] = [[] for _ in range(parts)]
    for place, photo in enumerate(order):
        shares[(place + first) % parts].append(photo)
    assert [share.tolist() for share in assigned.shares] == shares
    assert torch.equal(assigned.moves, 2 * moves - 1)
    assert torch.equal(used.get_state(), by_hand.get_state())


def test_who_was_assigned_what_is_known_before_and_true_afterwards() -> None:
    aligners = [Marked(0), BareAligner(), Marked(2)]
    pictures, hint = photos(8)
    assigned = assign(3, 8, draws=generator(5))
    points, _ = assigned_points(assigned, aligners, pictures, hint, shake=0.1)
    for number, mark in ((0, 1000), (2, 1002)):
        chosen = [place == number for place in range(3)]
        assert torch.equal(assigned.photos_of(chosen), (points[:, 0, 0] == mark).nonzero()[:, 0])
    bare = (points == hint).all(dim=2).all(dim=1)
    assert torch.equal(assigned.photos_of([False, True, False]), bare.nonzero()[:, 0])
    whole, _ = aligned_points(aligners, pictures, hint, draws=generator(5), shake=0.1)
    assert torch.equal(points, whole)


def test_nobody_to_assign_to_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least"):
        aligned_points([], *photos(2), draws=generator())
