"""Networks where other programs put them: made in their real layouts, named, fed and aligned as they say."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.torch
import torch
from detector_networks import write_detector
from onnx import helper, numpy_helper
from published_names import adaface_shapes, facenet_shapes, iresnet_shapes, random_state, vit_shapes

from advmask.cli import main
from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.installed import find_installed, installed
from advmask.recognizers.recognizer_names import build_recognizer, build_recognizers, present, recorded_names

_VARIABLES = ("HF_HOME", "HF_HUB_CACHE", "UNIFACE_CACHE_DIR", "DEEPFACE_HOME", "TORCH_HOME")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in _VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ADVMASK_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path


def write_network(path: Path, *, embedding: int = 512, scaled: bool = False, seed: int = 0) -> Path:
    """A convolution of a 112 px picture; `scaled` puts a Sub and a Mul first, as older exports have them."""
    draw = np.random.default_rng(seed)
    stored = {
        "w": draw.normal(0, 0.02, (8, 3, 16, 16)),
        "v": draw.normal(0, 0.1, (embedding, 8 * 49)),
        "mean": np.array(127.5),
        "scale": np.array(1 / 127.5),
    }
    nodes = [
        helper.make_node("Sub", ["image", "mean"], ["less"]),
        helper.make_node("Mul", ["less", "scale"], ["fed"]),
    ] * scaled
    nodes += [
        helper.make_node(
            "Conv", ["fed" if scaled else "image", "w"], ["c"], kernel_shape=[16, 16], strides=[16, 16]
        ),
        helper.make_node("Tanh", ["c"], ["t"]),
        helper.make_node("Flatten", ["t"], ["f"]),
        helper.make_node("Gemm", ["f", "v"], ["embedding"], transB=1),
    ]
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("image", ["n", 3, 112, 112]), ("embedding", ["n", embedding]))
    ]
    weights = [numpy_helper.from_array(values.astype("f4"), name) for name, values in stored.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], initializer=weights)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), str(path))
    return path


def pack(home: Path, name: str = "buffalo_l", *, nested: bool = False, scaled: bool = False) -> Path:
    folder = home / ".insightface" / "models" / name / (name if nested else "")
    write_detector(folder / "det_10g.onnx", "scrfd")
    write_network(folder / "w600k_r50.onnx", scaled=scaled)
    for other in ("1k3d68", "2d106det", "genderage"):
        (folder / f"{other}.onnx").write_bytes(b"of no use here")
    return folder


def cvlface(home: Path, name: str, state: dict[str, torch.Tensor], **conf: object) -> Path:
    folder = home / ".cache/huggingface/hub" / f"models--minchul--cvlface_{name}" / "snapshots" / "0a1b"
    folder.mkdir(parents=True)
    safetensors.torch.save_file(state, folder / "model.safetensors")
    said = {"color_space": "RGB", "input_size": [3, 112, 112], "output_dim": 512, "name": "ir50"} | conf
    (folder / "config.json").write_text(json.dumps({"architectures": ["CVLFace"], "conf": said}))
    return folder


def embedded(path: Path, fed: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"image": fed.numpy()})[0])


CHIPS = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_pack_of_insightface(nested: bool, scaled: bool, home: Path) -> None:
    folder = pack(home, nested=nested, scaled=scaled)
    recognizer = build_recognizer("insightface:buffalo_l")
    fed = CHIPS * 255 if scaled else (CHIPS * 255 - 127.5) / 127.5
    with torch.no_grad():
        found = recognizer.embed(CHIPS)
    torch.testing.assert_close(found, embedded(folder / "w600k_r50.onnx", fed), rtol=1e-4, atol=1e-4)
    assert (recognizer.label, recognizer.family) == ("insightface-buffalo_l", "iresnet")
    assert recognizer.licence == "non-commercial research only"
    aligner = build_aligner("insightface:buffalo_l")
    assert aligner.name == "insightface:buffalo_l"
    assert aligner.differentiable


def test_a_record_names_it_as_the_user_did_and_present_leaves_it_out(home: Path) -> None:
    pack(home)
    assert recorded_names(["insightface:buffalo_l"]) == ["insightface:buffalo_l"]
    assert not any("insightface" in name for name in present())


def test_files_of_uniface_and_deepface(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIFACE_CACHE_DIR", str(home / "uni"))
    adaface = write_network(home / "uni" / "adaface_ir_18.onnx")
    sface = write_network(home / ".deepface/weights/face_recognition_sface_2021dec.onnx", embedding=128)
    with torch.no_grad():
        blue_first = build_recognizer("uniface:adaface_ir_18").embed(CHIPS)
        raw = build_recognizer("opencv:sface").embed(CHIPS)
    torch.testing.assert_close(blue_first, embedded(adaface, CHIPS.flip(1) * 2 - 1), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(raw, embedded(sface, CHIPS * 255), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("colours", ["RGB", "BGR"])
def test_a_network_of_cvlface_is_fed_in_the_order_its_configuration_names(colours: str, home: Path) -> None:
    state = random_state(adaface_shapes(18), prefix="model.net.")
    cvlface(home, "adaface_ir18", state, color_space=colours)
    recognizer = build_recognizer("cvlface:adaface_ir18")
    fed = (CHIPS if colours == "RGB" else CHIPS.flip(1)) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(recognizer.embed(CHIPS), recognizer.network(fed), rtol=1e-4, atol=1e-5)
    assert recognizer.label == "cvlface-adaface_ir18"


def test_transformers_and_residual_networks_of_cvlface(home: Path) -> None:
    cvlface(
        home,
        "arcface_vit",
        random_state(vit_shapes(patch=8, width=64, embedding=96), prefix="model.net."),
        output_dim=96,
    )
    cvlface(home, "arcface_ir18", random_state(iresnet_shapes(18), prefix="model.net."))
    assert build_recognizer("cvlface:arcface_vit").family == "vit"
    assert build_recognizer("cvlface:arcface_ir18").family == "iresnet"


def test_a_network_with_kprpe_is_told_where_the_landmarks_lie_in_its_chip(home: Path) -> None:
    shapes = vit_shapes(patch=8, width=32, embedding=96, ratio=3, told_to=16)
    cvlface(home, "adaface_vit_base_kprpe", random_state(shapes, prefix="model.net."), output_dim=96)
    recognizer = build_recognizer("cvlface:adaface_vit_base_kprpe")
    draw = torch.Generator().manual_seed(1)
    pictures = torch.rand(2, 3, 150, 140, generator=draw).requires_grad_()
    landmarks = recognizer.template * 1.2 + torch.randn(2, 5, 2, generator=draw) * 4
    told = []
    for each in landmarks.numpy().astype(np.float64):  # the similarity by numpy's least squares
        rows = [[x, -y, 1, 0] for x, y in each] + [[y, x, 0, 1] for x, y in each]
        a, b, right, down = np.linalg.lstsq(
            np.array(rows), recognizer.template.numpy().T.ravel(), rcond=None
        )[0]
        told.append((each @ np.array([[a, b], [-b, a]]) + [right, down]) / 112)
    places = torch.tensor(np.array(told)).float()
    chips = recognizer.chips(pictures, landmarks)
    found = recognizer(pictures, landmarks)
    torch.testing.assert_close(found, recognizer.network(chips * 2 - 1, places), rtol=1e-4, atol=1e-4)
    by_template = recognizer.embed(chips)
    assert float((found - by_template).detach().abs().max()) > 0.01
    everywhere = (recognizer.template / 112).expand(2, 5, 2)
    torch.testing.assert_close(
        by_template, recognizer.network(chips * 2 - 1, everywhere), rtol=1e-4, atol=1e-4
    )
    (together,) = Ensemble([recognizer])(pictures, landmarks)
    torch.testing.assert_close(together, found)
    (gradient,) = torch.autograd.grad(found.sum(), pictures)
    assert bool(gradient.flatten(1).any(dim=1).all())

    told_twice = build_recognizer("cvlface:adaface_vit_base_kprpe")
    told_twice.specification = told_twice.specification.model_copy(update={"flip": True})
    mirrored = (torch.tensor([1.0, 0.0]) + places * torch.tensor([-1.0, 1.0]))[:, [1, 0, 2, 4, 3]]
    both = found + recognizer.network(chips.flip(3) * 2 - 1, mirrored)
    torch.testing.assert_close(told_twice(pictures, landmarks), both, rtol=1e-4, atol=1e-4)


def test_facenet_where_torch_keeps_what_it_downloaded(home: Path) -> None:
    name = "20180408-102900-casia-webface.pt"
    path = home / ".cache" / "torch" / "checkpoints" / name
    path.parent.mkdir(parents=True)
    torch.save(random_state(facenet_shapes(20)), path)
    assert build_recognizer("facenet:casia-webface").family == "inception_resnet_v1"


def test_the_list_names_them_and_what_is_wrong_with_others(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(home)
    write_detector(home / ".insightface/models/antelopev2/scrfd_10g_bnkps.onnx", "scrfd")
    cvlface(home, "adaface_ir50", random_state({"input_layer.0.weight": (64, 3, 3, 3)}), color_space="YUV")
    cvlface(
        home,
        "adaface_vit_irpe",
        random_state({"net.pos_embed": (1, 4, 8), "net.blocks.0.attn.rpe_k.w": (1, 2)}),
    )
    cvlface(
        home,
        "adaface_vit_kprpe",
        random_state({"net.pos_embed": (1, 4, 8), "net.keypoint_linear.weight": (1, 2)}),
        rpe_config={"method": "product", "ctx_type": "rel_keypoint"},
    )
    broken = cvlface(home, "half", random_state({"input_layer.0.weight": (64, 3, 3, 3)}))
    (broken / "config.json").write_text("{")
    assert main(["weights", "list"]) == 0
    out = capsys.readouterr().out
    assert f"installed: {home}/.insightface/models/buffalo_l/w600k_r50.onnx" in out
    assert "antelopev2 has no recognition network, only scrfd_10g_bnkps.onnx" in out
    assert "names the colour order 'YUV'; RGB or BGR was expected" in out
    assert "is not read here: IR, IResNet, ViT and ViT with KP-RPE are" in out
    assert "says rpe_config.ctx_type: 'rel_keypoint', which is not read here" in out
    assert "half/snapshots/0a1b says not how its network is fed (JSONDecodeError" in out
    with pytest.raises(WeightsError, match="has no recognition network"):
        build_recognizer("insightface:antelopev2")


def test_a_configuration_that_contradicts_the_weights(home: Path) -> None:
    cvlface(home, "adaface_ir18", random_state(adaface_shapes(18), prefix="model.net."), output_dim=256)
    with pytest.raises(WeightsError, match=r"cvlface:adaface_ir18 .*256"):
        build_recognizer("cvlface:adaface_ir18")


def test_what_is_not_there_is_said_with_what_is(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.insightface/models was looked in, and nothing of it is there"):
        build_recognizer("insightface:buffalo_l")
    pack(home, "buffalo_s")
    with pytest.raises(ConfigError, match=r"found there: insightface:buffalo_s"):
        build_aligner("insightface:buffalo_l")
    (home / ".insightface/models/buffalo_s/det_10g.onnx").unlink()
    with pytest.raises(WeightsError, match=r"no detector \(det_\*\.onnx\) next to"):
        build_aligner("insightface:buffalo_s")


def test_a_detector_that_cannot_be_opened_is_said_before_photos_are_read(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pack(home)
    whole = (folder / "det_10g.onnx").read_bytes()
    (folder / "det_10g.onnx").write_bytes(whole[: len(whole) // 2])
    words = ["design=noise", f"faces.root={home / 'no-such-photos'}", "recognizers=[insightface:buffalo_l]"]
    assert main(["evaluate", *words, f"hydra.run.dir={home / 'out'}"]) == 4
    assert "det_10g.onnx is not a whole ONNX file" in capsys.readouterr().err


def test_two_packs_with_one_network(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    pack(home)
    pack(home, "copied")
    build_recognizers(["insightface:buffalo_l", "insightface:copied"])
    assert "insightface-buffalo_l and insightface-copied are one network by checksum" in caplog.text


def test_nobody_has_a_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advmask.recognizers.installed.has_home", lambda: False)
    assert installed() == []
    with pytest.raises(ConfigError, match="nothing of it is there"):
        find_installed("uniface:sphere20")
