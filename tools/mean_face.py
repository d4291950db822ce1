"""Make the mean head shape that the dense pose fit and the fit of the mask to a person start from.

    python tools/mean_face.py FOLDER --model mediapipe-0.10.21-....whl

FOLDER holds one sub-folder of photos per person. Every person counts once, and the result is a mean over all
of them and their mirror images: it holds nothing of anybody.

Source:
    Gower, Generalized Procrustes Analysis, 1975.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64
from scipy.optimize import linear_sum_assignment

from advmask.core.files import write_with
from advmask.masks.dense_pose import fit_similarity
from advmask.masks.pose import REFERENCE_POINTS_MM
from advmask.photos.loading import load_faces
from advmask.photos.mesh_points import five_from_mesh
from advmask.photos.settings import FacesSettings

_FEWEST_PEOPLE = 24
_LARGEST_ANGLE_DEG = 30.0
_ROUNDS = 30


def aligned(
    shapes: Float64[np.ndarray, "n 468 3"], mean: Float64[np.ndarray, "468 3"]
) -> Float64[np.ndarray, "n 468 3"]:
    """Bring every shape to the mean by a similarity."""
    brought = []
    for shape in shapes:
        scale, rotation, shift = fit_similarity(shape, mean)
        brought.append(scale * shape @ rotation.T + shift)
    return np.stack(brought)


def to_head_frame(shape: Float64[np.ndarray, "468 3"]) -> Float64[np.ndarray, "468 3"]:
    """Scale, turn and shift a shape so that its five landmarks fit the reference points best."""
    scale, rotation, shift = fit_similarity(five_from_mesh(shape), REFERENCE_POINTS_MM)
    return np.asarray(scale * shape @ rotation.T + shift)


def mirror_map(shape: Float64[np.ndarray, "468 3"]) -> Int64[np.ndarray, "468"]:
    """Pair every point with its mirror image: the pairing with the least sum of distances."""
    distances = np.linalg.norm(shape[:, None] * [-1, 1, 1] - shape[None], axis=2)
    _, partner = linear_sum_assignment(distances)
    if not (partner[partner] == np.arange(len(shape))).all():
        raise SystemExit("The mean shape is too lopsided to tell left from right; use more photos.")
    return partner.astype(np.int64)


def mean_shape(
    by_person: dict[str, list[Float64[np.ndarray, "468 3"]]],
) -> tuple[Float64[np.ndarray, "468 3"], Int64[np.ndarray, "468"]]:
    """Give the mean head in the head frame, and its mirror map.

    The shapes may have any size and place; x is to the right, y up, z to the camera. Heads turned further
    than 30 degrees from the mean are left out.
    """
    everybody = np.stack([shape for shapes in by_person.values() for shape in shapes])
    who = np.repeat(list(by_person), [len(shapes) for shapes in by_person.values()])
    mean = to_head_frame(everybody[0])
    for _ in range(_ROUNDS):
        turned = np.array([_angle_deg(shape, mean) for shape in everybody])
        frontal = turned <= _LARGEST_ANGLE_DEG
        shapes = aligned(everybody, mean)
        means = [
            shapes[(who == name) & frontal].mean(axis=0)
            for name in by_person
            if ((who == name) & frontal).any()
        ]
        before, mean = mean, to_head_frame(np.mean(means, axis=0))
        if float(np.abs(mean - before).max()) < 1e-4:
            break
    mirror = mirror_map(mean)
    print(f"{len(means)} people, {int(frontal.sum())} of {len(everybody)} photos")
    return to_head_frame((mean + mean[mirror] * [-1, 1, 1]) / 2), mirror


def _angle_deg(shape: Float64[np.ndarray, "468 3"], mean: Float64[np.ndarray, "468 3"]) -> float:
    _, rotation, _ = fit_similarity(mean, shape)
    return float(np.degrees(np.arccos(np.clip(rotation[2, 2], -1, 1))))  # of the line of sight


def main() -> None:
    """Read the photos, make the mean, write it."""
    parser = argparse.ArgumentParser(description="Make the mean head shape.")
    parser.add_argument("folder", type=Path, help="one sub-folder of photos per person")
    parser.add_argument(
        "--model", type=Path, required=True, help="mediapipe 0.10.21 wheel or face_landmark.tflite"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parents[1] / "advmask" / "masks" / "data" / "mean_face.npz",
    )
    chosen = parser.parse_args()
    faces = load_faces(
        FacesSettings(root=chosen.folder, landmarks="mesh", mesh_model=chosen.model), progress=True
    )
    by_person: dict[str, list[Float64[np.ndarray, "468 3"]]] = defaultdict(list)
    for crop in faces.crops:
        assert crop.dense is not None
        by_person[crop.person].append(crop.dense.numpy().astype(np.float64) * [1, -1, 1])
    if len(by_person) < _FEWEST_PEOPLE:
        raise SystemExit(f"{len(by_person)} people are too few for a mean; give {_FEWEST_PEOPLE} or more.")
    points, mirror = mean_shape(by_person)
    content = {"points_mm": points.astype(np.float32), "mirror": mirror.astype(np.int16)}

    def write(path: Path) -> None:
        with path.open("wb") as stream:
            np.savez_compressed(stream, **content)

    write_with(chosen.output, write)
    away = np.linalg.norm(five_from_mesh(points) - REFERENCE_POINTS_MM, axis=1)
    print(f"{chosen.output}: {chosen.output.stat().st_size} bytes")
    print("millimetres from the five reference points:", away.round(1))


if __name__ == "__main__":
    main()
