"""A .tflite file in torch: every operation against NumPy, the gradient, and damaged files."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tflite_writing import Writer, network, small_network

from advmask.core.errors import WeightsError
from advmask.photos.tflite_network import TfliteNetwork


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10000),
    rows=st.integers(9, 20),
    columns=st.integers(9, 20),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    same=st.booleans(),
)
def test_every_operation_is_that_of_the_format(
    seed: int, rows: int, columns: int, kernel: int, stride: int, same: bool
) -> None:
    writer, inputs, outputs = small_network(seed, rows, columns, kernel=kernel, stride=stride, same=same)
    picture = np.random.default_rng(seed + 1).normal(size=(rows, columns, 3)).astype(np.float32)
    expected = writer.run(picture, inputs, outputs)
    ours = TfliteNetwork(writer.file(inputs, outputs), name="small")
    found = ours(torch.from_numpy(picture).permute(2, 0, 1)[None])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one[0].permute(1, 2, 0).numpy(), other, atol=2e-5)


def test_it_is_frozen_and_has_a_true_gradient() -> None:
    content = network(3, 9, 11, kernel=3, stride=2, same=True)
    ours = TfliteNetwork(content, name="small").double()
    assert not list(ours.parameters())
    picture = torch.randn(1, 3, 9, 11, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: ours(x)[0], picture)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_gives_a_sentence_and_nothing_worse(data: st.DataObject) -> None:
    content = bytearray(network(1, 9, 9, kernel=3, stride=1, same=True))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    try:
        TfliteNetwork(bytes(content), name="broken.tflite")
    except WeightsError as error:
        assert "broken.tflite" in str(error)  # noqa: PT017


def test_other_operations_are_refused() -> None:
    writer = Writer(np.random.default_rng(0))
    x, y = writer.tensor((1, 4, 4, 3)), writer.tensor((1, 4, 4, 3))
    writer.step("LOGISTIC", [x], y)
    with pytest.raises(WeightsError, match="operation 14 is unknown here"):
        TfliteNetwork(writer.file([x], [y]), name="sigmoid.tflite")
