"""How far each ink of a palette leads at each texel: where borders run between the centres of texels."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float, Int64
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from advmask.core.errors import DesignError
from advmask.core.files import written_aside

INK_FIELDS = "inks.safetensors"
"""Name of the file in a run folder."""


@dataclass(frozen=True, eq=False)
class InkFields:
    """Smooth fields, one for each ink; a place has the ink whose field is largest there.

    Attributes:
        colours: Of the inks, sRGB in [0, 1], colours of 8 bits.
        strength: Of each ink at the centres of texels.
    """

    colours: Float[Tensor, "inks 3"]
    strength: Float[Tensor, "inks height width"]

    @property
    def strongest(self) -> Int64[Tensor, "height width"]:
        """Number of the ink of each texel."""
        return self.strength.argmax(dim=0)


def save_ink_fields(path: Path, fields: InkFields) -> None:
    """Write fields, in half precision.

    Raises:
        RunError: The file cannot be written.
    """
    content = save({"colours": fields.colours.cpu(), "strength": fields.strength.half().cpu().contiguous()})
    with written_aside(path) as aside:
        aside.write_bytes(content)


def load_ink_fields(path: Path) -> InkFields:
    """Read back what `save_ink_fields` wrote.

    Raises:
        DesignError: The file is missing, damaged or holds something else.
    """
    try:
        stored = load_file(path)
        colours, strength = stored["colours"].float(), stored["strength"].float()
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise DesignError(f"{path} is not a file of ink fields ({error}); remove it.") from error
    if colours.ndim != 2 or colours.shape[1] != 3 or strength.ndim != 3 or len(colours) != len(strength):
        raise DesignError(f"{path} is not a file of ink fields; remove it.")
    return InkFields(colours, strength)


def kept_ink_fields(folder: Path) -> InkFields | None:
    """Those that a run left, where it was one of a palette.

    Raises:
        DesignError: The file is damaged.
    """
    path = folder / INK_FIELDS
    return load_ink_fields(path) if path.exists() else None
