"""An evaluation scored in parts, in one folder or as the jobs of a sweep, is the one of one run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_chain import write_network

from advmask.cli import main

Say = Callable[[], str]
WRITTEN = ("results.json", "results.csv", "scores.csv.gz", "comparisons.csv.gz")


@pytest.fixture
def evaluated(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    monkeypatch.chdir(tmp_path)
    network = write_network(tmp_path / "tiny.onnx")
    from PIL import Image

    Image.new("RGB", (40, 30), (200, 30, 30)).save("red.png")

    def evaluate(*words: str) -> int:
        few = ["texels_per_mm=1", "render.supersample=1", "faces.size=112", "protocol.draws=40"]
        quiet = ["protocol.progress=false", "protocol.aligners=[bare]", "pictures=false"]
        return main(["evaluate", "red.png", f"recognizers=[{network}]", *few, *quiet, *words])

    return evaluate


def test_the_last_part_writes_what_one_run_writes(
    evaluated: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated("hydra.run.dir=whole") == 0
    whole = capsys.readouterr().out
    assert evaluated("hydra.run.dir=shared", "protocol.shard=2/3") == 0
    assert "Part 2 of 3 is scored and kept in" in capsys.readouterr().out
    assert evaluated("hydra.run.dir=shared", "protocol.shard=3/3", "protocol.seed=2") == 0
    assert "when part 1, 2 is there too" in capsys.readouterr().out  # those of another seed are no parts
    assert evaluated("hydra.run.dir=shared", "protocol.shard=3/3") == 0
    assert not Path("shared/results.json").exists()
    capsys.readouterr()
    assert evaluated("hydra.run.dir=shared", "protocol.shard=1/3") == 0
    assert capsys.readouterr().out.replace("shared", "whole") == whole
    for name in WRITTEN:
        assert Path("shared", name).read_bytes() == Path("whole", name).read_bytes(), name


def test_the_jobs_of_a_sweep_meet_in_its_folder(evaluated: Callable[..., int]) -> None:
    assert evaluated("-m", "protocol.shard=1/2,2/2", "hydra.sweep.dir=sweep") == 0
    assert Path("sweep/results.json").is_file()
    assert len(list(Path("sweep/parts").iterdir())) == 2


def test_what_does_not_fit_is_said(evaluated: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluated("protocol.shard=3/2") == 2
    assert "2/4, were expected" in capsys.readouterr().err
    assert evaluated("hydra.run.dir=out", "protocol.shard=1/2") == 0
    (part,) = Path("out/parts").iterdir()
    part.write_bytes(part.read_bytes()[:-90])
    other = part.with_name(part.name.replace("1-of-2", "2-of-2"))
    other.write_bytes(part.read_bytes())
    assert evaluated("hydra.run.dir=out", "protocol.shard=1/2") == 7
    assert f"{other.name} is damaged" in capsys.readouterr().err
