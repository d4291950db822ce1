"""The face mesh: geometry with a stand-in for the network, errors, and the network itself where it is.

The tests of the network itself need ai-edge-litert, and ADVMASK_FACE_MESH set to the mediapipe 0.10.21 wheel
or to the face_landmark.tflite out of it.
"""

import os
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageOps

from advmask.core.errors import ConfigError, MissingPackageError, PhotoError, WeightsError
from advmask.core.picture_reading import read_picture
from advmask.photos.detection import Face, FaceDetector
from advmask.photos.face_mesh import FaceMesh
from advmask.photos.loading import load_faces
from advmask.photos.people_folders import find_people
from advmask.photos.settings import FacesSettings

MEMBER = "mediapipe/modules/face_landmark/face_landmark.tflite"


class StandIn:
    """Looks for one red, one green and one blue dot, and puts outer eye corners and all else there."""

    inputs: tuple[int, ...] = (1, 192, 192, 3)
    outputs: tuple[int, ...] = (1404, 1)
    logit = 8.0

    def __init__(self, *, model_content: bytes, **_: object) -> None:
        if model_content != b"stand-in":
            raise ValueError("The model is not a valid Flatbuffer buffer")
        self._picture = np.zeros(self.inputs)

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 0, "shape": np.array(self.inputs)}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"index": 7 + i, "shape": np.array([1, 1, 1, n])} for i, n in enumerate(self.outputs)]

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        assert index == 0
        assert value.shape == self.inputs
        assert value.dtype == np.float32
        assert value.min() >= 0
        assert 0.9 < value.max() <= 1
        self._picture = value[0]

    def invoke(self) -> None:
        pass

    def get_tensor(self, index: int) -> np.ndarray:
        if index == 8:
            return np.array([[[[self.logit]]]], dtype=np.float32)
        red, green, blue = (self._centre(channel) for channel in range(3))
        points = np.zeros((468, 3), dtype=np.float32)
        points[:, :2] = blue + np.linspace(-30, 30, 468)[:, None]
        points[[33, 263], :2] = red, green
        points[:, 2] = -6.0
        return points.reshape(1, 1, 1, 1404)

    def _centre(self, channel: int) -> np.ndarray:
        weight = np.clip(2 * self._picture[..., channel] - self._picture.sum(axis=2), 0, None)
        x, y = np.meshgrid(np.arange(192) + 0.5, np.arange(192) + 0.5)
        return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake = types.ModuleType("ai_edge_litert.interpreter")
    fake.Interpreter = type("Interpreter", (StandIn,), {})  # type: ignore[attr-defined]
    fake.OpResolverType = types.SimpleNamespace(BUILTIN_WITHOUT_DEFAULT_DELEGATES=3)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ai_edge_litert", types.ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", fake)
    path = tmp_path / "mesh.tflite"
    path.write_bytes(b"stand-in")
    return path


def dotted(*dots: tuple[float, float]) -> Image.Image:
    """A grey photo with a red, a green and a blue dot, smooth to a fraction of a pixel."""
    fine = Image.new("RGB", (1600, 1200), (90, 90, 90))
    draw = ImageDraw.Draw(fine)
    for (x, y), colour in zip(dots, [(255, 0, 0), (0, 255, 0), (0, 0, 255)], strict=True):
        draw.ellipse((4 * x - 24, 4 * y - 24, 4 * x + 24, 4 * y + 24), fill=colour)
    return fine.resize((400, 300), Image.Resampling.BOX)


@pytest.mark.parametrize("degrees", [0.0, 25.0, -100.0])
def test_points_come_back_in_pixels_of_the_photo(stand_in: Path, degrees: float) -> None:
    turn = np.exp(1j * np.radians(degrees))
    dots = [complex(200, 150) + turn * offset for offset in (-35 - 20j, 35 - 20j, 25j)]
    flat = np.array([(dot.real, dot.imag) for dot in dots])
    image = dotted(*map(tuple, flat))
    face = Face((130.0, 70.0, 270.0, 230.0), np.array([*flat[:2], *flat[2:].repeat(3, axis=0)]), 1.0)
    points = FaceMesh(stand_in).points(image, face)
    assert points.shape == (468, 3)
    np.testing.assert_allclose(points[33, :2], flat[0], atol=0.3)
    np.testing.assert_allclose(points[263, :2], flat[1], atol=0.3)
    np.testing.assert_allclose(np.delete(points[:, :2], [33, 263], axis=0).mean(axis=0), flat[2], atol=0.4)
    # What the network says to be 6 px nearer is so in the photo's own, here larger, pixels.
    span = np.linalg.norm(points[467, :2] - points[0, :2]) / np.hypot(60, 60)
    np.testing.assert_allclose(points[:, 2], 6 * span, rtol=1e-4)


def test_no_face_to_the_network(stand_in: Path) -> None:
    image, face = dotted((165, 130), (235, 130), (200, 175)), face_there()
    mesh = FaceMesh(stand_in)
    sys.modules["ai_edge_litert.interpreter"].Interpreter.logit = -3.0  # type: ignore[attr-defined]
    with pytest.raises(PhotoError, match=r"is 5% sure of a face \(50% are needed\)"):
        mesh.points(image, face)


def face_there() -> Face:
    five = np.array([(165, 130), (235, 130), (200, 160), (175, 175), (225, 175)], dtype=float)
    return Face((130.0, 70.0, 270.0, 230.0), five, 1.0)


@pytest.mark.parametrize(
    ("inputs", "outputs"), [((1, 128, 128, 3), (1404, 1)), ((1, 192, 192, 3), (1404, 160, 1))]
)
def test_another_network(stand_in: Path, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
    fake = sys.modules["ai_edge_litert.interpreter"].Interpreter  # type: ignore[attr-defined]
    fake.inputs, fake.outputs = inputs, outputs
    with pytest.raises(WeightsError, match=r"mesh\.tflite is another network .*mediapipe==0\.10\.21"):
        FaceMesh(stand_in).points(Image.new("RGB", (400, 300)), face_there())


def test_files_that_are_no_network(stand_in: Path, tmp_path: Path) -> None:
    stand_in.write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"mesh\.tflite is no readable \.tflite network"):
        FaceMesh(stand_in).points(Image.new("RGB", (400, 300)), face_there())
    with pytest.raises(WeightsError, match=r"Cannot read the face mesh network .*No such file"):
        FaceMesh(tmp_path / "gone.whl")
    with pytest.raises(WeightsError, match=r"Cannot read the face mesh network .*directory"):
        FaceMesh(tmp_path)
    with zipfile.ZipFile(tmp_path / "mediapipe-0.10.30.whl", "w") as wheel:
        wheel.writestr("mediapipe/__init__.py", "")
    with pytest.raises(WeightsError, match=r"0\.10\.30\.whl holds no face mesh network .*pip download"):
        FaceMesh(tmp_path / "mediapipe-0.10.30.whl")


def test_the_wheel_and_the_file_are_the_same_network(stand_in: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(MEMBER, b"stand-in")
    assert FaceMesh(tmp_path / "m.whl").sha256 == FaceMesh(stand_in).sha256
    FaceMesh(tmp_path / "m.whl").points(dotted((165, 130), (235, 130), (200, 175)), face_there())
    content = (tmp_path / "m.whl").read_bytes()
    at = content.index(b"face_landmark.tflite") + len("face_landmark.tflite")
    (tmp_path / "bad.whl").write_bytes(content[:at] + b"\xff" * 4 + content[at + 4 :])
    with pytest.raises(WeightsError, match="damaged wheel"):
        FaceMesh(tmp_path / "bad.whl")


def test_the_package_that_runs_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    (tmp_path / "mesh.tflite").write_bytes(b"any")
    with pytest.raises(MissingPackageError, match=r"pip install 'advmask\[landmarks\]'"):
        FaceMesh(tmp_path / "mesh.tflite").points(Image.new("RGB", (400, 300)), face_there())


def test_settings_ask_for_a_model() -> None:
    with pytest.raises(ConfigError, match=r"needs faces\.mesh_model=FILE.*pip download"):
        FacesSettings.build({"landmarks": "mesh"})


def test_loading_with_a_mesh(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "people" / "Ada"
    root.mkdir(parents=True)
    dotted((165, 130), (235, 130), (200, 175)).save(root / "1.png")
    found: list[Face] = [face_there()]
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: found)
    chosen = FacesSettings(root=root, cache=tmp_path / "crops", landmarks="mesh", mesh_model=stand_in)
    (crop,) = load_faces(chosen).crops
    assert crop.dense is not None
    assert crop.dense.shape == (468, 3)
    # The five points stay those of the detector; the red dot lies on the left eye.
    np.testing.assert_allclose(crop.dense[33, :2], crop.landmarks[0], atol=0.5)

    found.clear()  # whatever is found from here on, comes from the cache
    (again,) = load_faces(chosen).crops
    assert again.dense is not None
    assert torch.equal(again.dense, crop.dense)
    with pytest.raises(PhotoError, match="No face"):
        load_faces(chosen.model_copy(update={"landmarks": "mtcnn"}))
    found.append(face_there())
    (plain,) = load_faces(chosen.model_copy(update={"landmarks": "mtcnn", "cache": False})).crops
    assert plain.dense is None
    assert torch.equal(plain.picture, crop.picture)

    sys.modules["ai_edge_litert.interpreter"].Interpreter.logit = -9.0  # type: ignore[attr-defined]
    with pytest.raises(PhotoError, match=r"1\.png: The face mesh network is 0% sure"):
        load_faces(chosen.model_copy(update={"cache": False}))


@pytest.fixture(scope="module")
def real_mesh() -> FaceMesh:
    pytest.importorskip("ai_edge_litert")
    path = os.environ.get("ADVMASK_FACE_MESH")
    if not path:
        pytest.skip("ADVMASK_FACE_MESH does not name the mediapipe 0.10.21 wheel or its face_landmark.tflite")
    return FaceMesh(Path(path))


def test_the_network_on_the_portrait(
    real_mesh: FaceMesh, detector: FaceDetector, portrait: Image.Image
) -> None:
    (face,) = detector.detect(portrait)
    points = real_mesh.points(portrait, face)
    nose, chin, forehead = points[4], points[152], points[10]
    assert np.abs(nose[:2] - (223.5, 127.5)).max() < 6
    assert nose[2] > points[[33, 263], 2].max()  # larger is nearer
    assert forehead[1] < points[33, 1] < nose[1] < chin[1]
    # The mirror image gives the mirrored points: outer eye corners, mouth corners.
    mirrored = ImageOps.mirror(portrait)
    (other,) = detector.detect(mirrored)
    back = real_mesh.points(mirrored, other) * [-1, 1, 1] + [portrait.width, 0, 0]
    np.testing.assert_allclose(back[[263, 291, 4]][:, :2], points[[33, 61, 4]][:, :2], atol=2.5)


def test_the_network_sees_no_face_in_noise(real_mesh: FaceMesh) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    with pytest.raises(PhotoError, match="sure of a face"):
        real_mesh.points(Image.fromarray(pixels), face_there())


@pytest.mark.shared
@pytest.mark.slow
def test_the_five_of_the_mesh_agree_with_mtcnn_on_average(
    real_mesh: FaceMesh, detector: FaceDetector, shared_dir: Path
) -> None:
    from advmask.photos.detection import choose_face
    from advmask.photos.mesh_points import five_from_mesh

    differences = []
    for person in find_people(shared_dir / "faces"):
        image = read_picture(person.photos[0])
        face = choose_face(detector.detect(image), size=image.size)
        across = face.landmarks[1] - face.landmarks[0]
        unit = np.array([[across[0], across[1]], [-across[1], across[0]]]) / (across @ across)
        derived = five_from_mesh(real_mesh.points(image, face))[:, :2]
        differences.append((derived - face.landmarks) @ unit.T)
    assert len(differences) > 60
    assert np.abs(np.mean(differences, axis=0)).max() < 0.025  # eye distances
