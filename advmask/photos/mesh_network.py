"""The network that a mediapipe wheel carries: 468 points on the face that a square shows, in torch."""

import hashlib
import zipfile
import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.photos.mesh_points import MESH_POINTS
from advmask.photos.tflite_network import TfliteNetwork

_MEMBER = "mediapipe/modules/face_landmark/face_landmark.tflite"
SIDE_PX = 192
_OUTPUTS = [1, 3 * MESH_POINTS]

_HOW_TO_GET = (
    "run `pip download --no-deps --only-binary :all: mediapipe==0.10.21` "
    "and name the wheel with faces.mesh_model=FILE"
)

# The square that the network sees has this many times the side of the box around a face.
MARGIN = 1.5

# Outer corners of the two eyes, whose line is level in what the network sees.
OUTER_CORNERS = (33, 263)


class MeshNetwork(nn.Module):
    """Finds the points on a face; differentiable in what it sees, frozen, in any floating type.

    Args:
        path: The .tflite file, or a mediapipe wheel that holds it.

    Raises:
        WeightsError: The file is missing or unreadable, a wheel without the network, or another network.

    Source:
        Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        content = read_mesh_model(path)
        self.sha256 = hashlib.sha256(content).hexdigest()
        try:
            self._graph = TfliteNetwork(content, name=str(path))
        except WeightsError as error:
            raise WeightsError(f"{str(error).rstrip('.')}; {_HOW_TO_GET}.") from error
        try:
            with torch.no_grad():
                outputs = self._graph(torch.zeros(1, 3, SIDE_PX, SIDE_PX))
            sizes = sorted(one.numel() for one in outputs)
            wrong = "" if sizes == _OUTPUTS else f"it gives {sizes} numbers, not {_OUTPUTS}"
        except Exception as error:  # the steps of a damaged graph may come to nearly anything
            wrong = str(error) or type(error).__name__
        if wrong:
            raise WeightsError(
                f"{path} is another network than mediapipe's face mesh ({wrong}); {_HOW_TO_GET}."
            )

    def forward(
        self, seen: Float[Tensor, "batch 3 192 192"]
    ) -> tuple[Float[Tensor, "batch 468 3"], Float[Tensor, " batch"]]:
        """Give the points and how sure the network is of a face.

        Args:
            seen: RGB in [0, 1]: what a square of `square_of` or `square_around` shows.

        Returns:
            (x, y, z) in pixels of what it sees, z larger farther away, and the logit of a face.
        """
        points, logit = sorted((one.flatten(1) for one in self._graph(seen)), key=lambda one: -one.shape[1])
        return points.view(-1, MESH_POINTS, 3), logit[:, 0]


def read_mesh_model(path: Path) -> bytes:
    """Read the network from a .tflite file, or out of the wheel that carries it.

    Raises:
        WeightsError: The file is missing or unreadable, or is a wheel without the network.
    """
    try:
        if not zipfile.is_zipfile(path):
            return path.read_bytes()
        with zipfile.ZipFile(path) as wheel:
            return wheel.read(_MEMBER)
    except KeyError as error:
        raise WeightsError(f"{path} holds no face mesh network ({_MEMBER}); {_HOW_TO_GET}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise WeightsError(f"{path} is a damaged wheel; {_HOW_TO_GET}.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise WeightsError(f"Cannot read the face mesh network {path}: {reason}; {_HOW_TO_GET}.") from error


def square_of(
    centre: Float[Tensor, "batch 2"], side: Float[Tensor, " batch"], level: Float[Tensor, "batch 2"]
) -> Float[Tensor, "batch 2 3"]:
    """Similarity from a picture to what the network sees: a square with a margin, `level` to the right.

    Args:
        centre: Of the square, pixels of the picture.
        side: Of the box that the margin is laid around.
        level: A direction in the picture.
    """
    along = F.normalize(level, dim=1) * (SIDE_PX / (MARGIN * side))[:, None]
    linear = torch.stack([along, torch.stack([-along[:, 1], along[:, 0]], dim=1)], dim=1)
    shift = SIDE_PX / 2 - (linear @ centre[:, :, None])[..., 0]
    return torch.cat([linear, shift[:, :, None]], dim=2)


def square_around(points: Float[Tensor, "batch 468 2"]) -> Float[Tensor, "batch 2 3"]:
    """As `square_of`, for the box around points, level with the outer corners of the eyes."""
    left, right = points[:, list(OUTER_CORNERS)].unbind(1)
    along = F.normalize(right - left, dim=1)
    turn = torch.stack([along, torch.stack([-along[:, 1], along[:, 0]], dim=1)], dim=1)
    turned = points @ turn.transpose(1, 2)
    low, high = turned.amin(dim=1), turned.amax(dim=1)
    centre = (((low + high) / 2)[:, None] @ turn)[:, 0]
    return square_of(centre, (high - low).amax(dim=1), along)


def in_picture(
    points: Float[Tensor, "batch n 2"], squares: Float[Tensor, "batch 2 3"]
) -> Float[Tensor, "batch n 2"]:
    """Points of what the network sees as points of the picture."""
    power = squares[:, 0, 0] ** 2 + squares[:, 1, 0] ** 2
    return (points - squares[:, None, :, 2]) @ squares[:, :, :2] / power[:, None, None]
