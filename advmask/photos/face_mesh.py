"""468 points on a face, by the mesh network that a mediapipe wheel carries."""

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float64
from PIL import Image

from advmask.core.errors import MissingPackageError, PhotoError, WeightsError
from advmask.photos.crops import apply_transform, cut_crop, invert_transform
from advmask.photos.detection import Face
from advmask.photos.mesh_points import MESH_POINTS

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

# Below this probability of a face the points mean nothing.
_MIN_PRESENCE = 0.5


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


class FaceMesh:
    """The network that puts 468 points on a face which a detector has found.

    It looks twice: at a square around the detected box, and at one around the points of the first look. The
    second look makes the points independent of the habits of the detector: they move by 0.7 % of the face's
    height, and by 0.3 % at a third look.

    Args:
        path: The .tflite file, or a mediapipe wheel that holds it.

    Raises:
        WeightsError: As `read_mesh_model`.

    Source:
        Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = read_mesh_model(path)
        self._network: _Network | None = None
        self.sha256 = hashlib.sha256(self._content).hexdigest()

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
            MissingPackageError: The package that runs it is not installed.
            WeightsError: The file is not that network.
        """
        if self._network is None:
            self._network = _Network(self._path, self._content)
        low, high = np.reshape(face.box, (2, 2))
        level = face.landmarks[1] - face.landmarks[0]
        first, _ = self._look(image, _square((low + high) / 2, float((high - low).max()), level))
        points, presence = self._look(image, _around(first))
        if not presence >= _MIN_PRESENCE:
            raise PhotoError(
                f"The face mesh network is {presence:.0%} sure of a face ({_MIN_PRESENCE:.0%} are needed); "
                "use a clearer photo, or faces.landmarks=mtcnn."
            )
        return points

    def _look(
        self, image: Image.Image, transform: Float[np.ndarray, "2 3"]
    ) -> tuple[Float64[np.ndarray, "468 3"], float]:
        assert self._network is not None
        points, logit = self._network(cut_crop(image, transform, size=SIDE_PX).astype(np.float32) / 255)
        scale = float(np.hypot(transform[0, 0], transform[1, 0]))
        flat = apply_transform(invert_transform(transform), points[:, :2])
        presence = float(0.5 * (1 + np.tanh(logit / 2)))
        return np.column_stack([flat, -points[:, 2] / scale]), presence


class _Network:
    """The .tflite file, checked and ready to run."""

    def __init__(self, path: Path, content: bytes) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError as error:
            raise MissingPackageError(
                "faces.landmarks=mesh needs ai-edge-litert; run `pip install 'advmask[landmarks]'`."
            ) from error
        try:
            # Without the accelerated kernels, which announce themselves on the error stream and save 2 ms.
            self._interpreter: Any = Interpreter(
                model_content=content,
                num_threads=1,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise WeightsError(f"{path} is no readable .tflite network; {_HOW_TO_GET}.") from error
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shapes = [tuple(int(side) for side in one["shape"]) for one in inputs]
        sizes = sorted(int(np.prod(one["shape"])) for one in outputs)
        if shapes != [(1, SIDE_PX, SIDE_PX, 3)] or sizes != _OUTPUTS:
            raise WeightsError(
                f"{path} is another network (inputs {shapes}, {sizes} outputs; expected one input "
                f"{(1, SIDE_PX, SIDE_PX, 3)} and {_OUTPUTS} outputs); {_HOW_TO_GET}."
            )
        self._input = inputs[0]["index"]
        by_size = sorted(outputs, key=lambda one: int(np.prod(one["shape"])))
        self._presence, self._points = (one["index"] for one in by_size)

    def __call__(self, picture: Float[np.ndarray, "192 192 3"]) -> tuple[Float64[np.ndarray, "468 3"], float]:
        """Points in pixels of the picture, z larger farther away, and the logit of a face."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        points = self._interpreter.get_tensor(self._points).reshape(MESH_POINTS, 3).astype(np.float64)
        return points, float(self._interpreter.get_tensor(self._presence).ravel()[0])


def _square(
    centre: Float[np.ndarray, "2"], side: float, level: Float[np.ndarray, "2"]
) -> Float64[np.ndarray, "2 3"]:
    """Transform to what the network sees: an upright square, `level` to the right, with a margin."""
    a = SIDE_PX / (MARGIN * side) * np.conj(complex(*level)) / abs(complex(*level))
    b = complex(SIDE_PX / 2, SIDE_PX / 2) - a * complex(*centre)
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _around(points: Float[np.ndarray, "468 3"]) -> Float64[np.ndarray, "2 3"]:
    """As `_square`, for the box around points, level with the outer corners of the eyes."""
    left, right = (points[index, :2] for index in OUTER_CORNERS)
    along = (right - left) / np.hypot(*(right - left))
    turn = np.array([along, [-along[1], along[0]]])
    turned = points[:, :2] @ turn.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    return _square(turn.T @ ((low + high) / 2), float((high - low).max()), along)
