"""Detectors in ONNX form as aligners, against onnxruntime with loops, and against OpenCV's own YuNet."""

import math
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from detector_networks import write_detector

from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers.aligners.aligner_names import build_aligner

FAMILIES = ("scrfd", "retinaface", "yunet")


def picture(rows: int = 96, columns: int = 128, *, seed: int = 0) -> torch.Tensor:
    """Coarse and fine noise in 8 bits, (3, rows, columns)."""
    draw = np.random.default_rng(seed)
    coarse = draw.random((3, rows // 16, columns // 16)).repeat(16, 1).repeat(16, 2)
    values = 0.7 * coarse + 0.3 * draw.random((3, rows, columns))
    return torch.from_numpy(np.round(values * 255).astype("f4") / 255)


def places(path: Path, family: str, fed: np.ndarray) -> list[tuple[float, list[float], np.ndarray]]:
    """Score, box and points of every place, by loops over what onnxruntime gives."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    given = dict(zip(names, session.run(None, {"picture": fed[None].astype("f4")}), strict=True))
    rows, columns = fed.shape[1:]
    found, start = [], 0
    for stride in (8, 16, 32):
        number = 0
        for row in range(rows // stride):
            for column in range(columns // stride):
                for anchor in range(1 if family == "yunet" else 2):
                    at = {k: v[0][number + start] for k, v in given.items() if k.endswith(f"_{stride}")}
                    if family == "scrfd":
                        x, y = column * stride, row * stride
                        left, top, right, bottom = at[f"bbox_{stride}"] * stride
                        score = float(at[f"score_{stride}"][0])
                        box = [x - left, y - top, x + right, y + bottom]
                        points = np.array([(x, y)]) + at[f"kps_{stride}"].reshape(5, 2) * stride
                    elif family == "yunet":
                        score = math.sqrt(float(at[f"cls_{stride}"][0]) * float(at[f"obj_{stride}"][0]))
                        dx, dy, w, h = at[f"bbox_{stride}"]
                        x, y = (column + dx) * stride, (row + dy) * stride
                        w, h = math.exp(w) * stride, math.exp(h) * stride
                        box = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
                        points = (np.array([(column, row)]) + at[f"kps_{stride}"].reshape(5, 2)) * stride
                    else:
                        loc, conf, landms = (given[k][0][number + start] for k in ("loc", "conf", "landms"))
                        side = {8: (16, 32), 16: (64, 128), 32: (256, 512)}[stride][anchor]
                        x, y = (column + 0.5) * stride, (row + 0.5) * stride
                        score = float(conf[1])
                        cx, cy = x + loc[0] * 0.1 * side, y + loc[1] * 0.1 * side
                        w, h = side * math.exp(loc[2] * 0.2), side * math.exp(loc[3] * 0.2)
                        box = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]
                        points = np.array([(x, y)]) + landms.reshape(5, 2) * 0.1 * side
                    found.append((score, [float(each) for each in box], points))
                    number += 1
        start += number if family == "retinaface" else 0
    return found


def suppressed(found: list[tuple[float, list[float], np.ndarray]], confidence: float, overlap: float):
    """The best of boxes that cover each other, where a box of one pixel has the area one."""
    kept: list[tuple[float, list[float], np.ndarray]] = []
    for score, box, points in sorted(found, key=lambda one: -one[0]):
        if score < confidence:
            break
        for _, other, _ in kept:
            width = min(box[2], other[2]) - max(box[0], other[0]) + 1
            height = min(box[3], other[3]) - max(box[1], other[1]) + 1
            both = max(0.0, width) * max(0.0, height)
            areas = sum((b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (box, other))
            if both / (areas - both) > overlap:
                break
        else:
            kept.append((score, box, points))
    return kept


def apart(faces: list[tuple[float, list[float], np.ndarray]]) -> list[np.ndarray]:
    """The points of faces that have none within a pixel, so that a hint can mean them."""
    centres = [points.mean(axis=0) for _, _, points in faces]
    return [
        points
        for (_, _, points), centre in zip(faces, centres, strict=True)
        if sorted(np.linalg.norm(centre - other) for other in centres)[1] > 1
    ]


def near(points: np.ndarray) -> torch.Tensor:
    """A hint whose centre is that of the points, with eyes 2 px apart."""
    x, y = points.mean(axis=0)
    five = [(-1, 0), (1, 0), (0, 0), (0, 0), (0, 0)]
    return torch.tensor([[(x + dx, y + dy) for dx, dy in five]], dtype=torch.float32)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", [0, 1])
def test_as_loops_over_the_outputs_say(family: str, seed: int, tmp_path: Path) -> None:
    """The picture is given in the network's size, so that nothing is scaled."""
    path = write_detector(tmp_path / "net.onnx", family, seed=seed, sides=(96, 128))
    bright = picture(seed=seed)
    values = bright.numpy() * 255
    if family == "scrfd":
        fed, confidence, overlap = (values - 127.5) / 128, 0.5, 0.4
    elif family == "retinaface":
        fed, confidence, overlap = values[::-1] - np.array([104, 117, 123])[:, None, None], 0.5, 0.4
    else:
        fed, confidence, overlap = values[::-1], 0.9, 0.3
    faces = suppressed(places(path, family, fed), confidence, overlap)
    assert 3 < len(faces) < 150
    aligner = build_aligner(f"{family}:{path}")
    assert aligner.differentiable
    assert len(apart(faces)) > 2
    for wanted in apart(faces):
        points, found = aligner.landmarks(bright[None], near(wanted + 0.5))
        assert found.tolist() == [True]
        assert np.abs(points[0].numpy() - (wanted + 0.5)).max() < 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_points_carry_a_gradient_to_the_picture(family: str, tmp_path: Path) -> None:
    path = write_detector(tmp_path / "net.onnx", family)
    aligner = build_aligner(f"{family}:{path}")
    pictures = torch.stack([picture(seed=seed) for seed in (0, 1)]).requires_grad_()
    hint = torch.tensor([(40.0, 40.0), (80.0, 40.0), (60.0, 55.0), (50.0, 70.0), (70.0, 70.0)])
    points, found = aligner.landmarks(pictures, hint.expand(2, 5, 2))
    assert found.all()
    points.sum().backward()
    assert pictures.grad is not None
    assert (pictures.grad.abs().amax(dim=(1, 2, 3)) > 0).all()


def test_a_picture_of_another_size_is_scaled_into_the_corner(tmp_path: Path) -> None:
    """SCRFD wants a square: what is found there lies where it lies in the picture itself."""
    path = write_detector(tmp_path / "net.onnx", "scrfd", sides=(128, 128))
    small = picture(48, 32)
    resized = cv2.resize(small.permute(1, 2, 0).numpy() * 255, (85, 128), interpolation=cv2.INTER_LINEAR)
    square = np.zeros((128, 128, 3), "f4")
    square[:, :85] = resized
    fed = (square.transpose(2, 0, 1) - 127.5) / 128
    scale = 128 / 48
    there = [(score, [e / scale for e in box], p / scale) for score, box, p in places(path, "scrfd", fed)]
    wanted = apart(suppressed(there, 0.5, 0.4))[0] + 0.5
    points, found = build_aligner(f"scrfd:{path}").landmarks(small[None], near(wanted))
    assert found.all()
    assert np.abs(points[0].numpy() - wanted).max() < 0.02


@pytest.mark.parametrize("sides", [("h", "w"), (640, 640)])
def test_yunet_as_opencv_runs_it(sides: tuple[object, object], tmp_path: Path) -> None:
    """On a picture whose sides no stride divides."""
    path = write_detector(tmp_path / "net.onnx", "yunet", seed=3, sides=(640, 640))
    mine = write_detector(tmp_path / "mine.onnx", "yunet", seed=3, sides=sides)
    bright = picture(96, 128, seed=5)[:, :90, :117]
    array = (bright.permute(1, 2, 0).numpy()[..., ::-1] * 255).round().astype("u1")
    found = cv2.FaceDetectorYN.create(str(path), "", (117, 90), 0.9, 0.3).detect(np.ascontiguousarray(array))[
        1
    ]
    assert found is not None
    aligner = build_aligner(f"yunet:{mine}")
    for row in found[:5]:
        wanted = row[4:14].reshape(5, 2)
        points, _ = aligner.landmarks(bright[None], near(wanted + 0.5))
        assert np.abs(points[0].numpy() - (wanted + 0.5)).max() < 0.05


def test_no_face_near_the_hint(tmp_path: Path) -> None:
    path = write_detector(tmp_path / "net.onnx", "scrfd")
    far = near(np.array([(900.0, 900.0)]))
    points, found = build_aligner(f"scrfd:{path}").landmarks(picture()[None], far)
    assert not found.any()
    assert not points.any()


def test_what_cannot_be_converted_runs_in_onnxruntime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_detector(tmp_path / "net.onnx", "scrfd")
    hint = torch.tensor([[(40.0, 40.0), (80.0, 40.0), (60.0, 55.0), (50.0, 70.0), (70.0, 70.0)]])
    wanted, _ = build_aligner(f"scrfd:{path}").landmarks(picture()[None], hint)
    monkeypatch.setattr("advmask.recognizers.aligners.detector_file.network_of", None)
    aligner = build_aligner(f"scrfd:{path}")
    assert not aligner.differentiable
    points, found = aligner.landmarks(picture()[None].requires_grad_(), hint)
    assert found.all()
    assert not points.requires_grad
    torch.testing.assert_close(points, wanted, rtol=0, atol=1e-3)


def test_what_is_no_such_detector_is_said(tmp_path: Path) -> None:
    yunet = write_detector(tmp_path / "yunet.onnx", "yunet")
    boxes = write_detector(tmp_path / "boxes.onnx", "scrfd", without="kps")
    with pytest.raises(WeightsError, match=rf"of the family yunet: write yunet:{yunet}"):
        build_aligner(f"scrfd:{yunet}")
    with pytest.raises(WeightsError, match="gives boxes and no landmarks"):
        build_aligner(f"scrfd:{boxes}")
    with pytest.raises(WeightsError, match="There is no file"):
        build_aligner("scrfd:nowhere.onnx")
    with pytest.raises(ConfigError, match="needs the detector's ONNX file, such as scrfd:PATH"):
        build_aligner("scrfd")
    (tmp_path / "text.onnx").write_text("nothing")
    with pytest.raises(WeightsError, match="not a whole ONNX file"):
        build_aligner(f"yunet:{tmp_path / 'text.onnx'}")
