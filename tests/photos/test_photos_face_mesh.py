"""The face mesh: geometry with a stand-in for the network, errors, and the network itself where it is.

The tests of the network itself need ADVMASK_FACE_MESH set to the mediapipe 0.10.21 wheel or to the
face_landmark.tflite out of it.
"""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageOps
from tflite_writing import Writer, network, small_network

from advmask.core.errors import ConfigError, PhotoError, WeightsError
from advmask.core.picture_reading import read_picture
from advmask.photos.detection import Face, FaceDetector
from advmask.photos.face_mesh import FaceMesh
from advmask.photos.loading import load_faces
from advmask.photos.mesh_network import MeshNetwork
from advmask.photos.people_folders import find_people
from advmask.photos.settings import FacesSettings

MEMBER = "mediapipe/modules/face_landmark/face_landmark.tflite"


class StandIn:
    """Looks for one red, one green and one blue dot, and puts outer eye corners and all else there."""

    outputs: tuple[int, ...] = (1404, 1)
    logit = 8.0

    def __init__(self, content: bytes, *, name: str) -> None:
        assert content == b"stand-in"

    def __call__(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        assert pictures.shape == (1, 3, 192, 192)
        assert pictures.dtype == torch.float32
        if not pictures.any():
            return [torch.zeros(1, number, 1, 1) for number in self.outputs]
        assert pictures.min() >= 0
        assert 0.9 < pictures.max() <= 1
        red, green, blue = (self._centre(pictures[0].numpy(), channel) for channel in range(3))
        points = np.zeros((468, 3), dtype=np.float32)
        points[:, :2] = blue + np.linspace(-30, 30, 468)[:, None]
        points[[33, 263], :2] = red, green
        points[:, 2] = -6.0
        return [torch.from_numpy(points).view(1, 1404, 1, 1), torch.full((1, 1, 1, 1), self.logit)]

    def _centre(self, picture: np.ndarray, channel: int) -> np.ndarray:
        weight = np.clip(2 * picture[channel] - picture.sum(axis=0), 0, None)
        x, y = np.meshgrid(np.arange(192) + 0.5, np.arange(192) + 0.5)
        return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("advmask.photos.mesh_network.TfliteNetwork", StandIn)
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


def test_no_face_to_the_network(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image, face = dotted((165, 130), (235, 130), (200, 175)), face_there()
    mesh = FaceMesh(stand_in)
    monkeypatch.setattr(StandIn, "logit", -3.0)
    with pytest.raises(PhotoError, match=r"is 5% sure of a face \(50% are needed\)"):
        mesh.points(image, face)


def face_there() -> Face:
    five = np.array([(165, 130), (235, 130), (200, 160), (175, 175), (225, 175)], dtype=float)
    return Face((130.0, 70.0, 270.0, 230.0), five, 1.0)


@pytest.mark.parametrize("outputs", [(1404, 160, 1), (1404,)])
def test_another_network(stand_in: Path, monkeypatch: pytest.MonkeyPatch, outputs: tuple[int, ...]) -> None:
    monkeypatch.setattr(StandIn, "outputs", outputs)
    with pytest.raises(WeightsError, match=r"mesh\.tflite is another network .*mediapipe==0\.10\.21"):
        FaceMesh(stand_in)


def test_files_that_are_no_network(tmp_path: Path) -> None:
    (tmp_path / "mesh.tflite").write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"mesh\.tflite is not a \.tflite network.*mediapipe==0\.10\.21"):
        FaceMesh(tmp_path / "mesh.tflite")
    (tmp_path / "small.tflite").write_bytes(network(1, 192, 192, kernel=3, stride=1, same=True))
    with pytest.raises(WeightsError, match="another network than mediapipe's face mesh"):
        FaceMesh(tmp_path / "small.tflite")
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


def test_settings_ask_for_a_model() -> None:
    with pytest.raises(ConfigError, match=r"needs faces\.mesh_model=FILE.*pip download"):
        FacesSettings.build({"landmarks": "mesh"})


def test_loading_with_a_mesh(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "people" / "Ada"
    root.mkdir(parents=True)
    dotted((165, 130), (235, 130), (200, 175)).save(root / "1.png")
    found: list[Face] = [face_there()]
    monkeypatch.setattr(FaceDetector, "detect_all", lambda self, images: [found for _ in images])
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

    monkeypatch.setattr(StandIn, "logit", -9.0)
    with pytest.raises(PhotoError, match=r"1\.png: The face mesh network is 0% sure"):
        load_faces(chosen.model_copy(update={"cache": False}))


@pytest.fixture(scope="module")
def real_mesh() -> FaceMesh:
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


@pytest.mark.parametrize(
    "damage",
    [
        lambda w: w.steps.insert(0, ("DEQUANTIZE", [], 0, {})),
        lambda w: [options.update(strideW=0, strideH=0, padding=0) for *_, options in w.steps],
        lambda w: w.steps.append(("CONV_2D", [0], 5, {"strideW": 1, "strideH": 1})),
        lambda w: w.steps.append(("PRELU", [0], 5, {})),
        lambda w: w.steps.append(("ADD", [0, 9999], 5, {})),
        lambda w: w.steps.append(("PAD", [0, 9999], 5, {})),
        lambda w: w.steps.append(("PAD", [0, w.tensor((4, 2), np.full((4, 2), 0.5, "<f4"))], 5, {})),
    ],
)
def test_a_damaged_graph_is_one_sentence(tmp_path: Path, damage: Callable[[Writer], object]) -> None:
    writer, inputs, outputs = small_network(0, 9, 9, kernel=3, stride=2, same=True)
    damage(writer)
    (tmp_path / "mesh.tflite").write_bytes(writer.file(inputs, outputs))
    with pytest.raises(WeightsError, match=r"mesh\.tflite .*mediapipe"):
        MeshNetwork(tmp_path / "mesh.tflite")
