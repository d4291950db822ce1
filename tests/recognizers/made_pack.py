"""InsightFace's buffalo_l in its real layout and of its real sizes, with random weights."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from advmask.recognizers.iresnet import IResNet

_PLANES, _BLOCKS = (56, 88, 88, 224), (3, 4, 2, 3)
_NECK, _HEAD, _STRIDES = 56, 80, (8, 16, 32)
_SIDE = 640
_NAMES = ("448", "471", "494", "451", "474", "497", "454", "477", "500")


def _conv(into: int, out: int, side: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(into, out, side, stride, side // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    )


class _Block(nn.Module):
    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = _conv(into, out, stride=stride), _conv(out, out)[:2]
        shorter = [nn.AvgPool2d(stride, ceil_mode=True)] * (stride > 1)
        self.shortcut = nn.Sequential(
            *shorter, *([_conv(into, out, 1)[:2]] if into != out or shorter else [])
        )

    def forward(self, values: Tensor) -> Tensor:
        return F.relu(self.second(self.first(values)) + self.shortcut(values))


class Scrfd10g(nn.Module):
    """SCRFD-10GF with key points, which finds one face: where `points` say, give or take what it computes.

    Its numbers are random, and so are all faces it could find; added constants make one place sure, and put
    that place's box and points where they belong.

    Args:
        points: The five points, px of the 640 px that it is fed.

    Source:
        InsightFace, detection/scrfd/configs/scrfd/scrfd_10g_bnkps.py (widths and depths).
    """

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _conv(3, 28, stride=2), _conv(28, 28), _conv(28, 56), nn.MaxPool2d(3, 2, padding=1)
        )
        stages, before = [], _PLANES[0]
        for number, (width, count) in enumerate(zip(_PLANES, _BLOCKS, strict=True)):
            row = [
                _Block(before if i == 0 else width, width, 2 if number and i == 0 else 1)
                for i in range(count)
            ]
            stages.append(nn.Sequential(*row))
            before = width
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(nn.Conv2d(width, _NECK, 1) for width in _PLANES[1:])
        self.fine, self.coarse, self.down = (
            nn.ModuleList(nn.Conv2d(_NECK, _NECK, 3, stride, 1) for _ in range(count))
            for count, stride in ((3, 1), (2, 1), (2, 2))
        )
        self.towers = nn.ModuleList(
            nn.Sequential(_conv(_NECK, _HEAD), _conv(_HEAD, _HEAD), _conv(_HEAD, _HEAD)) for _ in _STRIDES
        )
        self.ends = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(_HEAD, 2 * width, 3, padding=1) for width in (1, 4, 10)) for _ in _STRIDES
        )
        five = torch.tensor(points)
        for stride in _STRIDES:
            cells = _SIDE // stride
            sure = torch.full((cells * cells * 2, 1), -20.0)
            column, row = (five.mean(dim=0) / stride).long().tolist()
            place = 2 * (row * cells + column)
            if stride == 16:
                sure[place] = 20.0
            self.register_buffer(f"sure_{stride}", sure)
            offset = (five - torch.tensor([column, row]) * stride).flatten() / stride
            self.register_buffer(f"offset_{stride}", offset[None])

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """One picture (1, 3, 640, 640) to scores, boxes and points of each stride."""
        values, maps = self.stem(picture), []
        for stage in self.stages:
            values = stage(values)
            maps.append(values)
        up = [lateral(each) for lateral, each in zip(self.lateral, maps[1:], strict=True)]
        for number in (1, 0):
            up[number] = up[number] + F.interpolate(up[number + 1], size=up[number].shape[2:], mode="nearest")
        levels = [conv(each) for conv, each in zip(self.fine, up, strict=True)]
        for number in (0, 1):
            levels[number + 1] = levels[number + 1] + self.down[number](levels[number])
        levels = [levels[0], *(conv(each) for conv, each in zip(self.coarse, levels[1:], strict=True))]
        found: list[list[Tensor]] = [[], [], []]
        for stride, tower, ends, level in zip(_STRIDES, self.towers, self.ends, levels, strict=True):
            score, box, five = (
                end(seen).permute(2, 3, 0, 1).reshape(-1, width)
                for seen in [tower(level)]
                for end, width in zip(ends, (1, 4, 10), strict=True)
            )
            found[0].append(torch.sigmoid(0.1 * score + getattr(self, f"sure_{stride}")))
            found[1].append(0.1 * box + 5.0)
            found[2].append(0.05 * five + getattr(self, f"offset_{stride}"))
        return (*found[0], *found[1], *found[2])


def write_pack(home: Path, points: Sequence[tuple[float, float]]) -> Path:
    """Write the pack below a home folder; `points` as for `Scrfd10g`."""
    folder = home / ".insightface" / "models" / "buffalo_l"
    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        detector, network = Scrfd10g(points).eval(), IResNet(50).eval()
    export(detector, folder / "det_10g.onnx", _SIDE, _NAMES, free=(2, 3))
    export(network, folder / "w600k_r50.onnx", 112, ("683",), free=(0,))
    for other in ("1k3d68", "2d106det", "genderage"):
        (folder / f"{other}.onnx").write_bytes(b"of no use here")
    return folder


def export(network: nn.Module, path: Path, side: int, names: Sequence[str], *, free: Sequence[int]) -> None:
    """Write a network of one square picture as torch's older exporter does; `free` axes have no size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about this exporter's age and what it traces
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, side, side),),
            str(path),
            opset_version=11,
            dynamo=False,
            input_names=["input.1"],
            output_names=[f"out.{name}" for name in names],
            dynamic_axes={"input.1": dict.fromkeys(free, "free")},
        )
    model = onnx.load(str(path))
    for node in model.graph.node:  # the exporter takes no name that is a number, as the published files have
        node.output[:] = [name.removeprefix("out.") for name in node.output]
    for end in model.graph.output:
        end.name = end.name.removeprefix("out.")
    onnx.save(model, str(path))
