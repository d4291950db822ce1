"""Aligners by name: the near misses of a wrong one, and a user's own, checked."""

from pathlib import Path

import pytest
import torch

from advmask.core.errors import ConfigError, MissingPackageError, WeightsError
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.aligners.aligner_names import ALIGNER_NAMES, build_aligner, build_aligners

GOOD = """
import torch

class Mine:
    name = "mine"
    differentiable = True

    def landmarks(self, pictures, hint):
        found = torch.ones(len(pictures), dtype=torch.bool)
        return hint + 0 * pictures.mean((1, 2, 3))[:, None, None] + 1, found

def aligner():
    return Mine()
"""


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a module of its own name into the current folder; gives the aligner's name."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, function: str = "aligner") -> str:
        name = f"own_{abs(hash((str(tmp_path), text)))}"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return f"python:{name}:{function}"

    return write


def test_bare_gives_the_hint_back() -> None:
    bare = build_aligner("bare")
    hint = torch.rand(3, 5, 2)
    points, found = bare.landmarks(torch.rand(3, 3, 8, 8), hint)
    assert isinstance(bare, Aligner)
    assert points is hint
    assert found.tolist() == [True] * 3


def test_every_built_aligner_bears_its_name_or_says_what_it_lacks(monkeypatch) -> None:
    monkeypatch.delenv("ADVMASK_FACE_MESH", raising=False)
    for name in ALIGNER_NAMES:
        try:
            aligner = build_aligner(name)
        except (MissingPackageError, WeightsError) as error:
            assert "pip " in str(error)  # noqa: PT017
            continue
        assert isinstance(aligner, Aligner)
        assert aligner.name == name
        assert aligner.differentiable == name.startswith(("mtcnn", "three"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mtcn", "did you mean mtcnn"),
        ("DLIB5", "did you mean dlib5"),
        ("mesh-468", "mesh468"),
        ("retinaface-r50", "known: bare, mtcnn,"),
        ("", "python:module:function"),
    ],
)
def test_an_unknown_name_names_the_near_misses(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_aligner(name)


def test_several_must_be_some_and_different() -> None:
    assert [one.name for one in build_aligners(["mtcnn", "bare"])] == ["mtcnn", "bare"]
    with pytest.raises(ConfigError, match="names none"):
        build_aligners([])
    with pytest.raises(ConfigError, match="bare is named more than once"):
        build_aligners(["bare", "mtcnn", "bare"])


def test_ones_own_aligner_works_and_is_filed_under_its_name(write_module) -> None:
    name = write_module(GOOD)
    aligner = build_aligner(name)
    assert (aligner.name, aligner.differentiable) == (name, True)
    pictures, hint = torch.rand(2, 3, 16, 16, requires_grad=True), torch.rand(2, 5, 2)
    points, _ = aligner.landmarks(pictures, hint)
    torch.testing.assert_close(points, hint + 1)
    assert points.requires_grad


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("import torch", "import torch, nothing_of_that_name", "Cannot import .*nothing_of_that_name"),
        ("import torch", "import torch (", "SyntaxError"),
        ("def aligner", "def other", "has no function aligner"),
        ("return Mine()", "return 1 / 0", "ZeroDivisionError"),
        ("return Mine()", "return 7", "returned a int, which is not an aligner"),
        ("def landmarks", "def points", "which is not an aligner"),
        ("return hint +", "raise KeyError('eyes'); return hint +", "failed: KeyError: 'eyes'"),
        ("[:, None, None] + 1, found", "[:, None, None] + 1", "two tensors"),
        ("return hint +", "hint = hint[:, :3]; return hint +", r"\(2, 3, 2\)"),
        ("return hint +", "found = found[:1]; return hint +", r"found of shape \(1,\)"),
        ("dtype=torch.bool", "dtype=torch.float32", "torch.bool"),
        ("return hint +", "hint = hint * float('nan'); return hint +", "not finite"),
        ("return hint +", "pictures = pictures.detach(); return hint +", "carry no gradient"),
    ],
)
def test_ones_own_aligner_is_checked_on_load(write_module, old: str, new: str, said: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(ConfigError, match=said):
        build_aligner(write_module(text))


@pytest.mark.parametrize("name", ["python:", "python:mine", "python:mine:", "python::f", "python:a:b:c"])
def test_an_incomplete_name_says_its_form(name: str) -> None:
    with pytest.raises(ConfigError, match="form python:module:function"):
        build_aligner(name)
