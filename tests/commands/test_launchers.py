"""Sweeps by Hydra's launchers: runs side by side in processes, and an evaluation shared among jobs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_chain import words, write_network

from advmask.textures.texel_files import load_texels

pytestmark = pytest.mark.slow
PLUGIN = {"joblib": "hydra_joblib_launcher", "submitit_local": "hydra_submitit_launcher"}


def advmask(*given: str, cwd: Path, code: int = 0) -> str:
    """Run the command; gives what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "advmask", *given],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("launcher", sorted(PLUGIN))
def test_a_sweep_and_an_evaluation_in_parts(launcher: str, tmp_path: Path):
    pytest.importorskip(f"hydra_plugins.{PLUGIN[launcher]}")
    network = write_network(tmp_path / "tiny.onnx")
    by = ["-m", f"hydra/launcher={launcher}"]
    brief = words(network, tmp_path / "cache", trainer__steps=2, trainer__preview_every=0)
    sweep = ["seed=0,1", "export=false", "check=false", "hydra.sweep.dir=all"]
    advmask("train", *by, *brief, *sweep, cwd=tmp_path)
    runs = [tmp_path / "all" / str(seed) for seed in (0, 1)]
    assert [json.loads((run / "run.json").read_text())["seed"] for run in runs] == [0, 1]
    one, other = (load_texels(run / "texture.safetensors") for run in runs)
    assert not one.equal(other)

    parts = ["protocol.shard=1/2,2/2", "protocol.aligners=[bare]", "protocol.progress=false"]
    advmask("evaluate", "all/0", *by, *parts, "protocol.draws=4", "hydra.sweep.dir=parts", cwd=tmp_path)
    assert json.loads((runs[0] / "results.json").read_text())["results"]
    assert (runs[0] / "report.html").exists()

    told = advmask("train", *by, *brief, "mask.size=M,XXL", "hydra.sweep.dir=bad", cwd=tmp_path, code=2)
    assert "mask.size='XXL' does not fit" in told
    assert "Traceback" not in told
