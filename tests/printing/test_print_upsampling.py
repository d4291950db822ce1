import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from advmask.errors import DesignError
from advmask.printing.upsample import resample, to_print_resolution


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    scale=st.floats(0.2, 20),
    dpi=st.integers(72, 600),
    seed=st.integers(0, 99),
)
def test_size_is_exact_and_no_colour_is_invented(height, width, scale, dpi, seed):
    texels = torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))
    size = (round(height / scale * dpi / 25.4), round(width / scale * dpi / 25.4))
    if min(size) < 1:
        with pytest.raises(DesignError, match="smaller than one dot"):
            to_print_resolution(texels, texels_per_mm=scale, dpi=dpi)
        return
    if max(size) > 800:
        return
    printed = to_print_resolution(texels, texels_per_mm=scale, dpi=dpi)
    assert printed.shape == (3, *size)
    assert printed.dtype == torch.float32
    finer = size[0] >= height and size[1] >= width
    for channel in range(3):
        low = float(texels[channel].min()) if finer else 0.0
        high = float(texels[channel].max()) if finer else 1.0
        assert low <= float(printed[channel].min())
        assert float(printed[channel].max()) <= high


def test_smooth_designs_agree_with_bicubic_interpolation():
    rows, columns = torch.meshgrid(torch.arange(24.0), torch.arange(32.0), indexing="ij")
    waves = [torch.sin(columns / 6 + phase) * torch.cos(rows / 7) for phase in (0.0, 1.0, 2.0)]
    texels = 0.5 + 0.4 * torch.stack(waves)
    printed = to_print_resolution(texels, texels_per_mm=3.0, dpi=300)
    expected = F.interpolate(
        texels[None], size=printed.shape[1:], mode="bicubic", align_corners=False, antialias=True
    )[0]
    # At the crests of the waves the limits of the four texels cut off a little.
    assert float((printed - expected).abs().max()) < 0.01
    assert float((printed - expected).abs().median()) < 1e-5


def test_an_edge_has_no_halo_and_stays_in_place():
    texels = torch.full((3, 8, 16), 0.2)
    texels[:, :, 8:] = 0.7
    printed = to_print_resolution(texels, texels_per_mm=2.0, dpi=508)
    assert set(np.unique(printed[:, :, :70].numpy())) == {np.float32(0.2)}
    assert set(np.unique(printed[:, :, 90:].numpy())) == {np.float32(0.7)}
    assert float(printed[0, 0, 79:81].mean()) == pytest.approx(0.45, abs=1e-5)


def test_texels_finer_than_the_print_are_averaged():
    texels = torch.zeros(3, 64, 64)
    texels[:, :, ::2] = 1.0
    printed = to_print_resolution(texels, texels_per_mm=72 / 25.4 * 8, dpi=72)
    assert printed.shape == (3, 8, 8)
    assert float((printed - 0.5).abs().max()) < 0.02


def test_a_picture_made_in_parts_is_the_same_picture():
    values = torch.rand(3, 20, 20).numpy()
    whole = resample(values, box=(2.5, 3.0, 18.5, 17.0), size=(160, 140))
    parts = [resample(values, box=(2.5, 3.0 + 2 * i, 18.5, 5.0 + 2 * i), size=(160, 20)) for i in range(7)]
    assert np.allclose(np.concatenate(parts, axis=1), whole, atol=1e-5)


@pytest.mark.parametrize(
    ("texels", "scale", "dpi"),
    [(torch.rand(1, 4, 4), 3.0, 300), (torch.rand(3, 4), 3.0, 300), (torch.rand(3, 4, 4), 0.0, 300)],
)
def test_bad_arguments_are_refused(texels, scale, dpi):
    # The type checker of the tests would refuse a wrong shape first; the message is what users see.
    with pytest.raises(DesignError):
        to_print_resolution(texels, texels_per_mm=scale, dpi=dpi)
