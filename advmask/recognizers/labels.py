"""Short names of recognizers, for tables."""

from advmask.recognizers.installed import PROGRAMS

EYES = "eyes"
"""Scheme of a matcher that sees the eye region alone: `eyes:dlib`."""

_ENDINGS = (".onnx", ".pth", ".pt", ".ts", ".torchscript", ".ckpt", ".safetensors", ".py")


def label_of(name: str) -> str:
    """Of a path its stem, of a function `module.function`, of a module what it was named."""
    scheme, _, rest = name.partition(":")
    if scheme == EYES:
        return f"{label_of(rest)}-eyes"
    if not rest:
        return scheme
    if scheme in ("facenet", *PROGRAMS):
        return f"{scheme}-{rest}"
    if scheme in ("python", "service"):
        module, _, function = rest.rpartition(":")
        return f"{_stem(module)}.{function}"
    return f"{_stem(rest)}-blackbox" if scheme == "onnx-blackbox" else _stem(rest)


def _stem(path: str) -> str:
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name
