"""Adapters of published networks: their names and shapes, their arithmetic, and how they are fed."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from published_names import (
    BLOCKS,
    adaface_shapes,
    facenet_shapes,
    iresnet_shapes,
    random_state,
    vit_shapes,
)
from torch import Tensor, nn

from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers.adaface_network import AdaFaceNetwork, load_adaface
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.facenet_network import load_facenet
from advmask.recognizers.iresnet import IResNet, load_iresnet
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer, build_recognizers
from advmask.recognizers.vit import load_vit
from advmask.recognizers.weights_folder import VARIABLE

FACENET_FILE = "20180408-102900-casia-webface.pt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weight files as they are published, with random values."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save(random_state(iresnet_shapes(18)), folder / "arcface.pth")
    magface = random_state(iresnet_shapes(18), prefix="features.module.")
    magface["module.fc.weight"] = torch.rand(512, 20)
    torch.save({"state_dict": magface, "epoch": 25, "arch": "iresnet18"}, folder / "magface.pth")
    adaface = random_state(adaface_shapes(18, squeeze=True), prefix="model.")
    adaface["head.kernel"] = torch.rand(512, 20)
    torch.save({"state_dict": adaface, "hyper_parameters": {"lr": 0.1}}, folder / "adaface.ckpt")
    torch.save(random_state(facenet_shapes(20)), folder / FACENET_FILE)
    return folder


def _is_meta_equal(network: nn.Module, shapes: dict[str, tuple[int, ...]]) -> bool:
    return {name: tuple(values.shape) for name, values in network.state_dict().items()} == shapes


@pytest.mark.parametrize("depth", BLOCKS)
def test_architectures_bear_the_published_names_and_shapes(depth: int) -> None:
    with torch.device("meta"):
        assert _is_meta_equal(IResNet(depth), iresnet_shapes(depth))
        if depth > 100:
            return  # of IResNet alone
        assert _is_meta_equal(AdaFaceNetwork(depth), adaface_shapes(depth))
        assert _is_meta_equal(AdaFaceNetwork(depth, squeeze=True), adaface_shapes(depth, squeeze=True))


def _bias_by_hand(state: dict[str, Tensor], landmarks: Tensor, heads: int, number: int, head: int) -> Tensor:
    """What KP-RPE adds for one head of one block: a table for each patch, read by the offset to the other."""
    first = 49 * (heads * number + head)
    weight = state["keypoint_linear.weight"][first : first + 49]
    bias = state["keypoint_linear.bias"][first : first + 49]
    rows = []
    for one, offsets in enumerate(_offsets_by_hand()):
        centre = torch.tensor([(one % 14 + 0.5) / 14, (one // 14 + 0.5) / 14])
        rows.append(F.linear((centre - landmarks).flatten(1), weight, bias)[:, offsets])
    return torch.stack(rows, dim=1)


@cache
def _offsets_by_hand() -> list[list[int]]:
    far = [0, 1, 2, 2, *[3] * 10]  # the piecewise index of ratio 1.9, worked out

    def signed(away: int) -> int:
        return far[abs(away)] * (1 if away > 0 else -1) + 3

    places = [divmod(place, 14) for place in range(14**2)]
    return [[7 * signed(r - row) + signed(c - column) for row, column in places] for r, c in places]


@pytest.mark.parametrize(
    ("patch", "ratio", "heads", "told", "gated"),
    [
        (9, 4, 8, False, False),
        (8, 5, 8, False, False),
        (8, 3, 16, False, False),
        (8, 3, 16, True, False),
        (9, 4, 8, False, True),
    ],
    ids=["insightface", "cvlface small", "cvlface base", "kprpe base", "transface"],
)
def test_a_vision_transformer_by_hand(
    patch: int, ratio: int, heads: int, told: bool, gated: bool, tmp_path: Path
) -> None:
    shapes = vit_shapes(
        patch=patch, width=32, depth=2, embedding=24, ratio=ratio, told_to=heads * told, gated=gated
    )
    state = random_state(shapes)
    torch.save(random_state(shapes, prefix="module."), tmp_path / "vit.pt")
    network = load_vit(tmp_path / "vit.pt")
    assert _is_meta_equal(network, {name: each for name, each in shapes.items() if name != "mask_token"})
    pictures = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(1)) * 2 - 1
    landmarks = torch.rand(2, 5, 2, generator=torch.Generator().manual_seed(2))
    x = F.conv2d(pictures, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=patch)
    x = x.flatten(2).transpose(1, 2) + state["pos_embed"]

    def layer_norm(name: str, values: Tensor) -> Tensor:
        values = values - values.mean(dim=-1, keepdim=True)
        scale = (values.square().mean(dim=-1, keepdim=True) + 1e-5).rsqrt()
        return values * scale * state[f"{name}.weight"] + state[f"{name}.bias"]

    for number in range(2):
        at = f"blocks.{number}"
        wide = layer_norm(f"{at}.norm1", x) @ state[f"{at}.attn.qkv.weight"].T
        query, key, value = wide.split(32, dim=-1)
        seen = []
        for head in range(heads):
            part = slice(head * 32 // heads, (head + 1) * 32 // heads)
            products = query[..., part] @ key[..., part].transpose(1, 2) / (32 / heads) ** 0.5
            if told:
                products = products + _bias_by_hand(state, landmarks, heads, number, head)
            seen.append(products.softmax(dim=-1) @ value[..., part])
        x = x + F.linear(
            torch.cat(seen, dim=-1), state[f"{at}.attn.proj.weight"], state[f"{at}.attn.proj.bias"]
        )
        inner = F.linear(
            layer_norm(f"{at}.norm2", x), state[f"{at}.mlp.fc1.weight"], state[f"{at}.mlp.fc1.bias"]
        )
        x = x + F.linear(inner.clamp(0, 6), state[f"{at}.mlp.fc2.weight"], state[f"{at}.mlp.fc2.bias"])
    x = layer_norm("norm", x)
    if gated:
        share = F.linear(F.linear(x.reshape(2, -1), state["senet.0.weight"]).relu(), state["senet.2.weight"])
        x = x * share.sigmoid()[:, :, None]
    x = x.reshape(2, -1) @ state["feature.0.weight"].T
    x = _norm(state, "feature.1", x, 2e-5) @ state["feature.2.weight"].T
    with torch.no_grad():
        found = network(pictures, landmarks)
    torch.testing.assert_close(found, _norm(state, "feature.3", x, 2e-5), rtol=1e-4, atol=1e-4)


def _norm(state: dict[str, Tensor], name: str, x: Tensor, eps: float) -> Tensor:
    mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    return F.batch_norm(x, mean, var, state.get(f"{name}.weight"), state.get(f"{name}.bias"), eps=eps)


def _iresnet_by_hand(state: dict[str, Tensor], x: Tensor, depth: int, eps: float) -> Tensor:
    x = F.prelu(
        _norm(state, "bn1", F.conv2d(x, state["conv1.weight"], padding=1), eps), state["prelu.weight"]
    )
    for stage, count in enumerate(BLOCKS[depth], 1):
        for index in range(count):
            at, stride = f"layer{stage}.{index}", 2 if index == 0 else 1
            y = F.conv2d(_norm(state, f"{at}.bn1", x, eps), state[f"{at}.conv1.weight"], padding=1)
            y = F.prelu(_norm(state, f"{at}.bn2", y, eps), state[f"{at}.prelu.weight"])
            y = F.conv2d(y, state[f"{at}.conv2.weight"], stride=stride, padding=1)
            y = _norm(state, f"{at}.bn3", y, eps)
            if index == 0:
                x = F.conv2d(x, state[f"{at}.downsample.0.weight"], stride=stride)
                x = _norm(state, f"{at}.downsample.1", x, eps)
            x = x + y
    flat = _norm(state, "bn2", x, eps).reshape(len(x), -1)
    return _norm(state, "features", F.linear(flat, state["fc.weight"], state["fc.bias"]), eps)


def _adaface_by_hand(state: dict[str, Tensor], x: Tensor, depth: int) -> Tensor:
    x = F.conv2d(x, state["input_layer.0.weight"], padding=1)
    x = F.prelu(_norm(state, "input_layer.1", x, 1e-5), state["input_layer.2.weight"])
    starts = {sum(BLOCKS[depth][:stage]) for stage in range(4)}
    for place in range(sum(BLOCKS[depth])):
        at, stride = f"body.{place}.res_layer", 2 if place in starts else 1
        y = F.conv2d(_norm(state, f"{at}.0", x, 1e-5), state[f"{at}.1.weight"], padding=1)
        y = F.prelu(_norm(state, f"{at}.2", y, 1e-5), state[f"{at}.3.weight"])
        y = F.conv2d(y, state[f"{at}.4.weight"], stride=stride, padding=1)
        y = _norm(state, f"{at}.5", y, 1e-5)
        means = F.adaptive_avg_pool2d(y, 1)
        weighed = F.relu(F.conv2d(means, state[f"{at}.se_block.fc1.weight"]))
        y = y * torch.sigmoid(F.conv2d(weighed, state[f"{at}.se_block.fc2.weight"]))
        short = f"body.{place}.shortcut_layer"
        if f"{short}.0.weight" in state:
            x = _norm(state, f"{short}.1", F.conv2d(x, state[f"{short}.0.weight"], stride=stride), 1e-5)
        else:
            x = x[:, :, ::stride, ::stride]
        x = x + y
    x = _norm(state, "output_layer.0", x, 1e-5).reshape(len(x), -1)
    x = F.linear(x, state["output_layer.3.weight"], state["output_layer.3.bias"])
    x = _norm(state, "output_layer.4", x, 1e-5)
    return x / x.norm(dim=1, keepdim=True)


@pytest.mark.parametrize(("file", "eps"), [("arcface.pth", 1e-5), ("magface.pth", 2e-5)])
def test_iresnet_computes_what_is_published(folder: Path, file: str, eps: float) -> None:
    # In float64 the small number added to variances shows too.
    x = torch.randn(1, 3, 112, 112, dtype=torch.float64)
    state = {name: values.double() for name, values in random_state(iresnet_shapes(18)).items()}
    found = load_iresnet(folder / file, depth=18, eps=eps).double()(x)
    torch.testing.assert_close(found, _iresnet_by_hand(state, x, 18, eps), rtol=1e-9, atol=1e-9)


def test_adaface_computes_what_is_published(folder: Path) -> None:
    x = torch.randn(1, 3, 112, 112, dtype=torch.float64)
    shapes = adaface_shapes(18, squeeze=True)
    state = {name: values.double() for name, values in random_state(shapes).items()}
    found = load_adaface(folder / "adaface.ckpt").double()(x)
    torch.testing.assert_close(found, _adaface_by_hand(state, x, 18), rtol=1e-9, atol=1e-9)


def test_facenet_reads_the_published_names_and_drops_the_classifier(folder: Path) -> None:
    from facenet_pytorch import InceptionResnetV1

    network = load_facenet(folder / FACENET_FILE)
    state = random_state(facenet_shapes(20))
    plain = InceptionResnetV1(pretrained=None, classify=True, num_classes=20)
    plain.load_state_dict(state)
    plain.classify = False
    x = torch.randn(1, 3, 160, 160)
    with torch.no_grad():
        torch.testing.assert_close(network(x), plain.eval()(x), rtol=1e-4, atol=1e-5)
    assert not hasattr(network, "logits")


def _insightface(rgb: np.ndarray) -> np.ndarray:
    return ((rgb / 255).transpose(2, 0, 1) - 0.5) / 0.5


def _magface(rgb: np.ndarray) -> np.ndarray:
    return (rgb[:, :, ::-1] / 255).transpose(2, 0, 1)


def _adaface(rgb: np.ndarray) -> np.ndarray:
    return ((rgb[:, :, ::-1] / 255) - 0.5).transpose(2, 0, 1) / 0.5


def _facenet(rgb: np.ndarray) -> np.ndarray:
    from facenet_pytorch import fixed_image_standardization

    whole = torch.from_numpy(rgb.transpose(2, 0, 1).astype(np.float64))
    return fixed_image_standardization(whole).numpy()


FED = {
    "iresnet18:{folder}/arcface.pth": (_insightface, 112, "arcface", "iresnet"),
    "magface:{folder}/magface.pth": (_magface, 112, "arcface", "iresnet"),
    "adaface:{folder}/adaface.ckpt": (_adaface, 112, "arcface", "iresnet"),
    "facenet:casia-webface": (_facenet, 160, "facenet", "inception_resnet_v1"),
}


class _Seen(nn.Module):
    """Keeps what it is fed."""

    def forward(self, fed: Tensor) -> Tensor:
        self.fed = fed
        return fed.flatten(1)[:, :512]


@pytest.mark.parametrize("name", FED)
def test_each_is_fed_as_its_makers_do(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formula, size, template, family = FED[name]
    monkeypatch.setenv(VARIABLE, str(folder))
    recognizer = build_recognizer(name.format(folder=folder))
    assert recognizer.specification.size == (size, size)
    assert recognizer.specification.template == template
    assert recognizer.family == family
    assert recognizer.licence
    assert recognizer.source
    assert recognizer.distance == "cosine"
    assert recognizer.differentiable
    _check_frozen(recognizer)
    seen = _Seen()
    recognizer.network = seen
    rgb = np.random.default_rng(0).integers(0, 256, (size, size, 3))
    recognizer.embed(torch.from_numpy(rgb / 255).float().permute(2, 0, 1)[None])
    assert np.abs(seen.fed[0].numpy() - formula(rgb)).max() < 1e-5
    # The other channel order, or the other range, would have been seen.
    for wrong in (formula(rgb[:, :, ::-1]), formula(rgb / 255)):
        assert np.abs(seen.fed[0].numpy() - wrong).max() > 0.1


def _check_frozen(recognizer: Recognizer) -> None:
    assert not any(module.training for module in recognizer.modules())
    assert not any(parameter.requires_grad for parameter in recognizer.parameters())
    assert not any(values.is_meta for values in (*recognizer.parameters(), *recognizer.buffers()))


def test_gradient_reaches_the_picture(folder: Path) -> None:
    recognizer = build_recognizer(f"iresnet18:{folder / 'arcface.pth'}")
    chips = torch.rand(1, 3, 112, 112, requires_grad=True)
    recognizer.embed(chips).sum().backward()
    assert chips.grad is not None
    assert bool(chips.grad.any())


def test_a_yaml_beside_the_weights_overrides_single_keys(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    path.symlink_to(folder / "arcface.pth")
    beside = tmp_path / "mine.yaml"
    beside.write_text(
        "channels: bgr\nflip: true\nlicence: CC0\ncalibration: {fmr: 0.01, threshold: 0.2, scale: 9}\n"
    )
    recognizer = build_recognizer(f"iresnet18:{path}")
    assert recognizer.specification.channels == "bgr"
    assert recognizer.specification.mean == (0.5,) * 3
    assert (recognizer.licence, recognizer.family) == ("CC0", "iresnet")
    assert recognizer.calibrated.threshold == 0.2
    # With `flip` the embedding is that of picture and mirror image together.
    chips = torch.rand(2, 3, 112, 112)
    fed = (chips.flip(1) - 0.5) / 0.5
    expected = recognizer.network(fed) + recognizer.network(fed.flip(3))
    torch.testing.assert_close(recognizer.embed(chips), expected, rtol=1e-3, atol=1e-3)
    beside.write_text("chanels: bgr\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: .*chanels.*channels"):
        build_recognizer(f"iresnet18:{path}")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("iresnet50:{folder}/arcface.pth", "holds iresnet18, not iresnet50; write iresnet18:"),
        ("adaface:{folder}/arcface.pth", r"another network: input_layer\.0\.weight was expected"),
        ("iresnet18:{folder}/adaface.ckpt", r"another network: layer1\.0\.bn1\.weight was expected"),
        ("magface:{folder}/gone.pth", "There is no weight file"),
        (
            "facenet:vggface2",
            r"not here; .*20180402-114759-vggface2\.pt was expected. Run: advmask weights get",
        ),
    ],
)
def test_the_wrong_file_is_named(name: str, says: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    with pytest.raises(WeightsError, match=says):
        build_recognizer(name.format(folder=folder))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop("fc.bias"), r"lacks fc\.bias"),
        (lambda state: state.update({"fc2.bias": torch.zeros(3)}), r"adds fc2\.bias"),
        (lambda state: state.update({"fc.bias": torch.zeros(3)}), r"fc\.bias has shape \(3,\); \(512,\)"),
        (lambda state: state.update({"bn1.bias": torch.full((64,), torch.nan)}), r"bn1\.bias holds infinite"),
        (lambda state: state.update({"fc.weight": torch.zeros(9, 5)}), r"fc\.weight has shape \(9, 5\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    change: Callable[[dict[str, Tensor]], object], says: str, folder: Path, tmp_path: Path
) -> None:
    state = torch.load(folder / "arcface.pth", weights_only=True)
    change(state)
    path = tmp_path / "odd.pth"
    torch.save(state, path)
    with pytest.raises(WeightsError, match=says):
        load_iresnet(path, depth=18)


def test_recognizer_names_stay_apart(folder: Path) -> None:
    assert build_recognizer(f"iresnet18:{folder / 'arcface.pth'}").label == "arcface"
    with pytest.raises(ConfigError, match="needs a path, such as magface:"):
        build_recognizer("magface")


def test_random_files_of_the_real_shapes_run_as_an_ensemble(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibration = "calibration: {fmr: 0.01, threshold: 0.5, scale: 6}\n"
    for source, name in ((FACENET_FILE, FACENET_FILE), ("arcface.pth", "arcface-r18-ms1mv3.pth")):
        (tmp_path / name).symlink_to(folder / source)
        (tmp_path / name).with_suffix(".yaml").write_text(calibration)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    members = build_recognizers(["facenet:casia-webface", "arcface-r18-ms1mv3"], differentiable=True)
    assert [member.label for member in members] == ["facenet-casia-webface", "arcface-r18-ms1mv3"]
    ensemble = Ensemble(members)
    pictures = torch.rand(1, 3, 120, 120, requires_grad=True)
    landmarks = members[1].template[None] + 4
    embeddings = ensemble(pictures, landmarks)
    templates = [torch.randn_like(each) for each in embeddings]
    confidences = [
        member.confidence(member.similarity(each, template)).sum()
        for member, each, template in zip(members, embeddings, templates, strict=True)
    ]
    torch.stack(confidences).sum().backward()
    assert pictures.grad is not None
    assert bool(torch.isfinite(pictures.grad).all())
    assert bool(pictures.grad.any())
