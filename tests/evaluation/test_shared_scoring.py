"""Scoring in several processes: the same scores, and what is said when a process dies."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from advmask.core.errors import ConfigError, RunError
from advmask.effects.settings import EffectsSettings
from advmask.evaluation.conditions import Conditions
from advmask.evaluation.probe_scores import Scores, every_setup, score
from advmask.evaluation.protocol import judge_designs
from advmask.evaluation.settings import ProtocolSettings
from advmask.evaluation.shared_scoring import in_processes
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet
from advmask.printers.settings import PrinterSettings
from advmask.recognizers.aligners.aligner import BareAligner
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.render.settings import RenderSettings


def scored(faces: FaceSet, network: str, aligners: list[str], processes: int) -> list[Scores]:
    height, width = build_mask(MaskSettings()).texture_size(1.0)
    texels = torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    judgement = judge_designs(
        {"white": torch.ones(3, height, width), "design": texels},
        faces,
        prepare_all(build_recognizers([network]), faces.crops),
        conditions=Conditions(
            texels_per_mm=1.0,
            effects=EffectsSettings.build({"wear": {"shift_mm": 3.0}, "camera": {"sensor": {"noise": 0.03}}}),
            printer=PrinterSettings(),
            mask=MaskSettings(),
            render=RenderSettings(),
        ),
        protocol=ProtocolSettings.build(
            {"draws": 18, "people": "all", "aligners": aligners, "progress": False, "processes": processes}
        ),
    )
    return [one.scores for one in judgement.judged]


@pytest.mark.parametrize("aligners", [["bare"], pytest.param(["mtcnn", "bare"], marks=pytest.mark.slow)])
def test_two_processes_score_as_one_does_to_the_last_bit(
    portrait: FaceSet, tiny_name: str, aligners: list[str]
) -> None:
    one, two = (scored(portrait, tiny_name, aligners, processes) for processes in (1, 2))
    assert [each.aligner for each in one] == [each.aligner for each in two] == aligners
    for first, second in zip(one, two, strict=True):
        np.testing.assert_equal(asdict(second), asdict(first))
        assert len(first.similarity["design"]) == 18
        assert len(set(first.similarity["design"])) > 14


def test_a_network_that_is_another_each_time_is_refused(portrait: FaceSet, tmp_path: Path) -> None:
    (tmp_path / "drawn.py").write_text(
        "import torch\nfrom torch import nn\n\n\ndef network():\n    torch.seed()\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 8, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
    )
    (recognizer,) = build_recognizers([f"python:{tmp_path / 'drawn.py'}:network"])
    stage: Any = SimpleNamespace(probes=[(0, 0)])
    with pytest.raises(ConfigError, match="has other weights each time"):
        score(stage, every_setup([recognizer], [[]], [BareAligner()]), processes=2)


@dataclass(frozen=True)
class Pieces:
    """Tells of the process that does a piece; some fail, die or take long."""

    numbers: torch.Tensor

    def begin(self) -> Callable[[int], tuple[int, int, int]]:
        return self.do

    def do(self, piece: int) -> tuple[int, int, int]:
        if piece == -1:
            raise ConfigError("It was said so.")
        if piece == -2:
            os.kill(os.getpid(), signal.SIGKILL)
        if piece == -3:
            time.sleep(60)
        time.sleep(0.05 if piece % 2 else 0.0)
        return int(self.numbers[piece]), os.getpid(), torch.get_num_threads()


def counted(results: Sequence[Any]) -> Sequence[Any]:
    return results


def test_results_come_in_the_order_of_the_pieces_from_several_processes() -> None:
    found = in_processes(Pieces(torch.arange(40) ** 2), range(40), processes=2, show=counted)
    assert [value for value, _, _ in found] == [number**2 for number in range(40)]
    assert len({process for _, process, _ in found} - {os.getpid()}) == 2
    assert {threads for _, _, threads in found} == {1}
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("piece", "error", "said"),
    [(-1, ConfigError, "It was said so"), (-2, RunError, "died; most likely memory ran out")],
)
def test_an_error_is_handed_on_and_a_death_is_one_sentence(
    piece: int, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        in_processes(Pieces(torch.arange(9)), [0, 1, piece, *range(2, 9)], processes=2, show=counted)
    assert not multiprocessing.active_children()


def test_ctrl_c_waits_for_nobody() -> None:
    def stopped(results: Sequence[Any]) -> Sequence[Any]:
        results[0].result()
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        in_processes(Pieces(torch.arange(9)), [0, -3, -3, -3], processes=2, show=stopped)
    assert time.monotonic() - began < 40
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_kill_9_leaves_no_job_behind(tmp_path: Path) -> None:
    """It holds faces."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import torch; from test_shared_scoring import Pieces, begun; "
        "from advmask.evaluation.shared_scoring import in_processes\n"
        "in_processes(Pieces(torch.arange(9)), [0, -3, -3], processes=2, show=begun)"
    )
    given = {"env": os.environ | {"TMPDIR": str(tmp_path)}, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], **given) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        assert list(tmp_path.glob("advmask-*/job.pt"))
        process.kill()
    end = time.monotonic() + 60
    while list(tmp_path.glob("advmask-*")) and time.monotonic() < end:
        time.sleep(0.05)
    assert not list(tmp_path.glob("advmask-*"))


def begun(results: Sequence[Any]) -> Sequence[Any]:
    results[0].result()
    print("begun", flush=True)
    return results


def test_a_full_temporary_folder_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(RunError, match=r"that disk is full.*TMPDIR, or use protocol\.processes=1"):
        in_processes(Pieces(torch.arange(9)), [0, 1], processes=2, show=counted)
