"""Points files: what is read, what is refused and in which words."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from advmask.core.errors import PhotoError
from advmask.photos.crops import apply_transform
from advmask.photos.landmark_files import points_path, read_points
from advmask.photos.loading import load_faces
from advmask.photos.mesh_points import five_from_mesh
from advmask.photos.settings import FacesSettings

FIVE = [[203.8, 101.5], [247.0, 103.3], [223.5, 127.5], [203.0, 139.8], [245.5, 140.0]]
SIZE = (512, 512)


def written(folder: Path, content: Any) -> Path:
    path = folder / "photo.points.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def mesh(*, depth: bool) -> list[list[float]]:
    """468 points spread at random, with the five where they should be."""
    generator = np.random.default_rng(0)
    points = np.column_stack([generator.uniform(150, 300, (468, 2)), generator.normal(size=468)])
    for indices, (x, y) in zip(
        [(33, 133, 159, 145), (362, 263, 386, 374), (1, 4), (61,), (291,)], FIVE, strict=True
    ):
        offsets = generator.normal(size=(len(indices), 2))
        points[list(indices), :2] = offsets - offsets.mean(axis=0) + np.array([x, y])
    return points.tolist() if depth else points[:, :2].tolist()


def test_names() -> None:
    assert points_path(Path("a/b.c.jpg")) == Path("a/b.c.points.json")


def test_five_points(tmp_path: Path) -> None:
    for points in (FIVE, [[*point, 3] for point in FIVE]):
        given = read_points(written(tmp_path, {"points": points, "by": "hand"}), size=SIZE)
        np.testing.assert_array_equal(given.five, FIVE)
        assert given.dense is None


def test_a_mesh(tmp_path: Path) -> None:
    points = mesh(depth=True)
    given = read_points(written(tmp_path, {"points": points}), size=SIZE)
    np.testing.assert_array_equal(given.dense, points)
    np.testing.assert_allclose(given.five, FIVE)
    given = read_points(written(tmp_path, {"points": mesh(depth=False)}), size=SIZE)
    assert given.dense is not None
    assert np.isnan(given.dense[:, 2]).all()
    np.testing.assert_allclose(given.five, FIVE)


def changed(index: int, value: Any) -> dict[str, Any]:
    points: list[Any] = [list(point) for point in FIVE]
    points[index] = value
    return {"points": points}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ([1, 2], "no list of points"),
        ({"point": FIVE}, "no list of points"),
        ({"points": {}}, "no list of points"),
        ({"points": []}, "has 0 points"),
        ({"points": FIVE[:4]}, "has 4 points"),
        (changed(3, [1]), r"points\[3\] is \[1\]"),
        (changed(3, [1, 2, 3, 4]), r"points\[3\] is \[1, 2, 3, 4\]"),
        (changed(2, ["1", 2]), r'points\[2\] is \["1", 2\]'),
        (changed(2, [True, 2]), r"points\[2\] is \[true, 2\]"),
        (changed(2, [None, 2]), r"points\[2\] is \[null, 2\]"),
        (changed(4, [float("nan"), 2]), r"points\[4\] is \[NaN, 2\]"),
        (changed(4, [1, float("inf")]), r"points\[4\] is \[1, Infinity\]"),
        (changed(4, [10**400, 1]), r"points\[4\] is \[1000.*\.\.\."),
        (changed(0, [-0.5, 100]), r"points\[0\] \(-0.5, 100\) lies outside the photo of 512 x 512"),
        (changed(4, [200, 513]), r"points\[4\] \(200, 513\) lies outside"),
        (changed(1, FIVE[0]), r"points\[0\] and points\[1\] coincide"),
        ({"points": [FIVE[1], FIVE[0], FIVE[2], FIVE[4], FIVE[3]]}, "left and right are exchanged"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: Any, match: str) -> None:
    with pytest.raises(PhotoError, match=match) as caught:
        read_points(written(tmp_path, content), size=SIZE)
    message = str(caught.value)
    assert "photo.points.json" in message
    assert message.endswith(".")
    assert "\n" not in message


def test_a_mesh_outside_the_photo(tmp_path: Path) -> None:
    path = written(tmp_path, {"points": mesh(depth=True)})
    with pytest.raises(PhotoError, match=r"right-in-image eye .* lies outside the photo of 230 x 512"):
        read_points(path, size=(230, 512))


def test_missing_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(
        PhotoError, match=r"no photo\.points\.json next to the photo, which faces\.landmarks=file"
    ):
        read_points(tmp_path / "photo.points.json", size=SIZE)
    (tmp_path / "photo.points.json").mkdir()
    with pytest.raises(PhotoError, match=r"Cannot read photo\.points\.json"):
        read_points(tmp_path / "photo.points.json", size=SIZE)
    (tmp_path / "latin.points.json").write_bytes(b'{"points": "\xe9"}')
    with pytest.raises(PhotoError, match="is not JSON"):
        read_points(tmp_path / "latin.points.json", size=SIZE)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from(["points", "x"]), inner),
    max_leaves=20,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(JSON, st.lists(st.lists(st.floats(0, 600), min_size=2, max_size=2), min_size=5, max_size=5)))
def test_any_content_is_read_or_refused(tmp_path: Path, content: Any) -> None:
    try:
        given = read_points(written(tmp_path, {"points": content}), size=SIZE)
    except PhotoError:
        return
    assert np.isfinite(given.five).all()
    assert (given.five >= 0).all()
    assert (given.five <= SIZE).all()


def test_no_detector_runs(tmp_path: Path, portrait: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(**_: object) -> None:
        raise AssertionError("the detector was built")

    monkeypatch.setattr("advmask.photos.backends.FaceDetector", never)
    portrait.save(tmp_path / "photo.png")
    portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "without.png")
    points = mesh(depth=True)
    path = written(tmp_path, {"points": points})
    chosen = FacesSettings(root=tmp_path, cache=tmp_path / "crops", landmarks="file", size=112)
    faces = load_faces(chosen)
    (crop,) = faces.crops
    (omission,) = faces.omissions
    assert omission.reason.startswith("There is no without.points.json")
    assert crop.photo_size == (512, 512)
    transform = crop.transform.numpy()
    np.testing.assert_allclose(crop.landmarks.numpy(), apply_transform(transform, np.array(FIVE)), atol=1e-4)
    assert crop.dense is not None
    assert crop.dense.dtype == torch.float32
    np.testing.assert_allclose(five_from_mesh(crop.dense.numpy())[:, :2], crop.landmarks.numpy(), atol=1e-3)
    scale = np.sqrt(np.linalg.det(transform[:, :2]))
    np.testing.assert_allclose(crop.dense.numpy()[:, 2], scale * np.array(points)[:, 2], atol=1e-4)

    # Another content of the points file is another crop, in spite of the cache; the old one is still known.
    points[61][0] += 3.0
    written(tmp_path, {"points": points})
    (other,) = load_faces(chosen).crops
    assert not torch.equal(other.landmarks, crop.landmarks)
    written(tmp_path, {"points": FIVE})
    (five_only,) = load_faces(chosen).crops
    assert five_only.dense is None
    path.unlink()
    with pytest.raises(PhotoError, match=r"no photo\.points\.json"):
        load_faces(chosen)


def test_eyes_too_close_in_a_file(tmp_path: Path, portrait: Image.Image) -> None:
    portrait.save(tmp_path / "photo.png")
    written(tmp_path, {"points": [[200, 100], [204, 100], [202, 102], [200, 104], [204, 104]]})
    with pytest.raises(PhotoError, match=r"The eyes are 4\.0 px apart, and 10 px are needed"):
        load_faces(FacesSettings(root=tmp_path, cache=False, landmarks="file"))
