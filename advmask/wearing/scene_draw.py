"""What is drawn for the photos of a step: records of plain tensors, made apart from the step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import torch

from advmask.effects.camera.photograph import CameraDraw, draw_camera
from advmask.effects.draws import Draws, LevelDraws, draws
from advmask.effects.fabric import draw_fabric, fabric_field
from advmask.effects.holes import HolesDraw, draw_holes
from advmask.effects.light import LightDraw, draw_light
from advmask.effects.own_effects import Effect, draw_own
from advmask.effects.records import moved, part_of
from advmask.effects.settings import EffectsSettings, HolesSettings
from advmask.printers.draw import draw_print
from advmask.printers.printer import PreparedPrint, Printer
from advmask.render.renderer import Tone


class DrawsOf(Protocol):
    """Draws of a step and a purpose."""

    def __call__(self, step: int, purpose: str, *, first: int = 0) -> Draws:
        """Draws for the photos of a step from the one at the place `first` on."""


def seeded(seed: int, stream: str) -> DrawsOf:
    """Draws of each step and purpose, as a function of the seed, the step, the stream and the purpose."""
    return partial(_seeded, seed, stream)


def _seeded(seed: int, stream: str, step: int, purpose: str, *, first: int = 0) -> Draws:
    return draws(seed, step, f"{stream} {purpose}", first=first)


def at_level(level: float) -> DrawsOf:
    """Every draw at one level of its range; see `LevelDraws`."""
    return lambda *_, **__: LevelDraws(level)


@dataclass(frozen=True, eq=False)
class SceneDraw:
    """Everything drawn for some photos of a step.

    Attributes:
        cloth: The print of the step and its fabric, worn on all of its photos; None where faces are bare.
        tone: What the fabric makes of black and white on each photo; None where faces are bare.
        light: On each photo.
        camera: Of each photo.
        own: Records of the user's own effects, in order.
        holes: Cut into the texture of the step.
    """

    cloth: PreparedPrint | None
    tone: Tone | None
    light: LightDraw
    camera: CameraDraw
    own: tuple[Any, ...] = ()
    holes: HolesDraw | None = None

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> "SceneDraw":
        """The same on another device."""
        return moved(self, device, non_blocking=non_blocking)

    def part(self, *, first: int, count: int) -> "SceneDraw":
        """What of it belongs to `count` photos from the `first` on."""
        each = (self.tone, self.light, self.camera, self.own)
        tone, light, camera, own = part_of(each, first=first, count=count)
        return replace(self, tone=tone, light=light, camera=camera, own=own)


@dataclass(frozen=True, eq=False)
class SceneDrawer:
    """Draws scenes, on the CPU and in whatever process.

    Attributes:
        effects: Ranges, those switched off left out.
        printer: What designs are printed with.
        source: Of the numbers; see `seeded`. Evaluation draws from another stream than training.
        own_effects: Of the user's own.
        holes: Of training; None for none.
    """

    effects: EffectsSettings
    printer: Printer
    source: DrawsOf
    own_effects: Sequence[Effect] = ()
    holes: HolesSettings | None = None

    def draw(
        self, step: int, photos: range, *, size: tuple[int, int], texels: tuple[int, int] | None
    ) -> SceneDraw:
        """Draw for some photos of a step.

        Args:
            step: Number of the step. The same number gives the same draws, whatever the design.
            photos: Their places in the step, one after the other.
            size: Height and width of the pictures.
            texels: Height and width of the design; None for bare faces.
        """
        batch = len(photos)
        of: Callable[[str], Draws] = partial(self.source, step, first=photos.start)
        return SceneDraw(
            cloth=None if texels is None else self._cloth(step, texels),
            tone=None
            if texels is None
            else draw_fabric(self.effects.fabric, batch=batch, draws=of("fabric")),
            light=draw_light(self.effects.light, batch=batch, size=size, draws=of("light")),
            camera=draw_camera(self.effects.camera, batch=batch, draws=of("camera")),
            own=tuple(
                draw_own(effect, batch=batch, draws=of(f"own effect {number}"))
                for number, effect in enumerate(self.own_effects)
            ),
            holes=None
            if texels is None or self.holes is None
            else draw_holes(self.holes, texels=texels, draws=self.source(step, "holes")),
        )

    def _cloth(self, step: int, texels: tuple[int, int]) -> PreparedPrint:
        per_mm = self.printer.texels_per_mm
        drawn = draw_print(
            self.printer.settings, texels=texels, texels_per_mm=per_mm, draws=self.source(step, "print")
        )
        weave = fabric_field(
            self.effects.fabric, texels=texels, texels_per_mm=per_mm, draws=self.source(step, "weave")
        )
        return self.printer.prepared(drawn, texels=texels, field=weave)
