"""The batches of a run: people evenly, and a function of seed and step alone."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_chain import drawer

from advmask.effects.settings import WearSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.render.settings import RenderSettings
from advmask.training.data import StepData, StepDataset, by_person, draw_photos
from advmask.wearing.worn_photos import WornPhotos, wear_masks

NAMES = ["ann"] * 7 + ["bob"] + ["cid"] * 3 + ["dot"] * 2
PEOPLE = by_person(NAMES)


@given(names=st.lists(st.sampled_from("bAaéz"), max_size=12))
def test_photos_are_sorted_by_person(names: list[str]):
    people = by_person(names)
    assert [names[photos[0]] for photos in people] == sorted(set(names))
    for photos in people:
        assert list(photos) == [i for i, name in enumerate(names) if name == names[photos[0]]]


@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    count=st.integers(1, 9),
    seed=st.integers(0, 2**31),
    rounds=st.integers(1, 4),
)
def test_people_are_seen_evenly_over_any_stretch(sizes: list[int], count: int, seed: int, rounds: int):
    names = [f"p{i}" for i, size in enumerate(sizes) for _ in range(size)]
    steps = rounds * len(sizes)  # so that whole rounds are seen
    people = by_person(names)
    chosen = [i for step in range(steps) for i in draw_photos(people, count=count, seed=seed, step=step)]
    assert len(chosen) == steps * count
    assert all(0 <= i < len(names) for i in chosen)
    assert set(Counter(names[i] for i in chosen).values()) == {rounds * count}
    for start in range(0, len(chosen), len(sizes)):  # nobody twice within a round
        assert len({names[i] for i in chosen[start : start + len(sizes)]}) == len(sizes)


def test_photos_are_a_function_of_seed_and_step():
    def drawn(seed: int) -> list[list[int]]:
        return [draw_photos(PEOPLE, count=4, seed=seed, step=step) for step in range(40)]

    first = drawn(5)
    torch.rand(3)  # the global generator must not matter
    assert drawn(5) == first
    backwards = [draw_photos(PEOPLE, count=4, seed=5, step=step) for step in reversed(range(40))]
    assert backwards[::-1] == first
    assert drawn(6) != first
    assert len({tuple(batch) for batch in first}) > 30


def test_all_photos_of_a_person_are_used():
    chosen = {i for step in range(150) for i in draw_photos(PEOPLE, count=4, seed=0, step=step)}
    assert chosen == set(range(len(NAMES)))


def test_the_order_of_people_changes_from_round_to_round():
    orders = {tuple(NAMES[i] for i in draw_photos(PEOPLE, count=4, seed=0, step=step)) for step in range(100)}
    assert len(orders) == 24  # all permutations of four


@pytest.fixture(scope="module")
def photos(tiny_dir: object) -> WornPhotos:
    faces = load_faces(FacesSettings(size=112, cache=f"{tiny_dir}/cache"))
    return wear_masks(
        faces.crops,
        build_mask(MaskSettings()),
        wear=WearSettings(shift_mm=3, tilt_deg=3, scale=0.03),
        ways=3,
        texels_per_mm=1.0,
        render=RenderSettings(),
        seed=0,
        stream="train",
    )


def test_a_batch_is_replayed_alone(photos: WornPhotos):
    one, two = (StepDataset(photos, drawer(), batch=3, seed=2) for _ in range(2))
    for step in (0, 1, 5):
        two[step + 7]
        first, second = one[step], two[step]
        assert first.step == second.step == step
        assert first.pictures.shape == (3, 3, 112, 112)
        assert first.pictures.is_contiguous(memory_format=torch.channels_last)
        assert 0 <= float(first.pictures.min()) < float(first.pictures.max()) <= 1
        for name, value in vars(first.packed).items():
            other = getattr(second.packed, name)
            assert torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other
        assert torch.equal(first.photo, second.photo)
        assert torch.equal(first.pictures, second.pictures)
        assert torch.equal(first.landmarks, second.landmarks)
    lengths = {len(one[step].packed.pixel) for step in range(12)}
    assert len(lengths) > 1  # not always the same ways of wearing


def test_a_stretch_counts_from_where_training_stands(photos: WornPhotos):
    data = StepData(photos, drawer(), batch=1, seed=0, stretch=4)
    assert [batch.step for batch in data.train_dataloader()] == [0, 1, 2, 3]

    class _Standing:
        global_step, global_rank, world_size = 9, 0, 1

    data.trainer = _Standing()  # type: ignore[assignment]
    assert [batch.step for batch in data.train_dataloader()] == [9, 10, 11, 12]
