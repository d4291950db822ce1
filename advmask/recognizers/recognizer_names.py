"""From a name as users write it to a recognizer that is ready to use."""

import logging
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from torch import nn

from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers.adapters import BUILDERS, FACENETS
from advmask.recognizers.installed import PROGRAMS, installed
from advmask.recognizers.labels import EYES
from advmask.recognizers.own_module import MODULE
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.weights_folder import expected_path, held, held_by_name
from advmask.recognizers.zoo import zoo

_log = logging.getLogger(__name__)

PRESENT = "present"
"""Stands in a list of names for all recognizers whose weights are here."""

FORMS = (
    "dlib",
    *(f"facenet:{each}" for each in FACENETS),
    "iresnet50:PATH (18, 34, 100, 200)",
    "vit:PATH",
    "edgeface:PATH",
    "magface:PATH",
    "adaface:PATH",
    "onnx:PATH",
    "onnx-blackbox:PATH",
    "torchscript:PATH",
    "python:MODULE:FUNCTION",
    "service:MODULE:FUNCTION",
    "a name that `advmask weights list` shows, such as insightface:buffalo_l where that is installed",
    f"{EYES}:NAME (a matcher of any of these that sees the eye region alone)",
    PRESENT,
)
_BY_ENDING = {
    ".onnx": "for an ONNX file write onnx:{name}.",
    ".py": "for a Python file write python:{name}:FUNCTION.",
    ".pt": "for a TorchScript file write torchscript:{name}.",
    **dict.fromkeys(
        (".pth", ".ckpt", ".safetensors"),
        "for weights write iresnet50:{name} (18, 34, 100), vit:{name}, edgeface:{name}, magface:{name} or "
        "adaface:{name}.",
    ),
}


def build_recognizer(name: str) -> Recognizer:
    """Build a recognizer from its name.

    Args:
        name: One of `FORMS`, but for `present`.

    Raises:
        ConfigError: The name is unknown or ambiguous; the message names the near misses.
        WeightsError: The weights are missing, damaged or not what they are said to be.
        MissingPackageError: A package that the recognizer needs is not installed.
    """
    scheme, _, rest = name.partition(":")
    if scheme == EYES and rest and not rest.startswith(f"{EYES}:"):
        return _with_eyes_only(build_recognizer(rest), name)
    builder = BUILDERS.get(scheme)
    if builder is not None:
        return builder(name, rest)
    if scheme == MODULE:
        raise ConfigError(
            f"{name} was given as an object, from Python; give the object again, or name other recognizers."
        )
    if name == PRESENT:
        raise ConfigError(
            "present stands for several recognizers; write it into a list: recognizers=[present]."
        )
    found = held_by_name(name)
    if len(found) > 1:
        ways = " or ".join(each.recognizer for each in found)
        raise ConfigError(f"Recognizer {name!r} is ambiguous; write {ways}.")
    if found:
        return build_recognizer(found[0].recognizer)
    if name in zoo():
        raise WeightsError(
            f"The weights of {name} are not here; {expected_path(zoo()[name])} was expected. Run: advmask "
            f"weights get {name}"
        )
    raise ConfigError(f"Unknown recognizer {name!r}; {_hint(name, scheme, rest)}")


def build_recognizers(names: Sequence[str | Recognizer], *, differentiable: bool = False) -> list[Recognizer]:
    """Build several recognizers; at least one, all different.

    Args:
        names: Names as `build_recognizer` takes them, or recognizers, such as `Recognizer.from_module` makes;
            `present` stands for all whose weights are here and
            that are not named as well.
        differentiable: Take only those that give a gradient: of `present` the others are left out, which
            is logged; one that is named is refused.

    Raises:
        ConfigError: None is named, two bear the same name or label, or one that is named gives no gradient.
    """
    if not names:
        raise ConfigError("recognizers=[] names none; give at least one, such as recognizers=[dlib].")
    as_written = names_of(names)
    built: list[Recognizer] = []
    for name in names:
        if name == PRESENT:
            found = [build_recognizer(each) for each in present(but=as_written)]
            for one in found:
                if differentiable and not one.differentiable:
                    _log.warning("%s is left out of training: %s.", one.label, one.why_no_gradient)
                else:
                    built.append(one)
            continue
        one = name if isinstance(name, Recognizer) else build_recognizer(name)
        if differentiable and not one.differentiable:
            raise ConfigError(
                f"{one.name} cannot be trained against: {one.why_no_gradient}. Leave it out of recognizers; "
                "advmask evaluate takes it."
            )
        built.append(one)
    if not built:
        raise ConfigError("recognizers=[present] finds no weights that serve here; see: advmask weights list")
    for number, one in enumerate(built):
        for other in built[:number]:
            same = one.weights_sha256 and one.weights_sha256 == other.weights_sha256
            if same and one.eyes_only == other.eyes_only and one.differentiable == other.differentiable:
                _log.warning(
                    "%s and %s are one network by checksum; it counts twice.", other.label, one.label
                )
    labels = [recognizer.label for recognizer in built]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise ConfigError(f"Two recognizers are called {', '.join(twice)}; each may be named once.")
    return built


def names_of(recognizers: Sequence[str | Recognizer]) -> list[str]:
    """The names of recognizers that are given by name or as objects.

    Raises:
        ConfigError: Something is neither.
    """
    if isinstance(recognizers, str | Recognizer | nn.Module):
        raise ConfigError("Recognizers are given as a list, such as recognizers=['dlib'].")
    names = []
    for one in recognizers:
        if not isinstance(one, str | Recognizer):
            kind = type(one).__name__
            how = f"make one with Recognizer.from_module({kind.lower()}, size=..., template=...)."
            hint = how if isinstance(one, nn.Module) else "give a name, such as 'dlib', or a Recognizer."
            raise ConfigError(f"{kind} is not a recognizer; {hint}")
        names.append(one if isinstance(one, str) else one.name)
    return names


def present(*, but: Sequence[str] = ()) -> list[str]:
    """Names of all recognizers whose weights are here, with the paths of their files.

    Args:
        but: Names to leave out, in either form.
    """
    named = {_from_anywhere(each) for each in but}
    return [
        _from_anywhere(each.recognizer) for each in held() if _from_anywhere(each.recognizer) not in named
    ]


def recorded_names(names: Sequence[str]) -> list[str]:
    """Names that mean the same from any folder and whatever comes to the weights folder: for records.

    Args:
        names: As users write them. `present` becomes what is here, a name of the weights folder and relative
            paths become whole paths; a name that builds nothing stays as it is.
    """
    result: list[str] = []
    for name in names:
        result += present(but=names) if name == PRESENT else [_from_anywhere(name)]
    return result


def _from_anywhere(name: str) -> str:
    scheme, colon, rest = name.partition(":")
    if scheme == EYES and rest:
        return f"{EYES}:{_from_anywhere(rest)}"
    if scheme not in BUILDERS:
        found = held_by_name(name)
        return _from_anywhere(found[0].recognizer) if len(found) == 1 else name
    file, _, function = rest.rpartition(":") if scheme in ("python", "service") else (rest, "", "")
    if (
        not file
        or scheme in ("dlib", "facenet", *PROGRAMS)
        or (scheme in ("python", "service") and not file.endswith(".py"))
    ):
        return name
    try:
        whole = Path(file).expanduser().absolute()
    except RuntimeError:  # no home folder: building it will say so
        return name
    return f"{scheme}{colon}{whole}" + (f":{function}" if function else "")


def _with_eyes_only(whole: Recognizer, name: str) -> Recognizer:
    """The same network behind a blindfold; its threshold is another, so it is calibrated on its own."""
    if whole.asked:
        raise ConfigError(
            f"{name}: a service sees whole pictures, not the eye region; name it without {EYES}:."
        )
    return Recognizer(
        name,
        whole.network,
        whole.specification,
        weights_sha256=whole.weights_sha256,
        eyes_only=True,
        why_no_gradient=whole.why_no_gradient,
    )


def _hint(name: str, scheme: str, rest: str) -> str:
    if scheme == EYES:
        return f"write {EYES}: and the name of a recognizer, such as {EYES}:dlib."
    here = (*(each.name for each in held()), *(each.name for each in installed()))
    known = [*BUILDERS, *zoo(), *here, PRESENT]
    near = get_close_matches(scheme.lower() if rest else name.lower(), known, n=2, cutoff=0.4)
    by_ending = _BY_ENDING.get(Path(name).suffix.lower())
    if by_ending is not None and not (rest and near):
        return by_ending.format(name=name)
    if near:
        return f"did you mean {' or '.join(dict.fromkeys(near))}?"
    return f"known: {', '.join(FORMS)}."
