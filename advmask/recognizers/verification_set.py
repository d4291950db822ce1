"""InsightFace's .bin files: pairs of aligned chips, which give a recognizer its threshold."""

import logging
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from advmask.core.errors import CalibrationError, PhotoError
from advmask.core.picture_reading import decode_picture
from advmask.recognizers.calibration import Calibration, calibrate
from advmask.recognizers.recognizer import Recognizer, embed_all
from advmask.recognizers.templates import template_points

_log = logging.getLogger(__name__)

_AT_ONCE = 64  # chips
_MOST_PIXELS = 2**20  # of a chip
_EXPECTED = (
    "expected is InsightFace's verification set, such as lfw.bin: a pickle of a list of pictures and a list "
    "of booleans, one for each pair"
)


@dataclass(frozen=True, eq=False, repr=False)
class VerificationSet:
    """Pairs of aligned chips, as files.

    There are no landmarks but those of the template, no names, and nothing of a face beyond the chip: no mask
    can be laid on them, and nobody is enrolled with them.

    Attributes:
        name: Of the file.
        chips: JPEG or PNG files, those of a pair one after the other.
        same: For each pair whether both show one person.
    """

    name: str
    chips: tuple[bytes, ...]
    same: tuple[bool, ...]

    def __repr__(self) -> str:
        """One line."""
        return f"VerificationSet({self.name}: {len(self.same)} pairs)"


def read_verification_set(path: Path) -> VerificationSet:
    """Read a .bin file; nothing in it is ever run.

    Args:
        path: The file, written by Python 2 or 3.

    Raises:
        PhotoError: It cannot be read, is damaged, holds something else, or asks for code to be run.
    """
    try:
        with path.open("rb") as stream:
            content = _DataOnly(stream, encoding="bytes").load()
    except _CodeError as error:
        if str(error).startswith("numpy."):
            raise PhotoError(
                f"{path} holds numpy arrays, which are not read, for code would have to be run. If you trust "
                "it, write it anew: pickle.dump(([bytes(x) for x in chips], [bool(x) for x in same]), file)."
            ) from error
        raise PhotoError(
            f"{path} is refused: it asks for {error} to be run when it is opened, which a verification set "
            "has no need of. Delete it, and get it from where you trust."
        ) from error
    except OSError as error:
        raise PhotoError(f"Cannot read {path}: {error.strerror or error}.") from error
    except Exception as error:  # a damaged pickle raises nearly anything
        raise PhotoError(
            f"{path} is no pickle, or is damaged ({type(error).__name__}); {_EXPECTED}. Get it again."
        ) from error
    if not (isinstance(content, tuple | list) and len(content) == 2):
        raise PhotoError(f"{path} holds {_kind(content)}; {_EXPECTED}.")
    chips, same = content
    if not (isinstance(chips, list | tuple) and isinstance(same, list | tuple)):
        raise PhotoError(f"{path} holds {_kind(chips)} and {_kind(same)}; {_EXPECTED}.")
    strange = [one for one in chips if not isinstance(one, bytes)] or [
        one for one in same if one not in (0, 1)
    ]
    if strange:
        raise PhotoError(
            f"{path} holds {_kind(strange[0])} where a picture or a boolean belongs; {_EXPECTED}."
        )
    if len(chips) != 2 * len(same) or not chips:
        raise PhotoError(
            f"{path} holds {len(chips)} pictures and {len(same)} booleans, where each pair has two and one; "
            "get it again."
        )
    return VerificationSet(path.name, tuple(chips), tuple(map(bool, same)))


class _CodeError(Exception):
    """What a pickle asks for that is not plain data."""


class _DataOnly(pickle.Unpickler):
    """Reads lists, tuples, bytes, booleans and numbers; nothing is imported, so that nothing is called."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes for Python 2
            return _latin1
        raise _CodeError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        raise _CodeError("an object kept elsewhere")


def _latin1(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", b"latin1"):
        raise _CodeError("_codecs.encode")
    return text.encode("latin1")


def _kind(value: Any) -> str:
    return type(value).__name__


def calibrated_by(
    path: Path | None, recognizers: Sequence[Recognizer], *, fmr: float
) -> Sequence[Recognizer]:
    """Give recognizers the threshold that a .bin file's pairs give them, in place of their stored one.

    What the file cannot give is logged, and for each recognizer the line of YAML that keeps its threshold.
    Services are not sent so many pictures, and keep what they have.

    Args:
        path: The file; None changes nothing.
        recognizers: Frozen.
        fmr: False match rate of the thresholds.

    Raises:
        PhotoError: The file, or a picture in it, cannot be read.
        CalibrationError: It holds too few pairs, or the recognizer does not tell its people apart.
    """
    if path is None:
        return recognizers
    pairs = read_verification_set(path)
    _log.warning(
        f"{pairs.name} gives thresholds from {len(pairs.same):,} pairs of aligned chips. It has no landmarks "
        "of its own, so that no masks are laid on its faces, and no names, so that intervals over people are "
        "not known."
    )
    return [one if one.asked else one.with_calibration(_calibration(one, pairs, fmr)) for one in recognizers]


def _calibration(recognizer: Recognizer, pairs: VerificationSet, fmr: float) -> Calibration:
    embeddings = torch.cat(list(_embedded(recognizer, pairs)))
    similarity = recognizer.similarity(embeddings[::2], embeddings[1::2]).double().numpy()
    same = np.array(pairs.same)
    source = f"{len(same):,} pairs of {pairs.name}"
    try:
        found = calibrate(similarity[same], similarity[~same], fmr=fmr, source=source)
    except CalibrationError as error:
        raise CalibrationError(f"{recognizer.name} cannot be calibrated on {pairs.name}: {error}") from error
    _log.warning(
        f"{recognizer.label} by {pairs.name}, for its YAML: calibration: {{fmr: {fmr:g}, threshold: "
        f"{found.threshold:.4g}, scale: {found.scale:.4g}}}"
    )
    return found


def _embedded(recognizer: Recognizer, pairs: VerificationSet) -> Iterator[Float[Tensor, "n dim"]]:
    bar = range(0, len(pairs.chips), _AT_ONCE)
    for start in tqdm(bar, desc=f"{recognizer.label}, {pairs.name}", unit=f"x{_AT_ONCE}", delay=5):
        pictures = [
            np.asarray(
                decode_picture(chip, f"picture {start + place} of {pairs.name}", max_pixels=_MOST_PIXELS)
            )
            for place, chip in enumerate(pairs.chips[start : start + _AT_ONCE])
        ]
        shapes = {picture.shape for picture in pictures}
        if len(shapes) > 1 or pictures[0].shape[0] != pictures[0].shape[1]:
            raise PhotoError(f"The pictures in {pairs.name} are not squares of one size; {_EXPECTED}.")
        chips = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
        five = template_points("arcface", size=(chips.shape[2], chips.shape[3]))
        yield embed_all(recognizer, chips, five.expand(len(chips), 5, 2))
