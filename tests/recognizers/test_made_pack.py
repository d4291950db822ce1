"""InsightFace's buffalo_l, real in layout, names and sizes, from the list of weights to the results."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from made_pack import export, write_pack
from PIL import Image
from torch import nn

from advmask.cli import main
from advmask.photos.crops import FaceCrop
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.aligners.detector import DetectorAligner
from advmask.recognizers.onnx_file import read_onnx
from advmask.recognizers.onnx_graph import network_of


class _Neck(nn.Module):
    """A coarse map laid over a finer one of any size, as feature pyramids do."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        fine = self.fine(picture)
        return fine + nn.functional.interpolate(self.coarse(fine), size=fine.shape[2:], mode="nearest")


def test_a_map_resized_to_the_size_of_another_is_converted_at_every_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    neck, path = _Neck().eval(), tmp_path / "neck.onnx"
    export(neck, path, 16, ("map",), free=(2, 3))
    network = network_of(read_onnx(path), takes="input.1", gives="map", fixed={}, batch=None)
    for side in (16, 22):
        picture = torch.rand(1, 3, side, 16, requires_grad=True)
        found, wanted = network(picture), neck(picture)
        torch.testing.assert_close(found, wanted)
        mine, true = (torch.autograd.grad(each.square().sum(), picture)[0] for each in (found, wanted))
        torch.testing.assert_close(mine, true)


@pytest.mark.slow
def test_a_pack_of_the_real_sizes_end_to_end(
    crop: FaceCrop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("HF_HOME", "HF_HUB_CACHE", "UNIFACE_CACHE_DIR", "DEEPFACE_HOME", "TORCH_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ADVMASK_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    side = crop.picture.shape[-1]
    five = (crop.landmarks * 640 / side).tolist()
    pack = write_pack(tmp_path, [(float(x), float(y)) for x, y in five])
    (pack / "w600k_r50.yaml").write_text("calibration: {fmr: 0.01, threshold: 0.5, scale: 6}\n")

    assert main(["weights", "list"]) == 0
    said = capsys.readouterr().out
    assert "insightface:buffalo_l" in said
    assert f"installed: {pack / 'w600k_r50.onnx'}" in said

    aligner = build_aligner("insightface:buffalo_l")
    assert isinstance(aligner, DetectorAligner)
    assert aligner.differentiable
    picture = crop.as_float()[None].requires_grad_()
    points, found = aligner.landmarks(picture, crop.landmarks[None])
    assert found.all()
    assert float((points.detach()[0] - crop.landmarks).abs().max()) < 0.05 * side
    fed, scale = aligner._fed(picture[0])
    session = onnxruntime.InferenceSession(str(pack / "det_10g.onnx"), providers=["CPUExecutionProvider"])
    answers = session.run(None, {"input.1": fed[None].detach().numpy()})
    place = int(np.argmax(answers[1]))  # of stride 16
    cell = np.array([place // 2 % 40, place // 2 // 40]) * 16
    by_hand = (cell + answers[7][place].reshape(5, 2) * 16) / scale + 0.5
    np.testing.assert_allclose(points[0].detach().numpy(), by_hand, atol=0.01)
    points.sum().backward()
    assert picture.grad is not None
    assert bool(picture.grad.any())

    array = (crop.as_float() * 255).round().byte().permute(1, 2, 0).numpy()
    for person, gain in (("ann", 1.0), ("bob", 0.8)):
        for number, other in enumerate((array, array[:, ::-1])):
            folder = tmp_path / "photos" / person
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray((other * gain).astype(np.uint8)).save(folder / f"{number}.png")
    words = ["design=noise", f"faces.root={tmp_path / 'photos'}", "recognizers=[insightface:buffalo_l]"]
    words += ["protocol.people=all", "protocol.draws=1", "protocol.aligners=[bare]", "effects=none"]
    assert main(["evaluate", *words, "protocol.progress=false", f"hydra.run.dir={tmp_path / 'out'}"]) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    made = next(each for each in results["results"] if each["aligner"] == "maker")
    assert (made["recognizer"], made["probes"], made["left_out"]) == ("insightface-buffalo_l", 4, 0)
    assert 0 < made["conditions"]["bare"]["displacement"] < 0.3
