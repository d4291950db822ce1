"""The distance to an artwork's texture, against the Wasserstein distances of scipy, patch by patch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from scipy.stats import wasserstein_distance
from torch import Tensor

from advmask.objectives.settings import StyleSettings
from advmask.objectives.style import Style


def pictures(seed: int = 0, height: int = 40, width: int = 50) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    first, second = (torch.rand(3, height, width, generator=draw, dtype=torch.float64) for _ in range(2))
    return first, second**2


def brute_force(now: Tensor, then: Tensor, directions: np.ndarray) -> float:
    """Every patch of every scale cut out by itself, and scipy's distance along every direction."""
    found = []
    while min(now.shape[1:]) >= 7:
        clouds = []
        for picture in (now, then):
            rows, columns = picture.shape[1] - 6, picture.shape[2] - 6
            cut = [
                picture[:, r : r + 7, c : c + 7].reshape(-1).numpy()
                for r in range(rows)
                for c in range(columns)
            ]
            clouds.append(np.stack(cut))
        each = [wasserstein_distance(clouds[0] @ one, clouds[1] @ one) for one in directions]
        found.append(np.mean(each))
        if len(found) == 4:
            break
        now, then = (F.avg_pool2d(one[None], 2)[0] for one in (now, then))
    return float(np.mean(found))


def test_it_is_the_mean_of_wasserstein_distances_along_directions() -> None:
    now, then = pictures()
    style = Style(then, directions=16, samples=10**9)
    parts = style.bank.reshape(16, 16, -1).numpy()
    assert np.allclose(np.linalg.norm(parts, axis=2), 1)
    assert float(style(now)) == pytest.approx(brute_force(now, then, parts[0]), abs=1e-9)
    expected = [brute_force(now, then, part) for part in parts]
    found = [float(style(now, step=step)) for step in range(16)]
    assert sorted(found) == pytest.approx(sorted(expected), abs=1e-9), "each part once, in some order"


def test_zero_for_the_artwork_itself_wherever_its_patches_lie() -> None:
    _, art = pictures()
    assert Style(art)(art) == 0
    tiled = art[:, :8, :8].repeat(1, 5, 6)
    rolled = tiled.roll((16, 8), dims=(1, 2))
    assert Style(tiled)(rolled) < 1e-12
    assert Style(tiled)(1 - tiled) > 0.01


def test_all_directions_and_patches_have_their_turn() -> None:
    now, then = pictures()
    style = Style(then, directions=64, samples=300)
    found = {round(float(style(now, step=step)), 12) for step in range(8)}
    assert len(found) == 8
    whole = Style(then, directions=256, samples=10**9)
    mean = np.mean([float(style(now, step=step)) for step in range(24)])
    assert mean == pytest.approx(float(whole(now)), rel=0.1)


def test_only_what_lies_on_the_mask_counts() -> None:
    now, art = pictures()
    on_mask = torch.zeros(40, 50, dtype=torch.bool)
    on_mask[:, :25] = True
    style = Style(art, on_mask=on_mask)
    texture = now.clone().requires_grad_()
    style(texture).backward()
    assert texture.grad is not None
    assert (texture.grad[:, :, :25] != 0).any(dim=0).all()
    reach = 25 + 3 * 4  # half a patch of the coarsest scale that is left, which is a quarter
    assert (texture.grad[:, :, reach + 4 :] == 0).all()
    assert Style(art, on_mask=torch.zeros(40, 50, dtype=torch.bool))(now) == 0


def test_its_gradient_is_that_of_the_distance() -> None:
    now, then = pictures(height=9, width=10)
    style = Style(then, directions=4)
    assert torch.autograd.gradcheck(style, now.requires_grad_(), atol=1e-6)


def test_following_the_gradient_makes_the_texture_and_not_the_picture() -> None:
    stripes = torch.zeros(3, 48, 48)
    stripes[:, :, ::8] = stripes[:, :, 1::8] = stripes[:, :, 2::8] = stripes[:, :, 3::8] = 1.0
    texture = torch.full((3, 48, 48), 0.5) + 0.05 * torch.rand(
        3, 48, 48, generator=torch.Generator().manual_seed(1)
    )
    texture.requires_grad_()
    style, optimiser = Style(stripes), torch.optim.Adam([texture], lr=0.03)
    before = float(style(texture).detach())
    for step in range(150):
        optimiser.zero_grad()
        style(texture, step=step).backward()
        optimiser.step()
    assert float(style(texture).detach()) < 0.35 * before
    found = texture.detach().clamp(0, 1)
    assert ((found < 0.25) | (found > 0.75)).float().mean() > 0.6, "black and white, as the stripes are"


def test_small_pictures_and_half_set_styles() -> None:
    small = torch.rand(3, 5, 5, requires_grad=True)
    Style(torch.rand(3, 5, 5))(small).backward()
    assert small.grad is not None
    with pytest.raises(ValidationError, match=r"name its file as style\.picture"):
        StyleSettings(weight=0.1)
