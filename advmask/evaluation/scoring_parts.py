"""An evaluation scored in parts, on one machine or many, and put together to the very numbers of one run."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmask.core.errors import RunError
from advmask.core.files import written_aside

PARTS = "parts"
"""Name of the folder of the parts, next to the results."""

Piece = dict[tuple[int, int, str], dict[str, NDArray[Any]]]
"""Scores of a few probes: by set-up, gallery and condition, then by column."""


class PartsAwaitedError(RunError):
    """This part is scored and kept; the evaluation is whole when the others are too."""

    exit_code = 0


@dataclass(frozen=True)
class Shard:
    """One part of an evaluation.

    Attributes:
        number: Which, from 1.
        of: How many there are.
        folder: Where the parts are kept; all must see it.
        about: All that scores depend on; parts of anything else are not taken.
    """

    number: int
    of: int
    folder: Path
    about: Mapping[str, Any]

    def chosen(self, starts: Sequence[int]) -> list[int]:
        """The pieces that this part scores: every `of`-th."""
        return list(starts[self.number - 1 :: self.of])

    def whole(self, pieces: Mapping[int, Piece]) -> dict[int, Piece]:
        """Keep the pieces of this part, and give those of all.

        Args:
            pieces: Of this part, by their first probe.

        Raises:
            PartsAwaitedError: Other parts are not there yet.
            RunError: The folder cannot be written to, or a part there is damaged.
        """
        mark = hashlib.sha256(json.dumps(self.about, sort_keys=True).encode()).hexdigest()[:16]
        paths = [self.folder / f"{mark}-{number}-of-{self.of}.npz" for number in range(1, self.of + 1)]
        _write(paths[self.number - 1], pieces)
        awaited = [str(number) for number, path in enumerate(paths, 1) if not path.is_file()]
        if awaited:
            raise PartsAwaitedError(
                f"Part {self.number} of {self.of} is scored and kept in {self.folder}; results are written "
                f"when part {', '.join(awaited)} is there too."
            )
        found: dict[int, Piece] = {}
        for path in paths:
            found |= _read(path)
        return dict(sorted(found.items()))


def _write(path: Path, pieces: Mapping[int, Piece]) -> None:
    arrays = {
        json.dumps([start, *key, column]): values
        for start, piece in pieces.items()
        for key, columns in piece.items()
        for column, values in columns.items()
    }
    kept: dict[str, Any] = {f"a{number}": values for number, values in enumerate(arrays.values())}
    with written_aside(path) as aside, aside.open("wb") as stream:
        np.savez(stream, names=np.array(list(arrays)), **kept)


def _read(path: Path) -> dict[int, Piece]:
    found: dict[int, Piece] = {}
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            for number, name in enumerate(arrays["names"].tolist()):
                start, setup, gallery, condition, column = json.loads(name)
                piece = found.setdefault(start, {})
                piece.setdefault((setup, gallery, condition), {})[column] = arrays[f"a{number}"]
    except Exception as error:  # damaged archives raise nearly anything
        raise RunError(
            f"{path} is damaged ({type(error).__name__}); delete it and score that part again."
        ) from error
    return found
