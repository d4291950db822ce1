import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import zoom

from advmask.core.errors import DesignError
from advmask.printing.upsample import plan_print, texel_means, to_print_resolution


def learned(height, width, seed, contrast):
    """A texture as training leaves it: free down to 1 mm, three texels, and pressed into (0, 1)."""
    knots = np.random.default_rng(seed).normal(0, contrast, (3, height // 3 + 3, width // 3 + 3))
    smooth = zoom(knots, (1, 3, 3), order=3)[:, 3 : 3 + height, 3 : 3 + width]
    return torch.from_numpy(1 / (1 + np.exp(-smooth))).float()


def seen(printed, height, width):
    """sRGB of the texels again, by averages written out: whole dots, weighted with the area they share."""
    light = np.where(printed <= 0.04045, printed / 12.92, ((printed + 0.055) / 1.055) ** 2.4).astype(float)
    means = light
    for axis, texels in ((1, height), (2, width)):
        fine = 840  # a grid that both texels and dots are cut by, nearly
        places = (np.arange(texels * fine) + 0.5) / (texels * fine) * means.shape[axis]
        means = np.take(means, places.astype(int), axis=axis)
        shape = list(means.shape)
        shape[axis : axis + 1] = [texels, fine]
        means = means.reshape(shape).mean(axis=axis + 1)
    return np.where(means <= 0.0031308, means * 12.92, 1.055 * means ** (1 / 2.4) - 0.055)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    scale=st.floats(0.2, 20),
    dpi=st.integers(72, 600),
    seed=st.integers(0, 99),
)
def test_size_is_exact_and_plain_stays_plain(height, width, scale, dpi, seed):
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
    assert float(printed.min()) >= 0.0
    assert float(printed.max()) <= 1.0
    plain = to_print_resolution(
        texels[:, :1, :1].expand_as(texels).contiguous(), texels_per_mm=scale, dpi=dpi
    )
    assert float((plain - texels[:, :1, :1]).abs().max()) < 1e-5


@settings(max_examples=20, deadline=None)
@given(
    dpi=st.sampled_from([300, 360, 600]),
    seed=st.integers(0, 9999),
    contrast=st.floats(0.0, 2.0),
)
def test_a_print_seen_from_afar_is_the_learned_texture(dpi, seed, contrast):
    texels = learned(24, 33, seed, contrast)
    printed = to_print_resolution(texels, texels_per_mm=3.0, dpi=dpi)
    assert float(printed.min()) >= 0.0
    assert float(printed.max()) <= 1.0
    ideal = (24 / 3 * dpi / 25.4, 33 / 3 * dpi / 25.4)
    assert printed.shape[1:] == tuple(round(side) for side in ideal)
    dots = (printed * 255).round() / 255
    means, whole = texel_means(dots.numpy(), box=(0, 0, 33, 24), height=24, width=33)
    assert whole.all()
    assert np.abs(means - texels.numpy()).max() < 1 / 255


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 9999), per_texel=st.integers(2, 6), low=st.floats(0, 0.5))
def test_any_texture_is_kept_where_dots_do_not_straddle_texels(seed, per_texel, low):
    draw = np.random.default_rng(seed)
    texels = torch.from_numpy(draw.choice([0.0, low, 0.5, 1.0], (3, 6, 7))).float()
    printed = to_print_resolution(texels, texels_per_mm=100 / 25.4, dpi=100 * per_texel)
    assert printed.shape == (3, 6 * per_texel, 7 * per_texel)
    assert np.abs(seen(printed.numpy(), 6, 7) - texels.numpy()).max() < 1 / 255


def test_averages_are_those_of_the_area():
    printed = torch.rand(3, 17, 23).numpy()
    means, _ = texel_means(printed, box=(0, 0, 5, 4), height=4, width=5)
    assert np.abs(means - seen(printed, 4, 5)).max() < 2e-3


def test_an_edge_has_no_halo_and_stays_in_place():
    texels = torch.full((3, 8, 16), 0.2)
    texels[:, :, 8:] = 0.7
    printed = to_print_resolution(texels, texels_per_mm=2.0, dpi=508)
    assert np.abs(printed[:, :, :70].numpy() - 0.2).max() < 1e-6
    assert np.abs(printed[:, :, 90:].numpy() - 0.7).max() < 1e-6
    assert (np.diff(printed[0, 0].numpy()) >= -1e-6).all()
    assert (printed[0, 0, :80] < 0.45).all()
    assert (printed[0, 0, 80:] > 0.45).all()


def test_a_slope_stays_a_slope_without_steps():
    texels = torch.linspace(0.3, 0.6, 31).expand(3, 10, 31).contiguous()
    printed = to_print_resolution(texels, texels_per_mm=3.0, dpi=300)[0, 20].numpy()
    steps = np.diff(printed[12:-12])
    assert steps.min() > 0
    assert steps.max() < 1.6 * np.median(steps)


def test_texels_finer_than_the_print_are_averaged_in_linear_light():
    texels = torch.zeros(3, 64, 64)
    texels[:, :, ::2] = 1.0
    printed = to_print_resolution(texels, texels_per_mm=72 / 25.4 * 8, dpi=72)
    assert printed.shape == (3, 8, 8)
    # Half of the light is 0.735 in sRGB.
    assert float((printed - 0.735).abs().max()) < 0.02


def test_a_picture_made_in_parts_is_the_same_picture():
    values = learned(20, 20, 3, 1.0).numpy()
    plan = plan_print(values, box=(2.5, 3.0, 18.5, 17.0), size=(160, 140))
    whole = plan.rows(0, 140)
    parts = [plan.rows(20 * i, 20) for i in range(7)]
    apart = np.abs(np.concatenate(parts, axis=1) - whole)
    assert apart.max() < 3 / 255
    assert apart.mean() < 0.1 / 255


@pytest.mark.parametrize(
    ("texels", "scale", "dpi"),
    [(torch.rand(1, 4, 4), 3.0, 300), (torch.rand(3, 4), 3.0, 300), (torch.rand(3, 4, 4), 0.0, 300)],
)
def test_bad_arguments_are_refused(texels, scale, dpi):
    # The type checker of the tests would refuse a wrong shape first; the message is what users see.
    with pytest.raises(DesignError):
        to_print_resolution(texels, texels_per_mm=scale, dpi=dpi)
