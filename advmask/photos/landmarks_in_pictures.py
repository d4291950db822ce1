"""Five landmarks for each of a batch of pictures that are at hand as tensors."""

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from advmask.core.errors import PhotoError
from advmask.photos.detection import FaceDetector, choose_face


def find_landmarks(
    pictures: Float[Tensor, "batch 3 rows columns"], *, min_face_px: int = 20, min_probability: float = 0.9
) -> Float[Tensor, "batch 5 2"]:
    """Find the face in each picture, and its five landmarks, with MTCNN; without gradient.

    **Convention.** Pictures are sRGB in [0, 1]; points (x, y) in pixels, the centre of the first pixel at
    (0.5, 0.5): left and right eye, nose, left and right corner of the mouth, as seen in the picture. Of
    several faces the largest is taken. The search runs on the CPU, on bytes; the points come back on the
    device of the pictures.

    Args:
        pictures: (B, 3, H, W).
        min_face_px: Smallest longer side of a face, px, 12 and more.
        min_probability: Smallest probability of a face, in [0, 1].

    Returns:
        (B, 5, 2), float32.

    Raises:
        ValueError: The pictures are not (B, 3, H, W).
        PhotoError: There is no face in some of them; the message gives their numbers.
    """
    if pictures.ndim != 4 or pictures.shape[1] != 3:
        raise ValueError(f"pictures must have the shape (B, 3, H, W), not {tuple(pictures.shape)}")
    detector = FaceDetector(min_face_px=min_face_px, min_probability=min_probability, largest_only=True)
    pixels = (pictures.detach().cpu().float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    found, missing = [], []
    for number, picture in enumerate(pixels):
        image = Image.fromarray(np.ascontiguousarray(picture))
        faces = detector.detect(image)
        if faces:
            found.append(torch.from_numpy(choose_face(faces, size=image.size).landmarks))
        else:
            missing.append(number)
    if missing:
        raise PhotoError(
            f"There is no face of {min_face_px} px or more in picture {', '.join(map(str, missing))} of the "
            "batch; leave it out, or give landmarks of your own."
        )
    points = torch.stack(found) if found else torch.zeros(0, 5, 2)
    return points.to(pictures.device, torch.float32)
