"""A printer, a light and a camera that the fit knows nothing of; every number of theirs is drawn by seed.

The print is made of inks: the driver turns sRGB into coverages of cyan, magenta, yellow and black with its
own curves, coverages spread, and reflectances follow Neugebauer with Yule-Nielsen's factor. The camera sees
the page in perspective under uneven light, through a lens with vignetting and a little distortion, and
writes a JPEG.
"""

import io
import itertools
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from advmask.colour.srgb import decoded as linear_from_srgb
from advmask.colour.srgb import encoded as srgb_from_linear

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Printer:
    primaries: Array  # (16, 3): linear reflectance of each overprint of c, m, y, k
    yule_nielsen: float
    curves: Array  # (3,) exponent from 1 - rgb to coverage
    gain: float  # coverage added at half coverage
    black: float  # share of grey that is printed black
    crosstalk: Array  # (3, 3) how the driver mixes channels
    spread_mm: float
    grain: float

    @property
    def paper(self) -> Array:
        return self.primaries[0]

    def coverages(self, asked: Array) -> Array:
        mixed = np.clip(asked.reshape(-1, 3) @ self.crosstalk.T, 0, 1)
        cmy = (1 - mixed) ** self.curves
        black = self.black * cmy.min(axis=1) ** 3
        inks = np.column_stack([cmy - 0.6 * black[:, None], black]).clip(0, 1)
        inks += 4 * self.gain * inks * (1 - inks)
        return inks.clip(0, 1).astype(np.float32).reshape(*asked.shape[:-1], 4)

    def reflectance(self, inks: Array) -> Array:
        flat = inks.reshape(-1, 4)
        light = np.zeros((len(flat), 3), dtype=np.float32)
        roots = (self.primaries ** (1 / self.yule_nielsen)).astype(np.float32)
        for number, bits in enumerate(itertools.product((0, 1), repeat=4)):
            weight = np.ones(len(flat), dtype=np.float32)
            for ink, bit in enumerate(bits):
                weight *= flat[:, ink] if bit else 1 - flat[:, ink]
            light += weight[:, None] * roots[number]
        return (light**self.yule_nielsen).reshape(*inks.shape[:-1], 3)

    def printed(self, asked: Array) -> Array:
        """Linear reflectance of plain colours, (..., 3)."""
        return self.reflectance(self.coverages(asked))

    def page(self, pixels: NDArray[np.uint8], *, dpi: int, random: np.random.Generator) -> Array:
        """Linear reflectance of a page of sRGB pixels."""
        page = np.empty(pixels.shape, dtype=np.float32)
        colours, index = _unique(pixels)
        inks = self.coverages(colours / 255.0)[index]
        if self.spread_mm > 0:
            inks = cv2.GaussianBlur(inks, (0, 0), self.spread_mm * dpi / 25.4)
        for top in range(0, len(page), 256):
            page[top : top + 256] = self.reflectance(inks[top : top + 256])
        noise = random.standard_normal(pixels.shape[:2]).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), 0.12 * dpi / 25.4)
        return page * (1 + self.grain * noise / noise.std())[..., None]


@dataclass(frozen=True)
class Camera:
    size: tuple[int, int]  # width, height
    tilt_deg: tuple[float, float]
    turn_deg: float
    fill: float  # share of the picture that the page takes
    exposure: float  # linear value of paper in the middle
    light: Array  # (3,) colour of the light, after white balance
    gradient: Array  # (5,) light over the page: x, y, x2, xy, y2
    vignetting: float  # light lost in the corner of the picture
    distortion: float
    blur_px: float
    noise: float
    matrix: Array  # (3, 3) colour response
    contrast: float  # S-curve on top of sRGB
    quality: int

    def response(self, linear: Array) -> Array:
        """The camera's picture of light: decoded linear sRGB values, without noise."""
        return linear_from_srgb(self.encoded(linear))

    def encoded(self, linear: Array) -> Array:
        srgb = srgb_from_linear(linear @ self.matrix.T)
        return srgb + self.contrast * (srgb - 0.5) * srgb * (1 - srgb) * 4

    def view(self, page_mm: tuple[float, float]) -> NDArray[np.float64]:
        """Homography from millimetres on the page to pixels, without distortion."""
        a, b, c = np.deg2rad([*self.tilt_deg, self.turn_deg])
        about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
        about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
        about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
        turn = about_x @ about_y @ about_z
        middle = np.array([[1, 0, -page_mm[0] / 2], [0, 1, -page_mm[1] / 2], [0, 0, 1]])
        width, height = self.size
        focal = 0.85 * max(self.size)
        lens = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        corners = np.array([[0, 0], page_mm, [page_mm[0], 0], [0, page_mm[1]]], dtype=float)

        def at(far: float) -> NDArray[np.float64]:
            return lens @ np.column_stack([turn[:, :2], [0, 0, far]]) @ middle

        near, far = 260.0, 6000.0
        for _ in range(50):  # as close as the whole page fits
            distance = (near + far) / 2
            seen = apply(at(distance), corners)
            reach = np.abs(seen - (width / 2, height / 2)) / (width / 2, height / 2)
            near, far = (near, distance) if reach.max() < self.fill else (distance, far)
        return at(far)

    def distorted(self, points: Array) -> Array:
        centre = np.array(self.size) / 2
        away = (points - centre) / np.hypot(*centre)
        return points + (points - centre) * self.distortion * (away**2).sum(axis=-1, keepdims=True)

    def places(self, page_mm: tuple[float, float], points_mm: Array) -> Array:
        """Where points of the page lie in the picture, pixel centres at + 0.5."""
        return self.distorted(apply(self.view(page_mm), points_mm))

    def photo(self, page: Array, *, dpi: int, random: np.random.Generator) -> Image.Image:
        """A photo of a page, linear reflectance, on a textured table."""
        per_mm = dpi / 25.4
        height_mm, width_mm = page.shape[0] / per_mm, page.shape[1] / per_mm
        y, x = (np.mgrid[: page.shape[0], : page.shape[1]] / per_mm).astype(np.float32)
        x, y = x / width_mm * 2 - 1, y / height_mm * 2 - 1
        g = self.gradient
        light = np.exp(g[0] * x + g[1] * y + g[2] * (x * x - 0.3) + g[3] * x * y + g[4] * (y * y - 0.3))
        lit = page * light[..., None].astype(np.float32) * self.light.astype(np.float32)
        # A pixel gathers light over its own area: without that, fine lines would alias.
        view = self.view((width_mm, height_mm))
        scale = np.sqrt(np.abs(np.linalg.det(view[:, :2].T @ view[:, :2])))
        corners = apply(view, np.array([[0, 0], [width_mm, 0], [0, height_mm]], dtype=float))
        scale = np.linalg.norm(corners[1:] - corners[0], axis=1).sum() / (width_mm + height_mm)
        dots_per_px = per_mm / scale
        lit = cv2.GaussianBlur(lit, (0, 0), max(0.4 * dots_per_px, 0.3))
        to_px = view @ np.diag([1 / per_mm, 1 / per_mm, 1])
        shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        warp = np.linalg.inv(shift) @ to_px @ shift
        table = self._table(random)
        seen = cv2.warpPerspective(lit, warp, self.size, flags=cv2.INTER_LINEAR)
        inside = cv2.warpPerspective(np.ones(lit.shape[:2], np.float32), warp, self.size)
        seen = seen + (1 - inside)[..., None] * table
        seen = self._through_lens(seen)
        seen = cv2.GaussianBlur(seen, (0, 0), self.blur_px) if self.blur_px > 0 else seen
        seen = seen * self.exposure
        seen += (
            random.standard_normal(seen.shape).astype(np.float32) * self.noise * np.sqrt(seen.clip(0) + 0.02)
        )
        values = np.rint(self.encoded(seen).clip(0, 1) * 255).astype(np.uint8)
        return compressed(Image.fromarray(values), self.quality)

    def _table(self, random: np.random.Generator) -> Array:
        width, height = self.size
        coarse = random.uniform(0.05, 0.5, (8, 8, 3)).astype(np.float32)
        return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0.02, 1)

    def _through_lens(self, seen: Array) -> Array:
        width, height = self.size
        y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
        centre = np.array(self.size, dtype=np.float32) / 2
        away = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (centre**2).sum()
        shade = (1 - self.vignetting * (0.7 * away + 0.3 * away**2)).astype(np.float32)
        if self.distortion:
            back = 1 - self.distortion * away / (1 + 3 * self.distortion * away)
            for _ in range(3):
                back = back - (back * (1 + self.distortion * away * back**2) - 1) / (
                    1 + 3 * self.distortion * away * back**2
                )
            map_x = (x - centre[0]) * back + centre[0] - 0.5
            map_y = (y - centre[1]) * back + centre[1] - 0.5
            seen = cv2.remap(seen, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR)
        return seen * shade[..., None]


def random_printer(seed: int) -> Printer:
    random = np.random.default_rng([seed, 1])
    paper = random.uniform(0.78, 0.92) * np.array([1.0, random.uniform(0.97, 1.0), random.uniform(0.9, 1.02)])
    solid = np.array([[0.06, 0.35, 0.60], [0.55, 0.06, 0.25], [0.75, 0.65, 0.07], [0.05, 0.05, 0.05]])
    solid = (solid * random.uniform(0.75, 1.35, (4, 3))).clip(0.02, 0.9) * [[1.0], [1.0], [1.0], [1.0]]
    primaries = []
    for bits in itertools.product((0, 1), repeat=4):
        mixed = np.prod([ink if bit else np.ones(3) for ink, bit in zip(solid, bits, strict=True)], axis=0)
        floor = random.uniform(0.02, 0.04)  # light that the surface sends back whatever is printed
        primaries.append(paper * (floor + (1 - floor) * mixed ** random.uniform(0.85, 1.0)))
    mixing = np.eye(3) + random.uniform(-0.06, 0.06, (3, 3))
    return Printer(
        primaries=np.array(primaries).astype(np.float32),
        yule_nielsen=random.uniform(1.2, 2.4),
        curves=random.uniform(0.75, 1.3, 3),
        gain=random.uniform(0.0, 0.16),
        black=random.uniform(0.0, 0.9),
        crosstalk=mixing / mixing.sum(axis=1, keepdims=True),
        spread_mm=random.uniform(0.05, 0.35),
        grain=random.uniform(0.005, 0.04),
    )


def random_camera(seed: int, *, most_tilt_deg: float = 40.0, size: tuple[int, int] = (2016, 1512)) -> Camera:
    random = np.random.default_rng([seed, 2])
    small = random.uniform(-0.04, 0.04, (3, 3))
    matrix = np.eye(3) + small - np.diag(small.sum(axis=1))
    return Camera(
        size=size if random.random() < 0.5 else size[::-1],
        tilt_deg=tuple(random.uniform(-most_tilt_deg, most_tilt_deg, 2)),
        turn_deg=random.uniform(-180, 180),
        fill=random.uniform(0.85, 0.97),
        exposure=random.uniform(0.5, 0.68),
        light=random.uniform(0.93, 1.07, 3),
        gradient=random.uniform(-1, 1, 5) * [0.18, 0.18, 0.06, 0.05, 0.06],
        vignetting=random.uniform(0.0, 0.3),
        distortion=random.uniform(-0.012, 0.012),
        blur_px=random.uniform(0.4, 1.2),
        noise=random.uniform(0.003, 0.015),
        matrix=matrix,
        contrast=random.uniform(0.0, 0.12),
        quality=int(random.integers(82, 96)),
    )


def as_seen(printer: Printer, camera: Camera, asked: Array) -> Array:
    """The truth to predict: printed colours as the camera sees them under even light, paper white at 1."""
    light = camera.exposure * camera.light
    white = camera.response(printer.printed(np.ones((1, 3))) * light)
    return camera.response(printer.printed(asked) * light) / white


def gentle(camera: Camera, **changes: object) -> Camera:
    """The camera, held straight above the page."""
    return replace(camera, **({"tilt_deg": (3.0, -4.0), "turn_deg": 2.0} | changes))


def compressed(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


def apply(transform: NDArray[np.float64], points: Array) -> NDArray[np.float64]:
    moved = np.column_stack([points, np.ones(len(points))]) @ transform.T
    return moved[:, :2] / moved[:, 2:]


def _unique(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    whole = pixels.astype(np.uint32)
    codes = (whole[..., 0] << 16) | (whole[..., 1] << 8) | whole[..., 2]
    values, index = np.unique(codes, return_inverse=True)
    colours = np.stack([values >> 16, (values >> 8) & 255, values & 255], axis=1).astype(np.uint8)
    return colours, index.reshape(codes.shape)
