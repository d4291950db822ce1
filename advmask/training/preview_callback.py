"""Pictures of the design every so often: worn on a few faces, and flat."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from advmask.core.files import write_with
from advmask.evaluation.contact_sheet import contact_sheet
from advmask.training.module import DesignModule
from advmask.wearing.worn_photos import WornPhotos


class PreviewPictures(Callback):
    """Saves a contact sheet of bare and masked faces, and the design as it would be left, to `previews/`.

    Args:
        folder: Where to.
        photos: Faces to choose from.
        shown: Which of them.
        every: Steps between pictures.
        draw: Writes texels (3, H, W) as the design of this run into a picture file.
    """

    def __init__(
        self,
        folder: Path,
        *,
        photos: WornPhotos,
        shown: Sequence[int],
        every: int,
        draw: Callable[[Tensor, Path], object],
    ) -> None:
        self._folder = folder
        self._draw = draw
        self._every = every
        self._pictures = photos.pictures(shown)
        self._packed = photos.packed(shown, [0] * len(shown))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save a picture where it is time for one."""
        if trainer.global_step % self._every or not isinstance(pl_module, DesignModule):
            return
        if not trainer.is_global_zero:
            return
        with torch.no_grad():
            device = pl_module.device
            bare = self._pictures.to(device)
            texels = pl_module.texture()
            scene = pl_module.scene
            worn = scene.renderer(scene.printer(texels), bare, self._packed.to(device), linear=True)
        sheet = contact_sheet(list(zip(bare, worn, strict=True)), columns=["bare", "design"])
        write_with(self._folder / f"step_{trainer.global_step:06d}.png", sheet.save)
        left = pl_module.texture.as_finished()
        self._draw(left.float().cpu(), self._folder / f"design_{trainer.global_step:06d}.png")
