import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).parents[2] / "textures"
NAMES = (
    "white", "surgical_blue", "black", "noise", "checks", "stripes", "lower_face", "large_face", "motif",
    "flowers",
)  # fmt: skip


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(FOLDER / "draw.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    answer = run("--folder", folder)
    assert answer.returncode == 0, answer.stderr
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_the_script_draws_the_committed_files(drawn, name):
    ours = FOLDER / f"{name}.png"
    assert np.array_equal(pixels(drawn / f"{name}.png"), pixels(ours))
    assert ours.stat().st_size < 300_000
    with Image.open(ours) as picture:
        assert (picture.size, picture.mode) == ((702, 460), "RGB")
        assert 702 / picture.info["dpi"][0] * 25.4 == pytest.approx(234.0, abs=0.1)


def test_nothing_else_is_drawn(drawn):
    assert {path.stem for path in drawn.iterdir()} == set(NAMES)
    assert {path.stem for path in FOLDER.glob("*.png")} == set(NAMES)


def test_plain_masks_are_plain():
    assert (pixels(FOLDER / "white.png") == 255).all()
    assert (pixels(FOLDER / "black.png") == 0).all()
    blue = pixels(FOLDER / "surgical_blue.png").reshape(-1, 3)
    assert (blue == blue[0]).all()
    assert blue[0, 0] < blue[0, 1] < blue[0, 2]


def test_noise_has_a_grain_of_a_few_millimetres():
    grey = pixels(FOLDER / "noise.png").astype(float).mean(axis=2)
    grey -= grey.mean()

    def likeness(texels: int) -> float:
        return float((grey[:, texels:] * grey[:, :-texels]).mean() / grey.var())

    assert likeness(3) > 0.5
    assert abs(likeness(3 * 8)) < 0.1
    assert grey.std() > 30


def test_the_printed_face_has_its_parts_where_they_belong():
    face = pixels(FOLDER / "lower_face.png").astype(float)

    def at(u_mm: float, v_mm: float) -> np.ndarray:
        column, row = int((u_mm + 117) * 3), int(v_mm * 3)
        return face[row - 1 : row + 2, column - 1 : column + 2].mean(axis=(0, 1))

    skin = at(0, 86)
    assert skin[0] > skin[1] > skin[2]
    for nostril in (-8, 8):
        assert at(nostril, 37).mean() < 0.6 * at(nostril, 48).mean()
    line = face[180:215, 351].mean(axis=1)
    assert abs(180 + int(line.argmin()) - 65 * 3) <= 6
    redness = [at(u, 70)[0] - at(u, 70)[1] for u in (-45, -10, 10, 45)]
    assert min(redness[1:3]) > max(redness[0], redness[3]) + 15
    assert at(0, 145).mean() < at(0, 104).mean()


def test_the_large_face_is_half_as_large_again_and_deeper():
    small, large = (
        pixels(FOLDER / f"{name}.png").astype(float).mean(axis=2) for name in ("lower_face", "large_face")
    )

    def mouth_mm(face: np.ndarray) -> float:
        return float(face[150:300, 351].argmin() + 150) / 3

    assert (mouth_mm(large) - 50) / (mouth_mm(small) - 50) == pytest.approx(1.5, abs=0.1)
    assert large.std() > 1.2 * small.std()


def test_one_design_in_another_size(tmp_path):
    answer = run(
        "motif", "--folder", tmp_path / "new", "--width", 41, "--height", 30, "--texels-per-mm", 0.25
    )
    assert answer.returncode == 0, answer.stderr
    assert pixels(tmp_path / "new" / "motif.png").shape == (30, 41, 3)
    assert len(list((tmp_path / "new").iterdir())) == 1


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["white", "--width", "0"], ["white", "--texels-per-mm", "nan"]]
)
def test_bad_arguments_are_explained(tmp_path, arguments):
    answer = run(*arguments, "--folder", tmp_path)
    assert answer.returncode == 2
    assert "error:" in answer.stderr
    assert list(tmp_path.iterdir()) == []
