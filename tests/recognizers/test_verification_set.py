"""InsightFace's .bin: thresholds from its pairs, and no code out of it."""

import copyreg
import io
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_chain import write_network

from advmask.core.errors import CalibrationError, PhotoError
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.recognizers.verification_set import calibrated_by, read_verification_set


def chip(seed: int, size: tuple[int, int] = (112, 112)) -> bytes:
    draws = np.random.default_rng(seed)
    small = Image.fromarray(draws.integers(0, 256, size=(7, 7, 3), dtype=np.uint8))
    stream = io.BytesIO()
    small.resize(size, Image.Resampling.BICUBIC).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def pairs(count: int, size: tuple[int, int] = (112, 112)) -> tuple[list[bytes], list[bool]]:
    """Half of them the same chip twice, half two chips of noise."""
    chips: list[bytes] = []
    for number in range(count // 2):
        chips += [chip(number, size), chip(number, size)]
    for number in range(count // 2):
        chips += [chip(1000 + 2 * number, size), chip(1001 + 2 * number, size)]
    return chips, [True] * (count // 2) + [False] * (count // 2)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_as_python_3_writes_it(protocol: int, tmp_path: Path) -> None:
    content = pairs(4)
    (tmp_path / "a.bin").write_bytes(pickle.dumps(content, protocol=protocol))
    found = read_verification_set(tmp_path / "a.bin")
    assert (list(found.chips), list(found.same)) == content
    assert repr(found) == "VerificationSet(a.bin: 4 pairs)"


def test_as_python_2_wrote_it(tmp_path: Path) -> None:
    """Strings of Python 2 are bytes: BINSTRING, which Python 3 no longer writes."""
    chips, _ = pairs(2)
    strings = b"".join(b"T" + struct.pack("<i", len(one)) + one + b"a" for one in chips)
    (tmp_path / "a.bin").write_bytes(b"\x80\x02]" + strings + b"]\x88a\x89a\x86.")
    found = read_verification_set(tmp_path / "a.bin")
    assert (list(found.chips), found.same) == (chips, (True, False))


class _Runs:
    """What an attacker pickles: a call that leaves a file behind."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def attacks(mark: Path) -> dict[str, bytes]:
    command = f"touch {mark}"
    return {
        "system": pickle.dumps(([_Runs(os.system, command)], [True])),
        "eval": pickle.dumps(([chip(0), _Runs(eval, f"open({str(mark)!r}, 'w')")], [True])),
        "protocol 0": pickle.dumps((_Runs(os.system, command), []), protocol=0),
        "attribute": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c"
        + bytes([len(command)])
        + command.encode()
        + b"\x85R.",
        "instance": b"(S'" + command.encode() + b"'\nios\nsystem\n.",
        "codec": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.",
        "elsewhere": b"\x80\x02U\x01aQ.",
    }


@pytest.mark.parametrize("kind", list(attacks(Path("mark"))))
def test_code_in_it_is_refused_and_not_run(kind: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "a.bin").write_bytes(attacks(mark)[kind])
    with pytest.raises(PhotoError, match=r"a\.bin is refused: it asks for .* to be run when it is opened"):
        read_verification_set(tmp_path / "a.bin")
    assert not mark.exists()


def test_the_attack_is_a_real_one(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    pickle.loads(attacks(mark)["system"])
    assert mark.exists()


def test_arrays_of_numpy_are_not_read_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(pickle.dumps(([np.zeros(3, np.uint8)] * 2, [np.bool_(True)])))
    with pytest.raises(PhotoError, match=r"a\.bin holds numpy arrays, which are not read"):
        read_verification_set(tmp_path / "a.bin")


def test_registered_extensions_are_no_way_in(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    copyreg.add_extension("posix", "system", 240)
    try:
        command = f"touch {mark}".encode()
        (tmp_path / "a.bin").write_bytes(b"\x80\x02\x82\xf0U" + bytes([len(command)]) + command + b"\x85R.")
        with pytest.raises(PhotoError, match=r"asks for posix\.system to be run"):
            read_verification_set(tmp_path / "a.bin")
    finally:
        copyreg.remove_extension("posix", "system", 240)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no pickle, or is damaged"),
        (b"\xff\xd8\xff", "no pickle, or is damaged"),
        (pickle.dumps(pairs(4))[:-40], "no pickle, or is damaged"),
        (pickle.dumps([1, 2, 3]), "holds list; expected is InsightFace's"),
        (pickle.dumps(({}, [])), "holds dict and list; expected is"),
        (pickle.dumps(([1, 2], [True])), "holds int where a picture or a boolean belongs"),
        (pickle.dumps(([b"1", b"2"], ["yes"])), "holds str where a picture or a boolean belongs"),
        (pickle.dumps(([b"1", b"2", b"3"], [True])), "holds 3 pictures and 1 booleans"),
        (pickle.dumps(([], [])), "holds 0 pictures and 0 booleans"),
    ],
)
def test_what_is_no_verification_set(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(PhotoError, match=says):
        read_verification_set(tmp_path / "a.bin")
    with pytest.raises(PhotoError, match=r"Cannot read .*none\.bin: No such file"):
        read_verification_set(tmp_path / "none.bin")


def test_thresholds_are_those_of_the_chips_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (network,) = build_recognizers([write_network(tmp_path / "tiny.onnx")])
    chips, same = pairs(240, (32, 32))  # as the network has them
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps((chips, same)))
    (found,) = calibrated_by(tmp_path / "lfw.bin", [network], fmr=0.1)
    calibration = found.calibrated
    assert (calibration.source, calibration.impostor_comparisons) == ("240 pairs of lfw.bin", 120)
    assert calibration.interval is None
    pictures = [torch.from_numpy(np.array(Image.open(io.BytesIO(one)))) for one in chips[240:]]
    with torch.no_grad():
        embeddings = network.embed(torch.stack(pictures).permute(0, 3, 1, 2).float() / 255)
    strangers = network.similarity(embeddings[::2], embeddings[1::2]).sort(descending=True).values
    assert strangers[11] > calibration.threshold > strangers[12]
    said = caplog.text
    assert "no landmarks of its own" in said
    assert "calibration: {fmr: 0.1, threshold: " in said
    assert calibrated_by(None, [network], fmr=0.1) == [network]


@pytest.mark.parametrize(
    ("chips", "error", "says"),
    [
        ([b"no", b"picture"], PhotoError, r"picture 0 of a\.bin is not a JPEG"),
        ([chip(0), chip(1, (112, 96))], PhotoError, "not squares of one size"),
        ([chip(0), chip(0)], CalibrationError, r"cannot be calibrated on a\.bin: FMR 0.1 needs at least 100"),
    ],
)
def test_pictures_that_do_not_serve(
    chips: list[bytes], error: type[Exception], says: str, tmp_path: Path
) -> None:
    (network,) = build_recognizers([write_network(tmp_path / "tiny.onnx")])
    (tmp_path / "a.bin").write_bytes(pickle.dumps((chips, [True])))
    with pytest.raises(error, match=says):
        calibrated_by(tmp_path / "a.bin", [network], fmr=0.1)
