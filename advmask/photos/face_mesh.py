"""468 points on a face that a detector has found in a picture."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float64
from PIL import Image
from torch import Tensor

from advmask.core.errors import PhotoError
from advmask.photos.crops import cut_crop
from advmask.photos.detection import Face
from advmask.photos.mesh_network import SIDE_PX, MeshNetwork, in_picture, square_around, square_of

# Below this probability of a face the points mean nothing.
_MIN_PRESENCE = 0.5


class FaceMesh:
    """The network that puts 468 points on a face which a detector has found.

    It looks twice: at a square around the detected box, and at one around the points of the first look. The
    second look makes the points independent of the habits of the detector: they move by 0.7 % of the face's
    height, and by 0.3 % at a third look.

    Args:
        path: As in `MeshNetwork`.

    Raises:
        WeightsError: As `MeshNetwork`.
    """

    def __init__(self, path: Path) -> None:
        self._network = MeshNetwork(path)
        self.sha256 = self._network.sha256

    def points(self, image: Image.Image, face: Face) -> Float64[np.ndarray, "468 3"]:
        """Find the points of one face.

        Args:
            image: Picture of mode RGB.
            face: A face that was found in it.

        Returns:
            Points (x, y, z) in pixels of the picture, pixel centres at +0.5; z is larger nearer to the camera
            and tells depth up to a constant. The network guesses z; x and y it sees.

        Raises:
            PhotoError: The network sees no face there.
        """
        box = torch.tensor(face.box, dtype=torch.float64).view(2, 2)
        level = torch.from_numpy(face.landmarks[1] - face.landmarks[0])[None]
        square = square_of(box.mean(dim=0)[None], (box[1] - box[0]).amax()[None], level)
        first, _ = self._look(image, square)
        points, presence = self._look(image, square_around(first[..., :2]))
        if not presence >= _MIN_PRESENCE:
            raise PhotoError(
                f"The face mesh network is {presence:.0%} sure of a face ({_MIN_PRESENCE:.0%} are needed); "
                "use a clearer photo, or faces.landmarks=mtcnn."
            )
        found: Float64[np.ndarray, "468 3"] = points[0].numpy()
        return found

    def _look(
        self, image: Image.Image, square: Float[Tensor, "1 2 3"]
    ) -> tuple[Float[Tensor, "1 468 3"], float]:
        seen = torch.from_numpy(cut_crop(image, square[0].numpy(), size=SIDE_PX))
        with torch.no_grad():
            points, logit = self._network(seen.permute(2, 0, 1)[None].float() / 255)
        flat, scale = in_picture(points[..., :2].double(), square), square[:, :, 0].norm()
        return torch.cat([flat, -points[..., 2:] / scale], dim=2), float(logit.sigmoid())
