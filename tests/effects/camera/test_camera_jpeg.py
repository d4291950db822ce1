"""JPEG against Pillow's files and kornia's, and its gradient."""

import io

import numpy as np
import pytest
import torch
from kornia.enhance import jpeg_codec_differentiable
from PIL import Image
from skimage.data import astronaut
from torch import Tensor

from advmask.effects.camera.jpeg import JpegDraw, apply_jpeg, draw_jpeg, quantisation_tables
from advmask.effects.camera.settings import JpegSettings
from advmask.effects.draws import LevelDraws, draws


def portrait(rows: int = 173, columns: int = 181) -> np.ndarray:
    return np.ascontiguousarray(astronaut()[:rows, 140 : 140 + columns])


def tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1).float() / 255


def file(image: np.ndarray, quality: int, *, subsampled: bool) -> Image.Image:
    held = io.BytesIO()
    Image.fromarray(image).save(held, "JPEG", quality=quality, subsampling=2 if subsampled else 0)
    return Image.open(held)


@pytest.mark.parametrize("subsampled", [True, False])
def test_it_is_what_pillow_writes_and_reads_for_all_qualities_at_once(subsampled: bool) -> None:
    qualities = [1, 10, 30, 49, 50, 75, 90, 100]
    image = portrait()
    drawn = JpegDraw(quality=torch.tensor(qualities), subsampled=subsampled)
    found = apply_jpeg(tensor(image).expand(8, -1, -1, -1), drawn)
    for one, quality in zip(found, qualities, strict=True):
        real = tensor(np.array(file(image, quality, subsampled=subsampled)))
        assert float((one - real).abs().mean()) < 0.9 / 255
        assert float((one - real).mean().abs()) < 0.4 / 255


@pytest.mark.parametrize("quality", [1, 7, 30, 50, 51, 75, 93, 100])
def test_tables_are_libjpegs(quality: int) -> None:
    real = file(portrait(16, 16), quality, subsampled=True).quantization  # type: ignore[attr-defined]
    found = quantisation_tables(torch.tensor([quality]))[0]
    assert found.tolist() == [list(real[0]), list(real[1])]


def test_it_is_near_kornias() -> None:
    picture = tensor(portrait(176, 176))[None]
    found = apply_jpeg(picture, JpegDraw(quality=torch.tensor([60]), subsampled=True))
    theirs = jpeg_codec_differentiable(picture, torch.tensor([60.0]))
    loss = float((theirs - picture).abs().mean())
    assert float((found - theirs).abs().mean()) < 0.6 * loss
    assert float((found - picture).abs().mean()) == pytest.approx(loss, rel=0.15)


def test_the_gradient_passes_and_the_others_are_left_alone() -> None:
    pictures = (torch.rand(3, 3, 20, 28) * 1.2 - 0.1).requires_grad_()
    found = apply_jpeg(pictures, JpegDraw(quality=torch.tensor([0, 40, 0]), subsampled=True))
    assert torch.equal(found[[0, 2]], pictures[[0, 2]])
    assert torch.equal(found[1].detach(), found[1].detach().clamp(0, 1))
    weights = torch.rand_like(pictures)
    (gradient,) = torch.autograd.grad((found * weights).sum(), pictures)
    assert torch.equal(gradient, weights)
    none = JpegDraw(quality=torch.zeros(3, dtype=torch.long), subsampled=True)
    assert apply_jpeg(pictures, none) is pictures


def test_even_pictures_and_8_bit_values_survive_the_best_quality() -> None:
    even = torch.full((1, 3, 9, 17), 100 / 255)
    best = JpegDraw(quality=torch.tensor([100]), subsampled=True)
    torch.testing.assert_close(apply_jpeg(even, best), even, atol=1e-6, rtol=0)


def test_quality_is_drawn_for_its_share() -> None:
    settings = JpegSettings(quality=(30, 80), share=0.7)
    drawn = draw_jpeg(settings, batch=4000, draws=draws(0, 0, "jpeg"))
    assert drawn is not None
    quality = drawn.quality
    chosen = quality[quality > 0]
    assert len(chosen) / 4000 == pytest.approx(0.7, abs=0.04)
    assert (int(chosen.min()), int(chosen.max())) == (30, 80)
    assert float(chosen.float().mean()) == pytest.approx(55, abs=1.5)
    none, half, most = (draw_jpeg(settings, batch=1, draws=LevelDraws(level)) for level in (0, 0.5, 1))
    assert none is None
    assert half is not None
    assert most is not None
    assert (int(half.quality), int(most.quality)) == (55, 30)
