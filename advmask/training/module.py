"""The Lightning module: one texture, worn by everybody, against an ensemble."""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from advmask.effects import generator
from advmask.objectives import MatchObjective, Printability
from advmask.recognizers.ensemble import Ensemble
from advmask.scene import Scene
from advmask.textures import Texture
from advmask.training.data import Batch
from advmask.training.optimisers import OptimiserSettings, TailAverage, build_optimiser, share_of_rate


class DesignModule(pl.LightningModule):
    """Learns a texture that the ensemble does not match.

    Only the texture is trained and only the texture is kept in checkpoints.

    Args:
        texture: What is learned.
        scene: Prints the texture, lays it over photos and photographs them.
        ensemble: Frozen recognizers.
        templates: For each recognizer (n, D): the template each photo is matched against.
        objective: Of similarities and margins.
        printability: What is asked of the texture beside.
        optimiser: Of the texture.
        steps: Length of the run, for the schedule.
        seed: Of the draws of the ensemble.
    """

    def __init__(
        self,
        *,
        texture: Texture,
        scene: Scene,
        ensemble: Ensemble,
        templates: Sequence[Tensor],
        objective: MatchObjective,
        printability: Printability,
        optimiser: OptimiserSettings,
        steps: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.texture = texture
        self.scene = scene
        self.ensemble = ensemble
        self.objective = objective
        self.printability = printability
        self._optimiser = optimiser
        self._steps = steps
        self._seed = seed
        self._template_names = [f"templates_{i}" for i in range(len(templates))]
        for name, template in zip(self._template_names, templates, strict=True):
            self.register_buffer(name, template, persistent=False)
        self.average = TailAverage(texture, optimiser.average)
        self.strict_loading = False  # checkpoints hold the texture alone

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One step: render, photograph, recognise, compare."""
        self.texture.progress(batch.step / self._steps)
        texels = self.texture()
        members, weights = self.ensemble.members, self.ensemble.weights / len(self.ensemble.members)
        similarities, margins = [], []

        def judge(number: int, embedding: Tensor) -> Tensor:
            member = members[number]
            template = self.get_buffer(self._template_names[number])[batch.photo]
            similarity = member.similarity(embedding, template)
            margin = member.calibrated.margin(similarity)
            similarities.append(similarity.detach())
            margins.append(margin.detach())
            term: Tensor = weights[number] * self.objective(similarity[None], margin[None])
            return term

        matching = self.ensemble.judged(
            self.scene(texels, batch.pictures, batch.packed, step=batch.step),
            batch.landmarks,
            judge,
            draws=generator(self._seed, batch.step, "ensemble"),
        )
        margin = torch.stack(margins)
        terms = self.printability(texels, step=batch.step)
        loss: Tensor = matching + self.printability.cost(terms)
        confidence = torch.sigmoid(margin).mean(dim=1)
        values = {"loss": loss.detach(), "match_confidence": confidence.mean()}
        values |= {name: term.detach() for name, term in terms.items()}
        for member, value, similarity in zip(self.ensemble.members, confidence, similarities, strict=True):
            values[f"match_confidence/{member.label}"] = value
            values[f"similarity/{member.label}"] = similarity.mean()
        self.log_dict(values, batch_size=len(batch.photo))
        return loss

    def configure_optimizers(self) -> Any:
        """The optimiser, with its schedule over the whole run."""
        optimiser = build_optimiser(self.texture.parameters(), self._optimiser)
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
