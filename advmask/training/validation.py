"""Watching a run on people it is not trained on: validation, the best design, and stopping early."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from advmask.core.errors import ConfigError
from advmask.effects.own_effects import Effect
from advmask.masks.surface import MaskSurface
from advmask.photos.crops import FaceCrop
from advmask.photos.loading import FaceSet
from advmask.recognizers.preparation import Prepared, own_templates, prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.training.current_design import design_now
from advmask.training.module import DesignModule
from advmask.training.settings import TrainSettings
from advmask.wearing.held_photos import HeldPhotos
from advmask.wearing.placement_cache import placement_cache
from advmask.wearing.scene import Scene
from advmask.wearing.scene_draw import seeded
from advmask.wearing.worn_photos import WAYS_SEED, WornPhotos, wear_masks

_log = logging.getLogger(__name__)

_WAYS = 2


@dataclass(frozen=True, eq=False)
class ValidationProbes:
    """What a design is validated on: always the same photos, placements and draws.

    Attributes:
        photos: Of the people watched.
        ways: How often each photo is worn.
        recognizers: That try to match them, aligned as on the bare photos.
        templates: For each recognizer (n, D): the template each photo is matched against.
        scene: Draws the same at every validation.
        batch: Probes at once.
    """

    photos: WornPhotos | HeldPhotos
    ways: int
    recognizers: Sequence[Recognizer]
    templates: Sequence[Tensor]
    scene: Scene
    batch: int

    @torch.no_grad()
    def confidences(
        self, texels: Float[Tensor, "3 height width"], *, rank: int = 0, processes: int = 1
    ) -> Float[Tensor, " recognizers"]:
        """Sum of the match confidence of each recognizer over this process's share of the probes.

        Args:
            texels: The design, on the device to work on.
            rank: Number of this process.
            processes: How many share the probes.
        """
        device = texels.device
        self.scene.to(device)
        total = torch.zeros(len(self.recognizers), dtype=torch.float64, device=device)
        probes = [(photo, way) for photo in range(len(self.photos.crops)) for way in range(self.ways)]
        for number, start in enumerate(range(0, len(probes), self.batch)):
            if number % processes != rank:
                continue
            chosen, ways = map(list, zip(*probes[start : start + self.batch], strict=True))
            packed = self.photos.packed(chosen, ways).to(device)
            bare = self.photos.pictures(chosen).to(device)
            size = (bare.shape[-2], bare.shape[-1])
            drawn = self.scene.draw(number, range(len(chosen)), size, texels=texels).to(device)
            pictures = self.scene(texels, bare, packed, drawn)
            landmarks = self.photos.landmarks(chosen).to(device)
            for place, (recognizer, template) in enumerate(
                zip(self.recognizers, self.templates, strict=True)
            ):
                embedding = recognizer.to(device)(pictures, landmarks).float()
                similarity = recognizer.similarity(embedding, template[chosen].to(device))
                total[place] += recognizer.confidence(similarity).double().sum()
        return total

    def __len__(self) -> int:
        """Number of probes."""
        return len(self.photos.crops) * self.ways


def build_probes(
    settings: TrainSettings,
    faces: FaceSet,
    surface: MaskSurface,
    prepared: Sequence[Prepared],
    *,
    recognizers: Sequence[str | Recognizer] | None = None,
    own_effects: Sequence[Effect] = (),
) -> ValidationProbes | None:
    """Make ready what a run is validated on; None where it is not.

    Args:
        settings: Of the run.
        faces: All photos.
        surface: The mask.
        prepared: The recognizers trained against, made ready on all photos.
        recognizers: That validate, in place of `trainer.validation_recognizers`.
        own_effects: Effects of the user's own.

    Raises:
        ConfigError: The split leaves nobody to validate on.
    """
    trainer = settings.trainer
    if not trainer.validate_every:
        return None
    crops = faces.of(faces.split.validate)
    if not crops and not faces.split.held_out:
        crops = faces.crops
    if not crops:
        raise ConfigError(
            "trainer.validate_every needs people to validate on; give the second number of faces.split at "
            "least one person."
        )
    if not set(faces.split.validate) - set(faces.split.train):
        _log.warning(
            "Validated on the same people it is trained on: with too few people, nobody is held out."
        )
    recognizers = trainer.validation_recognizers if recognizers is None else recognizers
    if recognizers is not None:
        others = build_recognizers(recognizers)
        prepared = prepare_all(others, faces.crops)
    photos = wear_masks(
        _spread(crops, trainer.validation_photos),
        surface,
        wear=settings.effects.active().wear,
        ways=_WAYS,
        texels_per_mm=settings.texture.texels_per_mm,
        render=settings.render,
        seed=WAYS_SEED,
        stream="validate",
        cache=placement_cache(settings.faces),
        progress=trainer.progress,
    )
    return ValidationProbes(
        photos=photos,
        ways=_WAYS,
        recognizers=[item.recognizer for item in prepared],
        templates=own_templates(prepared, faces.crops, photos.crops),
        scene=Scene(
            settings.effects,
            settings.printer,
            texels_per_mm=settings.texture.texels_per_mm,
            draws=seeded(settings.seed, "validate"),
            own_effects=own_effects,
        ),
        batch=trainer.batch,
    )


class Validation(Callback):
    """Validates the design every so often, remembers the best one, and may end the run.

    What is validated is the design that the run would leave if it ended there. The best is a copy, and part
    of the checkpoint.

    Args:
        probes: What it is validated on.
        every: Steps between validations; the last step is always validated.
        steps: Of the run.
        patience: Validations in a row without a better design after which the run ends; None never ends it.
    """

    def __init__(
        self,
        probes: ValidationProbes,
        *,
        every: int,
        steps: int,
        patience: int | None,
    ) -> None:
        self.probes = probes
        self._every = every
        self._steps = steps
        self._patience = patience
        self.best = math.inf
        self.best_step = 0
        self.best_texels: Tensor | None = None
        self._since = 0

    @property
    def _over(self) -> bool:
        return self._patience is not None and self._since >= self._patience

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A run that had been ended and was killed before its design was written ends again."""
        if self._over:
            trainer.should_stop = True

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Validate where it is time to."""
        step = trainer.global_step
        if not isinstance(pl_module, DesignModule) or (step % self._every and step != self._steps):
            return
        pl_module.average.update(pl_module.texture, step, self._steps)  # the module's own turn comes later
        texels = design_now(pl_module)
        total = self.probes.confidences(texels, rank=trainer.global_rank, processes=trainer.world_size)
        if trainer.world_size > 1:
            total = trainer.strategy.reduce(total, reduce_op="sum")
        means = (total / len(self.probes)).tolist()
        score = sum(means) / len(means)
        labels = [f"val_match_confidence/{one.label}" for one in self.probes.recognizers]
        values = {"val_match_confidence": score} | dict(zip(labels, means, strict=True))
        pl_module.values |= values
        if score < self.best:
            self.best, self.best_step, self._since = score, step, 0
            self.best_texels = texels.cpu()
            return
        self._since += 1
        if self._over:
            trainer.should_stop = True
            _log.info(
                "Stopped at step %d: validation has not improved since step %d (match confidence %.3f).",
                step,
                self.best_step,
                self.best,
            )

    def state_dict(self) -> dict[str, Any]:
        """The best design so far, for checkpoints."""
        return {
            "best": self.best,
            "best_step": self.best_step,
            "best_texels": self.best_texels,
            "since": self._since,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the best design so far."""
        self.best, self.best_step = state_dict["best"], state_dict["best_step"]
        self.best_texels, self._since = state_dict["best_texels"], state_dict["since"]


def _spread(crops: Sequence[FaceCrop], most: int) -> list[FaceCrop]:
    """At most so many of the crops, evenly over all, so that many people are seen."""
    if len(crops) <= most:
        return list(crops)
    return [crops[(2 * place + 1) * len(crops) // (2 * most)] for place in range(most)]
