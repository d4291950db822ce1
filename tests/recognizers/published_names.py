"""Names and shapes of published state dicts, written down from the publications, not from our modules."""

from collections.abc import Iterator

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 200: (6, 26, 60, 6)}
WIDTHS = (64, 128, 256, 512)


def norm(name: str, width: int, *, affine: bool = True) -> Shapes:
    shapes: Shapes = {f"{name}.running_mean": (width,), f"{name}.running_var": (width,)}
    shapes[f"{name}.num_batches_tracked"] = ()
    return shapes | ({f"{name}.weight": (width,), f"{name}.bias": (width,)} if affine else {})


def iresnet_shapes(depth: int) -> Shapes:
    """As in InsightFace's arcface_torch and in MagFace."""
    shapes = {"conv1.weight": (64, 3, 3, 3), **norm("bn1", 64), "prelu.weight": (64,)}
    before = 64
    for stage, (width, count) in enumerate(zip(WIDTHS, BLOCKS[depth], strict=True), 1):
        for index in range(count):
            block = f"layer{stage}.{index}"
            shapes |= norm(f"{block}.bn1", before) | {f"{block}.conv1.weight": (width, before, 3, 3)}
            shapes |= norm(f"{block}.bn2", width) | {f"{block}.prelu.weight": (width,)}
            shapes |= {f"{block}.conv2.weight": (width, width, 3, 3)} | norm(f"{block}.bn3", width)
            if index == 0:
                shapes |= {f"{block}.downsample.0.weight": (width, before, 1, 1)}
                shapes |= norm(f"{block}.downsample.1", width)
            before = width
    shapes |= norm("bn2", 512) | {"fc.weight": (512, 25088), "fc.bias": (512,)}
    return shapes | norm("features", 512)


def adaface_shapes(depth: int, *, squeeze: bool = False) -> Shapes:
    """As in AdaFace's net.py."""
    shapes = {
        "input_layer.0.weight": (64, 3, 3, 3),
        **norm("input_layer.1", 64),
        "input_layer.2.weight": (64,),
    }
    before, place = 64, 0
    for width, count in zip(WIDTHS, BLOCKS[depth], strict=True):
        for _ in range(count):
            block = f"body.{place}"
            if before != width:
                shapes |= {f"{block}.shortcut_layer.0.weight": (width, before, 1, 1)}
                shapes |= norm(f"{block}.shortcut_layer.1", width)
            shapes |= norm(f"{block}.res_layer.0", before)
            shapes |= {f"{block}.res_layer.1.weight": (width, before, 3, 3)}
            shapes |= norm(f"{block}.res_layer.2", width) | {f"{block}.res_layer.3.weight": (width,)}
            shapes |= {f"{block}.res_layer.4.weight": (width, width, 3, 3)}
            shapes |= norm(f"{block}.res_layer.5", width)
            if squeeze:
                shapes |= {f"{block}.res_layer.se_block.fc1.weight": (width // 16, width, 1, 1)}
                shapes |= {f"{block}.res_layer.se_block.fc2.weight": (width, width // 16, 1, 1)}
            before, place = width, place + 1
    shapes |= norm("output_layer.0", 512)
    shapes |= {"output_layer.3.weight": (512, 25088), "output_layer.3.bias": (512,)}
    return shapes | norm("output_layer.4", 512, affine=False)


def facenet_shapes(classes: int) -> Shapes:
    """As in facenet-pytorch's release files, classifier included."""
    shapes: Shapes = {}

    def conv(name: str, out: int, into: int, rows: int = 1, columns: int | None = None) -> None:
        kernel = (rows, rows if columns is None else columns)
        shapes.update({f"{name}.conv.weight": (out, into, *kernel)}, **norm(f"{name}.bn", out))

    for name, out, into, side in [
        ("conv2d_1a", 32, 3, 3),
        ("conv2d_2a", 32, 32, 3),
        ("conv2d_2b", 64, 32, 3),
        ("conv2d_3b", 80, 64, 1),
        ("conv2d_4a", 192, 80, 3),
        ("conv2d_4b", 256, 192, 3),
    ]:
        conv(name, out, into, side)
    for index in range(5):
        block = f"repeat_1.{index}"
        conv(f"{block}.branch0", 32, 256)
        for branch, layers in (("branch1", 2), ("branch2", 3)):
            for layer in range(layers):
                conv(f"{block}.{branch}.{layer}", 32, 32 if layer else 256, 3 if layer else 1)
        shapes |= {f"{block}.conv2d.weight": (256, 96, 1, 1), f"{block}.conv2d.bias": (256,)}
    conv("mixed_6a.branch0", 384, 256, 3)
    conv("mixed_6a.branch1.0", 192, 256)
    conv("mixed_6a.branch1.1", 192, 192, 3)
    conv("mixed_6a.branch1.2", 256, 192, 3)
    for index in range(10):
        block = f"repeat_2.{index}"
        conv(f"{block}.branch0", 128, 896)
        conv(f"{block}.branch1.0", 128, 896)
        conv(f"{block}.branch1.1", 128, 128, 1, 7)
        conv(f"{block}.branch1.2", 128, 128, 7, 1)
        shapes |= {f"{block}.conv2d.weight": (896, 256, 1, 1), f"{block}.conv2d.bias": (896,)}
    for branch, out in (("branch0", 384), ("branch1", 256)):
        conv(f"mixed_7a.{branch}.0", 256, 896)
        conv(f"mixed_7a.{branch}.1", out, 256, 3)
    conv("mixed_7a.branch2.0", 256, 896)
    conv("mixed_7a.branch2.1", 256, 256, 3)
    conv("mixed_7a.branch2.2", 256, 256, 3)
    for block in (*(f"repeat_3.{index}" for index in range(5)), "block8"):
        conv(f"{block}.branch0", 192, 1792)
        conv(f"{block}.branch1.0", 192, 1792)
        conv(f"{block}.branch1.1", 192, 192, 1, 3)
        conv(f"{block}.branch1.2", 192, 192, 3, 1)
        shapes |= {f"{block}.conv2d.weight": (1792, 384, 1, 1), f"{block}.conv2d.bias": (1792,)}
    shapes |= {"last_linear.weight": (512, 1792), **norm("last_bn", 512)}
    return shapes | {"logits.weight": (classes, 512), "logits.bias": (classes,)}


def random_state(shapes: Shapes, *, prefix: str = "", seed: int = 0) -> dict[str, Tensor]:
    """Weights of those shapes that keep activations near one."""
    draw = torch.Generator().manual_seed(seed)
    return {f"{prefix}{name}": values for name, values in _drawn(shapes, draw)}


def _drawn(shapes: Shapes, draw: torch.Generator) -> Iterator[tuple[str, Tensor]]:
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            yield name, torch.tensor(7)
        elif name.endswith("running_var"):
            yield name, torch.rand(shape, generator=draw) + 0.5
        elif len(shape) == 1:
            scale = 1.0 if name.endswith("weight") else 0.0
            yield name, scale + 0.1 * torch.randn(shape, generator=draw)
        else:
            fan_in = max(1, torch.Size(shape[1:]).numel())
            yield name, torch.randn(shape, generator=draw) * fan_in**-0.5


def vit_shapes(
    *,
    patch: int = 9,
    width: int = 512,
    depth: int = 2,
    embedding: int = 512,
    ratio: int = 4,
    told_to: int = 0,
    gated: bool = False,
) -> Shapes:
    """As in InsightFace's arcface_torch/backbones/vit.py, CVLface's models/vit and vit_kprpe, and TransFace.

    Args:
        patch: Side of a patch.
        width: Numbers of a patch.
        depth: Blocks.
        embedding: Length of the embedding.
        ratio: Of the width inside the blocks' second half; 3 in CVLface's ViT-B, 5 in its ViT-S.
        told_to: Heads that are told the landmarks, by 49 offsets each.
        gated: Patches are weighed before the head.
    """
    patches = (112 // patch) ** 2
    shapes: Shapes = {
        "mask_token": (1, 1, width),
        "pos_embed": (1, patches, width),
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "patch_embed.proj.bias": (width,),
    }
    for number in range(depth):
        block = f"blocks.{number}"
        for layer in ("norm1", "norm2"):
            shapes |= {f"{block}.{layer}.weight": (width,), f"{block}.{layer}.bias": (width,)}
        shapes |= {
            f"{block}.attn.qkv.weight": (3 * width, width),
            f"{block}.attn.proj.weight": (width, width),
            f"{block}.attn.proj.bias": (width,),
            f"{block}.mlp.fc1.weight": (ratio * width, width),
            f"{block}.mlp.fc1.bias": (ratio * width,),
            f"{block}.mlp.fc2.weight": (width, ratio * width),
            f"{block}.mlp.fc2.bias": (width,),
        }
    if told_to:
        count = 49 * told_to * depth
        shapes |= {"keypoint_linear.weight": (count, 10), "keypoint_linear.bias": (count,)}
    if gated:
        shapes |= {"senet.0.weight": (patches, width * patches), "senet.2.weight": (patches, patches)}
    shapes |= {"norm.weight": (width,), "norm.bias": (width,)}
    shapes |= {"feature.0.weight": (width, width * patches), "feature.2.weight": (embedding, width)}
    return shapes | norm("feature.1", width) | norm("feature.3", embedding)


EDGEFACES = {
    "xxs": ((2, 2, 6, 2), (24, 48, 88, 168), 4),
    "xs": ((3, 3, 9, 3), (32, 64, 100, 192), 4),
    "s": ((3, 3, 9, 3), (48, 96, 160, 304), 8),
    "base": ((3, 3, 9, 3), (80, 160, 288, 584), 8),
}
GROUPS = ((), (24, 24), (34, 34, 32), (48, 48, 48, 48))
"""Channels of the groups of each stage of xs, but the first, which none ends."""


def edgeface_shapes(size: str, *, gamma: float | None) -> Shapes:
    """As EdgeFace's state dicts, whose names are timm's; `gamma` is the share of the full rank, if low."""
    depths, widths, heads = EDGEFACES[size]
    shapes: Shapes = {}

    def conv(name: str, out: int, into: int, side: int) -> None:
        shapes.update({f"model.{name}.weight": (out, into, side, side), f"model.{name}.bias": (out,)})

    def norm_of(name: str, width: int) -> None:
        shapes.update({f"model.{name}.weight": (width,), f"model.{name}.bias": (width,)})

    def linear(name: str, out: int, into: int) -> None:
        if gamma is None:
            shapes.update({f"model.{name}.weight": (out, into), f"model.{name}.bias": (out,)})
            return
        rank = max(2, int(min(out, into) * gamma))
        shapes.update({f"model.{name}.linear1.weight": (rank, into)})
        shapes.update({f"model.{name}.linear2.weight": (out, rank), f"model.{name}.linear2.bias": (out,)})

    conv("stem.0", widths[0], 3, 4)
    norm_of("stem.1", widths[0])
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        at = f"stages.{stage}"
        if stage:
            norm_of(f"{at}.downsample.0", widths[stage - 1])
            conv(f"{at}.downsample.1", width, widths[stage - 1], 2)
        for number in range(depth):
            block = f"{at}.blocks.{number}"
            if stage and number == depth - 1:
                group = -(-width // (stage + 1 if stage > 1 else 2))
                for part in range((1, 1, 2, 3)[stage]):
                    conv(f"{block}.convs.{part}", group, 1, 3)
                if stage == 1:
                    conv(f"{block}.pos_embd.token_projection", width, 64, 1)
                norm_of(f"{block}.norm_xca", width)
                shapes[f"model.{block}.gamma_xca"] = (width,)
                shapes[f"model.{block}.xca.temperature"] = (heads, 1, 1)
                linear(f"{block}.xca.qkv", 3 * width, width)
                linear(f"{block}.xca.proj", width, width)
            else:
                conv(f"{block}.conv_dw", width, 1, 3 + 2 * stage)
            norm_of(f"{block}.norm", width)
            linear(f"{block}.mlp.fc1", 4 * width, width)
            linear(f"{block}.mlp.fc2", width, 4 * width)
            shapes[f"model.{block}.gamma"] = (width,)
    norm_of("head.norm", widths[-1])
    linear("head.fc", 512, widths[-1])
    return shapes
