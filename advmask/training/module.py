"""The Lightning module: one texture, worn by everybody, against an ensemble."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from advmask.core.precision import full_precision
from advmask.effects.draws import generator
from advmask.objectives.displacement import Displacement
from advmask.objectives.features import FeatureSimilarity
from advmask.objectives.fidelity import Fidelity
from advmask.objectives.own_terms import OwnTerms, Step
from advmask.objectives.printability import Printability
from advmask.objectives.settings import ObjectiveSettings
from advmask.objectives.style import Style
from advmask.objectives.worst import smooth_max
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.ensemble_draw import EnsembleDraw, EnsembleDrawer
from advmask.textures.texture import Texture
from advmask.training.data import Batch, Feeder
from advmask.training.match_terms import Judged, Judging
from advmask.training.optimisers import TailAverage, build_optimiser, share_of_rate
from advmask.training.settings import OptimiserSettings
from advmask.training.step_parts import PartedSteps
from advmask.wearing.scene import Scene


class DesignModule(pl.LightningModule):
    """Learns a texture that the ensemble does not match.

    Only the texture is trained and only the texture is kept in checkpoints.

    Args:
        texture: What is learned.
        scene: Prints the texture, lays it over photos and photographs them.
        ensemble: Frozen recognizers.
        judging: What is asked of each recognizer's embeddings.
        printability: What is asked of the texture in addition.
        asked: Weights of what else is asked, and how recognizers are taken together.
        own: Terms of the user's own that look at the whole step.
        optimiser: Of the texture.
        steps: Length of the run, for the schedule.
        seed: Of the draws of the ensemble.
        style: Distance to an artwork's texture, where one is aimed at.
        factory: Builds the optimiser in place of the kind and rate of `optimiser`.
    """

    def __init__(
        self,
        *,
        texture: Texture,
        scene: Scene,
        ensemble: Ensemble,
        judging: Judging,
        printability: Printability,
        asked: ObjectiveSettings,
        optimiser: OptimiserSettings,
        steps: int,
        seed: int,
        own: OwnTerms | None = None,
        style: Style | None = None,
        factory: Callable[[Iterable[nn.Parameter]], Optimizer] | None = None,
    ) -> None:
        super().__init__()
        self.texture = texture
        self.scene = scene
        self.ensemble = ensemble
        self.judging = judging
        self.printability = printability
        self.asked = asked
        self.displacement = Displacement(asked.displacement_reach)
        self.features = FeatureSimilarity()
        self.fidelity = Fidelity(texture.as_finished()) if asked.fidelity else None
        self.style = style
        self.own = OwnTerms() if own is None else own
        self._optimiser = optimiser
        self._factory = factory
        self._steps = steps
        self._seed = seed
        self.average = TailAverage(texture, optimiser.average)
        self.values: dict[str, Tensor | float] = {}  # of the last step
        self.parted: PartedSteps | None = None  # takes a step in parts where memory is short
        self.strict_loading = False  # checkpoints hold the texture alone

    @property
    def feeder(self) -> Feeder:
        """Draws how recognizers see the photos of a step, in whatever process."""
        return partial(_fed, self.ensemble.drawer, self._seed)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One step, in parts where memory is short: the loss; what is logged of it is in `values`."""
        if self.parted is None:
            loss, values = self.loss(batch)
        else:
            loss, values = self.parted(self.loss, batch, list(self.texture.parameters()))
        self.values = dict(values)
        return loss

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Render, photograph, recognise, compare: the loss, and the values to be logged.

        All in the precision of what it is given, whatever is in force around; see `Ensemble` for that of
        the networks.
        """
        with full_precision(batch.pictures):
            return self._loss(batch)

    def _loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        self.texture.progress(batch.step / self._steps)
        texels = self.texture()
        judged: list[Judged] = []
        seen: dict[str, list[Tensor]] = {}  # what is logged of further terms

        def judge(number: int, embedding: Tensor) -> Tensor:
            found: Judged = self.judging(number, self.ensemble.members[number], embedding, batch.photo)
            judged.append(found)
            for name, value in found.further.items():
                seen.setdefault(name, []).append(value)
            return self._weighted(number, found.term)

        def intermediate(number: int, masked: Tensor, bare: Tensor) -> Tensor:
            alike: Tensor = self.features(masked, bare)
            seen.setdefault("features", []).append(alike.detach())
            return self._weighted(number, self.asked.features * alike)

        def mislead(found: Tensor, bare: Tensor) -> Tensor:
            moved: Tensor = self.displacement(found, bare)
            seen["displacement"] = [moved.detach()]
            return -self.asked.displacement * moved

        pictures = self.scene(texels, batch.pictures, batch.packed, batch.drawn)
        worst = self.asked.over_recognizers == "smooth_max"
        matching = self.ensemble.judged(
            pictures,
            batch.landmarks,
            judge,
            draws=self.feeder(batch.step, len(batch.photo)) if batch.fed is None else batch.fed,
            combine=partial(smooth_max, temperature=self.asked.temperature, weights=self._shares())
            if worst
            else None,
            mislead=mislead if self.asked.displacement else None,
            intermediate=intermediate if self.asked.features else None,
            bare=batch.pictures,
        )
        terms = self.printability(texels, step=batch.step)
        loss: Tensor = matching + self.printability.cost(terms)
        if self.fidelity is not None:
            terms["fidelity"] = self.fidelity(texels, step=batch.step)
            loss = loss + self.asked.fidelity * terms["fidelity"]
        if self.style is not None:
            terms["style"] = self.style(texels, step=batch.step)
            loss = loss + self.asked.style.weight * terms["style"]
        if len(self.own):
            step = Step(batch.step, texels, pictures, batch.pictures, batch.landmarks)
            for name, value in self.own.of_step(step).items():
                terms[name] = value
                loss = loss + value
        margins = [one.margin for one in judged if one.margin is not None]
        values = {"loss": loss.detach()}
        if margins:
            values["match_confidence"] = torch.sigmoid(torch.stack(margins)).mean(dim=1).mean()
        values |= {name: term.detach() for name, term in terms.items()}
        values |= {name: torch.stack(each).mean() for name, each in seen.items()}
        for member, one in zip(self.ensemble.members, judged, strict=True):
            if one.margin is not None:
                values[f"match_confidence/{member.label}"] = torch.sigmoid(one.margin).mean()
            values[f"similarity/{member.label}"] = one.similarity.mean()
        return loss, values

    def _shares(self) -> Tensor:
        """Of the recognizers, adding up to one."""
        return self.ensemble.weights / len(self.ensemble.members)

    def _weighted(self, number: int, term: Tensor) -> Tensor:
        """A recognizer's term as the ensemble adds it up; a smooth maximum weighs by itself."""
        return term if self.asked.over_recognizers == "smooth_max" else self._shares()[number] * term

    def configure_optimizers(self) -> Any:
        """The optimiser, with its schedule over the whole run."""
        optimiser = build_optimiser(self.texture.parameters(), self._optimiser, factory=self._factory)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: share_of_rate(self._optimiser, step, self._steps)
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_start(self) -> None:
        """Check that nothing put a recognizer into training mode."""
        self.ensemble.assert_frozen()

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Take the texture of the last steps into the mean."""
        self.average.update(self.texture, batch.step + 1, self._steps)

    def finished(self) -> Tensor:
        """The design (3, H, W) at the end of a run, sRGB in [0, 1]."""
        self.average.apply_to(self.texture)
        return self.texture.finish()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the texture; leave the frozen networks out."""
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {
            key: value for key, value in state.items() if key.startswith(("texture.", "average."))
        }


def _fed(drawer: EnsembleDrawer, seed: int, step: int, photos: int) -> EnsembleDraw:
    return drawer.draw(photos, generator(seed, step, "ensemble"))
