"""A step taken in parts: by several processes, or one after another where memory is short."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from jaxtyping import Bool, Float, Int64
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from advmask.core.errors import RunError
from advmask.core.known_gradient import with_gradient
from advmask.effects.draws import Draws
from advmask.effects.own_effects import OWN, part_of
from advmask.training.data import Batch, StepData
from advmask.training.module import DesignModule
from advmask.wearing.scene import DrawsOf

_log = logging.getLogger(__name__)

_OF_PHOTOS = frozenset({"fabric", "light", "camera"})  # what a scene draws for each photo, and not for a step


class PartDraws(Draws):
    """What the photos of a part get of the draws for a whole step.

    Args:
        source: Draws for the whole step.
        first: Place of the part's first photo in the step.
        count: Photos of the part.
        whole: Photos of the step.
    """

    def __init__(self, source: Draws, *, first: int, count: int, whole: int) -> None:
        self._source = source
        self._first = first
        self._count = count
        self._whole = whole

    def uniform(self, shape: tuple[int, ...], low: float, high: float) -> Float[Tensor, "..."]:
        """Numbers in [low, high)."""
        return self._own(lambda whole: self._source.uniform(whole, low, high), shape)

    def symmetric(self, shape: tuple[int, ...], reach: float) -> Float[Tensor, "..."]:
        """Numbers in [-reach, reach)."""
        return self._own(lambda whole: self._source.symmetric(whole, reach), shape)

    def chance(self, shape: tuple[int, ...], share: float) -> Bool[Tensor, "..."]:
        """True with this probability."""
        return self._own(lambda whole: self._source.chance(whole, share), shape)

    def integers(self, shape: tuple[int, ...], most: int) -> Int64[Tensor, "..."]:
        """Whole numbers from 0 to `most`, both included."""
        return self._own(lambda whole: self._source.integers(whole, most), shape)

    def normal(self, shape: tuple[int, ...]) -> Float[Tensor, "..."]:
        """Standard normal numbers."""
        return self._own(self._source.normal, shape)

    def record(self, draw: Callable[[int, torch.Generator], Any], batch: int) -> Any:
        """What an effect of one's own draws."""
        if batch != self._count:
            raise AssertionError(f"draws of {batch} photos are not for {self._count}")
        return part_of(self._source.record(draw, self._whole), first=self._first, count=self._count)

    def _own(self, draw: Callable[[tuple[int, ...]], Tensor], shape: tuple[int, ...]) -> Tensor:
        # Several numbers a photo stand behind the photos, but for shadows, (6, photos, 1, 1).
        axis = 1 if len(shape) == 4 and shape[2:] == (1, 1) else 0
        if len(shape) <= axis or shape[axis] != self._count:
            raise AssertionError(f"draws of shape {shape} are not for {self._count} photos")
        drawn = draw((*shape[:axis], self._whole, *shape[axis + 1 :]))
        return drawn.narrow(axis, self._first, self._count)


class PartedDraws:
    """A scene's draws, of which each part of a step takes those of its photos.

    Args:
        source: Draws for whole steps.
    """

    def __init__(self, source: DrawsOf) -> None:
        self._source = source
        self._part: Batch | None = None

    def __call__(self, step: int, purpose: str) -> Draws:
        """Draws of a step and a purpose for the part at hand."""
        drawn = self._source(step, purpose)
        part = self._part
        for_photos = purpose in _OF_PHOTOS or purpose.startswith(OWN)
        if part is None or len(part.photo) == part.whole or not for_photos:
            return drawn
        return PartDraws(drawn, first=part.first, count=len(part.photo), whole=part.whole)

    @contextmanager
    def of(self, part: Batch) -> Iterator[None]:
        """Within this context draws are for the photos of a part."""
        before, self._part = self._part, part
        try:
            yield
        finally:
            self._part = before


class PartedSteps(Callback):
    """Takes each step at once, or, from the first time that memory does not suffice, in halves, quarters, ...

    The gradients of the parts are averaged, and each photo gets the draws that it would have had, so that
    the steps stay what they were. Nearly so where photos have sensors of different sizes: streaks, noise and
    blocks of JPEG are laid out on the largest sensor of a part. And as fair as before but otherwise, where
    photos are assigned to several aligners, networks are perturbed, `objective.tail` picks photos or
    `objective.over_recognizers` a recognizer, for each part does that by itself.

    Args:
        data: Makes the parts.
    """

    def __init__(self, data: StepData) -> None:
        self._data = data
        self._at_once: int | None = None
        self._module: DesignModule | None = None
        self._draws: PartedDraws
        self._source: DrawsOf

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Take the module's steps from now on."""
        if not isinstance(pl_module, DesignModule):
            return
        self._module = pl_module
        self._source = pl_module.scene.draws
        self._draws = PartedDraws(self._source)
        pl_module.scene.draws = self._draws
        pl_module.take_step = self._taken

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Let the module take its steps itself again."""
        if self._module is not None:
            self._module.take_step = self._module.loss
            self._module.scene.draws = self._source
            self._module = None

    def _taken(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        size = len(batch.photo)
        while True:
            at_once = min(size, self._at_once or size)
            try:
                return self._in_parts(batch, at_once)
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if not _is_memory(error):
                    raise
                if at_once == 1:
                    raise RunError(
                        "Out of memory with a single photo at a time; try surrogates.autocast=true, fewer "
                        "recognizers, a smaller faces.size or texture.texels_per_mm, or a larger machine."
                    ) from error
            # The error is gone here, and with it what its traceback held.
            self._at_once = (at_once + 1) // 2
            _log.warning(
                "Out of memory at step %d with %d photos at once; going on with %d at once, whose gradients "
                "are averaged over the %d photos of a step.",
                batch.step,
                at_once,
                self._at_once,
                size,
            )
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _in_parts(self, batch: Batch, at_once: int) -> tuple[Tensor, dict[str, Tensor]]:
        """What `DesignModule.loss` gives of a whole step, the gradient of every parameter taken already."""
        assert self._module is not None
        module, size = self._module, len(batch.photo)
        parameters = [value for value in module.parameters() if value.requires_grad]
        gradients: list[Tensor | None] = [None] * len(parameters)
        values: dict[str, Tensor] = {}
        total = batch.pictures.new_zeros(())
        for start in range(0, size, at_once):
            count = min(at_once, size - start)
            part = batch
            if count < size:
                part = self._data.part(batch.step, first=batch.first + start, count=count).to(module.device)
            with self._draws.of(part):
                whole, found = module.loss(part)
            loss = whole * (count / size)
            taken = torch.autograd.grad(loss, parameters, allow_unused=True)
            gradients = [_sum(known, more) for known, more in zip(gradients, taken, strict=True)]
            total = total + loss.detach()
            for name, value in found.items():
                share = value.detach() * (count / size)
                values[name] = values[name] + share if name in values else share
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                total = with_gradient(total, parameter, gradient)
        return total, values


def _sum(known: Tensor | None, more: Tensor | None) -> Tensor | None:
    if known is None or more is None:
        return more if known is None else known
    return known + more


def _is_memory(error: BaseException) -> bool:
    """Whether a GPU, or torch's allocator for the CPU, had no more memory to give."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
