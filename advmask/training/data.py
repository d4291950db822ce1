"""Photos with prepared placements, and the batch of each step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from advmask.core.errors import ConfigError
from advmask.effects.draws import generator
from advmask.effects.records import each_tensor, moved
from advmask.recognizers.ensemble_draw import EnsembleDraw
from advmask.render.batching import PackedBatch
from advmask.wearing.held_photos import HeldPhotos
from advmask.wearing.scene_draw import SceneDraw, SceneDrawer
from advmask.wearing.worn_photos import WornPhotos


@dataclass(kw_only=True)
class Order:
    """Which photos a step sees, and what is drawn for them; where photos are held on a device that is enough.

    Attributes:
        step: Number of the step, from which all its random draws follow.
        photo: (B,) which photos.
        photos: The same, known to the host.
        ways: How each of them is worn.
        placement: (B,) which placements, way after way of photo after photo.
        drawn: What the scene draws for these photos.
        fed: What the ensemble draws for them; None where it is drawn when they are recognised.
        first: Place of the first of these photos among all of the step.
        whole: Photos of the step, of which these may be a part.
    """

    step: int
    photo: Tensor
    photos: tuple[int, ...]
    ways: tuple[int, ...]
    placement: Tensor
    drawn: SceneDraw
    fed: EnsembleDraw | None
    first: int
    whole: int

    def to(self, device: torch.device | str, **_: object) -> Self:
        """The same on another device; nothing waits where it comes from pinned memory."""
        return moved(self, device, non_blocking=True)

    def pin_memory(self) -> Self:
        """The same in memory that a GPU copies from by itself."""
        return each_tensor(lambda one: one[0].pin_memory(), [self])

    def filled(self, source: WornPhotos | HeldPhotos) -> "Batch":
        """With pictures and placements: those held on this order's device, or those of the host."""
        if isinstance(source, HeldPhotos):
            pictures, landmarks = source.pictures(self.photo), source.landmarks(self.photo)
            packed = source.packed(self.photos, self.ways, which=self.placement)
        else:
            pictures, landmarks = source.pictures(self.photos), source.landmarks(self.photos)
            packed = source.packed(self.photos, self.ways)
        return Batch(**vars(self), pictures=pictures, landmarks=landmarks, packed=packed)


@dataclass(kw_only=True)
class Batch(Order):
    """What one step sees.

    Attributes:
        pictures: (B, 3, S, S) bare, sRGB in [0, 1], laid out in memory with the channels last.
        landmarks: (B, 5, 2) on the bare pictures.
        packed: Placements, collated.
    """

    pictures: Tensor
    landmarks: Tensor
    packed: PackedBatch


def by_person(names: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Numbers of each person's photos, people in code-point order.

    Args:
        names: The person on each photo.
    """
    photos: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        photos.setdefault(name, []).append(number)
    return tuple(tuple(photos[name]) for name in sorted(photos))


def draw_photos(people: Sequence[Sequence[int]], *, count: int, seed: int, step: int) -> list[int]:
    """Choose the photos of a step: people evenly, then one of each person's photos.

    People are taken from one shuffled round after another, so that over any stretch of steps all people
    are seen equally often. The choice is a function of (seed, step).

    Args:
        people: From `by_person`.
        count: Photos per step.
        seed: Of the run.
        step: Number of the step.
    """
    chosen = []
    draws = generator(seed, step, "photos")
    orders: dict[int, Tensor] = {}
    for place in range(step * count, (step + 1) * count):
        turn, seat = divmod(place, len(people))
        if turn not in orders:
            orders[turn] = torch.randperm(len(people), generator=generator(seed, turn, "people"))
        own = people[int(orders[turn][seat])]
        chosen.append(own[int(torch.randint(len(own), (), generator=draws))])
    return chosen


Feeder = Callable[[int, int], EnsembleDraw]
"""Draws for an ensemble: for a step, so many photos."""


class StepDataset(Dataset[Order]):
    """The batch of each step, by its number.

    Args:
        photos: Photos and placements.
        drawer: Draws what happens to them.
        feeder: Draws how recognizers see them.
        batch: Photos per step.
        seed: Of the run.
        first: Place of the first photo, among those of a step, that is given.
        count: How many are given; None gives all.
        orders: Whether batches are given without pictures and placements, to be filled on a device.
    """

    def __init__(
        self,
        photos: WornPhotos,
        drawer: SceneDrawer,
        *,
        batch: int,
        seed: int,
        feeder: Feeder | None = None,
        first: int = 0,
        count: int | None = None,
        orders: bool = False,
    ) -> None:
        self._photos = photos
        self._drawer = drawer
        self._feeder = feeder
        self._people = by_person(photos.names)
        self._batch = batch
        self._seed = seed
        self._first = first
        self._count = batch if count is None else count
        self._orders = orders

    def __getitem__(self, step: int) -> Order:
        """Assemble the batch of a step, or its order alone."""
        given = self.order if self._orders else self.part
        return given(step, first=self._first, count=self._count)

    def part(self, step: int, *, first: int, count: int, drawn: SceneDraw | None = None) -> Batch:
        """Some consecutive photos of a step, with what they have of placements and draws in the whole step.

        Args:
            step: Number of the step.
            first: Place of the first of them.
            count: How many.
            drawn: For them, if that is known already.
        """
        return self.order(step, first=first, count=count, drawn=drawn).filled(self._photos)

    def order(self, step: int, *, first: int, count: int, drawn: SceneDraw | None = None) -> Order:
        """As `part`, without pictures and placements."""
        draws = generator(self._seed, step, "placements")
        ways = [int(torch.randint(self._photos.ways, (), generator=draws)) for _ in range(self._batch)]
        chosen, ways = self.chosen(step)[first : first + count], ways[first : first + count]
        if drawn is None:
            drawn = self._drawer.draw(
                step, range(first, first + count), size=self._photos.size, texels=self._photos.texels
            )
        return Order(
            step=step,
            photo=torch.tensor(chosen),
            photos=tuple(chosen),
            ways=tuple(ways),
            placement=torch.tensor(chosen) * self._photos.ways + torch.tensor(ways),
            drawn=drawn,
            fed=None if self._feeder is None else self._feeder(step, count),
            first=first,
            whole=self._batch,
        )

    def chosen(self, step: int) -> list[int]:
        """Numbers of all photos of a step."""
        return draw_photos(self._people, count=self._batch, seed=self._seed, step=step)


class StepSampler(Sampler[int]):
    """The numbers of the next `count` steps, counted from where training stands.

    Lightning calls the stretch between two checkpoints an epoch. Because the numbers start from the
    global step, a resumed run sees the same batches that an unbroken one would have seen.
    """

    def __init__(self, first: Callable[[], int], count: int) -> None:
        self._first = first
        self._count = count

    def __iter__(self) -> Iterator[int]:
        """Give the numbers of the steps."""
        first = self._first()
        return iter(range(first, first + self._count))

    def __len__(self) -> int:
        """Steps between two checkpoints."""
        return self._count


class StepData(pl.LightningDataModule):
    """Feeds a run step by step; of several processes, each its own part of every step.

    Args:
        photos: Photos and placements.
        drawer: Draws what happens to them.
        batch: Photos per step, of all processes together.
        seed: Of the run.
        stretch: Steps between two checkpoints.
        feeder: Draws how recognizers see them.
        workers: Processes that make batches ahead of the steps; with none, each step makes its own.
        pinned: Whether batches lie in memory that a GPU copies from by itself.
        held: The photos on the device of the steps; with None they are sent there in each step.
    """

    def __init__(
        self,
        photos: WornPhotos,
        drawer: SceneDrawer,
        *,
        batch: int,
        seed: int,
        stretch: int,
        feeder: Feeder | None = None,
        workers: int = 0,
        pinned: bool = False,
        held: HeldPhotos | None = None,
    ) -> None:
        super().__init__()
        self._photos = photos
        self._batch = batch
        self._stretch = stretch
        self._workers = workers
        self._pinned = pinned
        self.held = held
        self._dataset = partial(StepDataset, photos, drawer, batch=batch, seed=seed, feeder=feeder)
        self._whole = self._dataset()

    def train_dataloader(self) -> DataLoader[Order]:
        """Batches of the steps that follow the present one, or orders of these where photos are held.

        Raises:
            ConfigError: The photos of a step cannot be shared out evenly.
        """
        rank, processes = 0, 1
        if self.trainer is not None:
            rank, processes = self.trainer.global_rank, self.trainer.world_size
        own, left = divmod(self._batch, processes)
        if left:
            raise ConfigError(
                f"trainer.batch={self._batch} photos cannot be shared out evenly to {processes} processes; "
                f"choose a multiple of {processes}."
            )
        return DataLoader(
            self._dataset(first=rank * own, count=own, orders=self.held is not None),
            batch_size=None,
            sampler=StepSampler(self._present_step, self._stretch),
            num_workers=self._workers,
            persistent_workers=self._workers > 0,
            pin_memory=self._pinned,
        )

    def on_after_batch_transfer(self, batch: Order, dataloader_idx: int = 0) -> Order:
        """Fill the order of a step, on its device, where photos are held there."""
        return batch if isinstance(batch, Batch) or self.held is None else batch.filled(self.held)

    def part(
        self,
        step: int,
        *,
        first: int,
        count: int,
        drawn: SceneDraw | None = None,
        device: torch.device | str = "cpu",
    ) -> Batch:
        """Some consecutive photos of a step, on a device; see `StepDataset.part`."""
        if self.held is None:
            return self._whole.part(step, first=first, count=count, drawn=drawn).to(device)
        return self._whole.order(step, first=first, count=count, drawn=drawn).to(device).filled(self.held)

    def sources(self, step: int) -> list[Path]:
        """The photo files of a step, of all processes, each once."""
        return list(dict.fromkeys(self._photos.crops[photo].source for photo in self._whole.chosen(step)))

    def _present_step(self) -> int:
        return self.trainer.global_step if self.trainer is not None else 0
