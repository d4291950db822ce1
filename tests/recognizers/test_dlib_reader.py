"""The reader on the real file, and on files that are not quite it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advmask.core.errors import WeightsError
from advmask.recognizers.dlib_file import dlib_weights_path
from advmask.recognizers.dlib_reader import read_dlib_resnet

NAMES = (b"con_4", b"affine_", b"relu_", b"max_pool_2", b"avg_pool_2", b"add_prev_", b"fc_2")
FUZZ = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@pytest.fixture(scope="module")
def original() -> bytes:
    return dlib_weights_path().read_bytes()


@pytest.fixture(scope="module")
def interesting(original: bytes) -> list[int]:
    """Places where the format is: the first two thousand bytes, around every layer's name, and the end."""
    places = set(range(2000)) | set(range(len(original) - 120, len(original)))
    for name in NAMES:
        start = original.find(name)
        while start >= 0:
            places.update(range(start - 40, min(start + 60, len(original))))
            start = original.find(name, start + 1)
    return sorted(places)


@contextmanager
def _at_most_256_mib_more() -> Iterator[None]:
    """A larger allocation raises MemoryError; without effect where the system cannot limit it."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        yield
        return
    import resource

    kept = resource.getrlimit(resource.RLIMIT_AS)
    now = int(statm.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 2**28, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, kept)


def _read(tmp_path: Path, data: bytes) -> bool:
    """Whether the bytes are taken; anything but success and WeightsError fails the test."""
    path = tmp_path / "network.dat"
    path.write_bytes(data)
    try:
        with _at_most_256_mib_more():
            read_dlib_resnet(path)
    except WeightsError:
        return False
    return True


def test_real_file_has_dlibs_shapes_and_statistics():
    weights = read_dlib_resnet(dlib_weights_path())
    assert weights.means == pytest.approx((122.782, 117.001, 104.298))
    assert weights.size == 150
    assert weights.projection.shape == (256, 128)
    shapes = [tuple(each.weight.shape) for each in weights.convolutions]
    assert len(shapes) == 29
    assert shapes[0] == (32, 3, 7, 7)
    assert shapes[7:9] == [(64, 32, 3, 3), (64, 64, 3, 3)]
    assert shapes[-1] == (256, 256, 3, 3)
    for each in weights.convolutions:
        for values in (each.weight, each.bias, each.gamma, each.beta):
            assert values.dtype == torch.float32
            nonzero = values[values != 0].abs()
            assert float(nonzero.min()) >= np.finfo(np.float32).tiny


def test_subnormal_values_become_zero(tmp_path: Path, original: bytes):
    start = original.find(b"con_4") + 5
    values = start + 2 + 3 + 2 + 2 + 2  # version, 4736, 1, 1, 1
    path = tmp_path / "network.dat"
    path.write_bytes(original[:values] + np.array(-1e-40, "<f4").tobytes() + original[values + 4 :])
    first = read_dlib_resnet(path).convolutions[0].weight.flatten()
    assert float(first[0]) == 0
    assert torch.equal(first[1:], read_dlib_resnet(dlib_weights_path()).convolutions[0].weight.flatten()[1:])


@pytest.mark.parametrize("bad", [np.inf, np.nan, 1e30])
def test_impossible_weights_are_refused(tmp_path: Path, original: bytes, bad: float):
    path = tmp_path / "network.dat"
    path.write_bytes(original[:1000] + np.full(2, bad, "<f4").tobytes() + original[1008:])
    with pytest.raises(WeightsError, match="convolution weights"):
        read_dlib_resnet(path)


@pytest.mark.parametrize(
    ("find", "replace", "says"),
    [
        (b"loss_metric_2", b"loss_metric_3", "loss_metric_2.*at byte 2"),
        (b"con_4", b"con_5", "the layer con_4 at byte"),
        (b"\x05con_4", b"\x06con_4_", "name of 6 bytes"),
        (b"input_rgb_image_sized\x03", b"input_rgb_image_sized\x13", "control byte"),
        (b"max_pool_2\x01\x03", b"max_pool_2\x01\x02", "max_pool_2: 3"),
        (b"relu_1", b"relu_2", "truth value"),
        (b"fc_2\x01\x80", b"fc_2\x01\x81", "last layer: 128.*found 129"),
    ],
)
def test_error_says_what_was_expected_and_where(
    tmp_path: Path, original: bytes, find: bytes, replace: bytes, says: str
):
    assert find in original
    path = tmp_path / "network.dat"
    path.write_bytes(original.replace(find, replace, 1))
    with pytest.raises(WeightsError, match=says) as caught:
        read_dlib_resnet(path)
    assert str(path) in str(caught.value)


def test_trailing_bytes_truncation_and_other_files_are_refused(tmp_path: Path, original: bytes):
    path = tmp_path / "network.dat"
    for data, says in (
        (original + b"\0", "end of the file.*22466066.*1 more"),
        (original[:-1], "before the end"),
        (original[: len(original) // 2], "before the end"),
        (b"", "byte 0"),
        (b"not a network", "byte 0"),
    ):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=says):
            read_dlib_resnet(path)
    with pytest.raises(WeightsError, match="no weight file"):
        read_dlib_resnet(tmp_path / "absent.dat")
    with pytest.raises(WeightsError, match="no weight file"):
        read_dlib_resnet(tmp_path)


def test_a_huge_file_is_refused_unread(tmp_path: Path):
    path = tmp_path / "huge.dat"
    with path.open("wb") as stream:
        stream.truncate(2**36)
    with pytest.raises(WeightsError, match="larger than 32 MiB"):
        read_dlib_resnet(path)


@FUZZ
@given(data=st.data())
def test_flipped_bytes_where_the_format_is(tmp_path: Path, original: bytes, interesting: list[int], data):
    places = data.draw(st.lists(st.sampled_from(interesting), min_size=1, max_size=4, unique=True))
    mutated = bytearray(original)
    for place in places:
        mutated[place] = data.draw(st.integers(0, 255))
    _read(tmp_path, bytes(mutated))


@FUZZ
@given(data=st.data())
def test_cut_anywhere_is_refused(tmp_path: Path, original: bytes, interesting: list[int], data):
    end = data.draw(st.sampled_from(interesting) | st.integers(0, len(original) - 1))
    assert not _read(tmp_path, original[:end])


@FUZZ
@given(data=st.data())
def test_inserted_or_removed_bytes(tmp_path: Path, original: bytes, interesting: list[int], data):
    place = data.draw(st.sampled_from(interesting))
    inserted, removed = data.draw(st.binary(max_size=9)), data.draw(st.integers(0, 9))
    _read(tmp_path, original[:place] + inserted + original[place + removed :])


def _long(value: int) -> bytes:
    """An integer as dlib might write it, in nine bytes."""
    return bytes([8 | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(8, "little")


@pytest.mark.parametrize(("size", "taken"), [(2**62, False), (2**31, False), (-1, False), (4736, True)])
def test_sizes_in_the_file_are_never_believed(tmp_path: Path, original: bytes, size: int, taken: bool):
    tensor = original.find(b"con_4") + 5
    header = b"".join(_long(value) for value in (2, size, 1, 1, 1))
    assert _read(tmp_path, original[:tensor] + header + original[tensor + 11 :]) == taken


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.binary(max_size=300), keep=st.integers(0, 400))
def test_any_bytes_after_a_true_beginning(tmp_path: Path, original: bytes, head: bytes, keep: int):
    assert not _read(tmp_path, original[:keep] + head)
