"""Bare photos embedded by one process of a run, and read by the others."""

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import safetensors
import safetensors.torch
from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import RunError
from advmask.core.files import written_aside
from advmask.photos.crops import FaceCrop
from advmask.recognizers.preparation import embed_crops
from advmask.recognizers.recognizer import Recognizer
from advmask.training.processes import PATIENCE_S, is_first_process
from advmask.training.settings import TrainSettings

_LOOK_S = 0.2


class SharedEmbeddings:
    """Embeds photos in the first process of a run; the others wait for what it leaves in the run folder.

    With one process nothing is written.

    Args:
        folder: Of the run.
        settings: Of the run: how many processes there are, and how faces are found and cut.
        patience_s: How long the others wait.
    """

    def __init__(self, folder: Path, settings: TrainSettings, *, patience_s: float = PATIENCE_S) -> None:
        self._path = folder / "embeddings.safetensors"
        asked = settings.trainer
        self._several = asked.strategy == "ddp" or asked.devices != 1 or asked.num_nodes > 1
        self._faces = settings.faces.model_dump_json(exclude={"cache", "cache_gb", "device"})
        self._patience = patience_s

    def __call__(
        self, recognizers: Sequence[Recognizer], crops: Sequence[FaceCrop]
    ) -> list[Float[Tensor, "n dim"]]:
        """Embeddings by each recognizer, as `embed_crops` gives them.

        Raises:
            RunError: The first process leaves none, or those of other photos.
        """
        if not self._several:
            return embed_crops(recognizers, crops)
        what = _digest(recognizers, crops, self._faces)
        end = time.monotonic() + self._patience
        while not is_first_process():
            found = self._read(what)
            if found is not None:
                return found
            if time.monotonic() > end:
                raise RunError(
                    f"The first process of this run has left no embeddings in {self._path.parent}; it has "
                    "most likely stopped. Start the run again, in a folder that all processes see."
                )
            time.sleep(_LOOK_S)
        made = embed_crops(recognizers, crops)
        numbered = {str(number): one.contiguous() for number, one in enumerate(made)}
        with written_aside(self._path, private=True) as aside:
            safetensors.torch.save_file(numbered, aside, {"what": what})
        return made

    def __enter__(self) -> "SharedEmbeddings":
        """Within this context all processes have what they need; what a killed run has left is deleted."""
        self._forget()
        return self

    def __exit__(self, *_: object) -> None:
        """Delete the file, which is biometric data."""
        self._forget()

    def _forget(self) -> None:
        if self._several and is_first_process():
            with suppress(OSError):  # a folder that cannot be written to holds none
                self._path.unlink(missing_ok=True)

    def _read(self, what: str) -> list[Tensor] | None:
        with (
            suppress(OSError, safetensors.SafetensorError),
            safetensors.safe_open(self._path, framework="pt") as file,
        ):
            if (file.metadata() or {}).get("what") != what:
                raise RunError(
                    f"The first process of this run has embedded other photos than this one has, or by other "
                    f"networks ({self._path}). Let all processes see the same, and start again."
                )
            return [file.get_tensor(str(number)) for number in range(len(file.keys()))]
        return None


def _digest(recognizers: Sequence[Recognizer], crops: Sequence[FaceCrop], faces: str) -> str:
    """Of which photos, cut how, by which recognizers.

    Not of landmarks: each process finds its own where no crop is kept, with other last bits on other devices.
    """
    about = [
        [(one.name, one.weights_sha256, one.specification.model_dump_json()) for one in recognizers],
        [(crop.person, crop.sha256) for crop in crops],
        faces,
    ]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()
