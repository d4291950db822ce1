"""Videos in and out, generated here: rate, size, times, sound, and what is broken."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from advmask.applying.apply_to_video import apply_to_video
from advmask.applying.face_finding import FaceFinder
from advmask.applying.mask_drawing import WornDesign
from advmask.applying.settings import SteadySettings
from advmask.applying.video_files import VideoReader, upright_rgb, written_video
from advmask.core.errors import ConfigError, MissingPackageError, PhotoError

av: Any = pytest.importorskip("av")

SIZE = (200, 160)
RATE = Fraction(24000, 1001)


def frame_of(portrait: Image.Image, *, shift: float = 0.0) -> np.ndarray:
    box = (130 + shift, 40, 330 + shift, 200)
    return np.asarray(portrait.resize(SIZE, Image.Resampling.BICUBIC, box=box))


def write(path: Path, frames: list[np.ndarray], *, sound: bool = False, **stream_settings: Any) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "14", "g": "4", "bf": "0"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = stream_settings.pop("pix_fmt", "yuv420p")
        for name, value in stream_settings.items():
            setattr(stream.codec_context, name, value)
        track = container.add_stream("aac", rate=8000, layout="mono") if sound else None
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format=stream.pix_fmt, dst_colorspace=stream_settings.get("colorspace")
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track is not None:
            samples = (0.2 * np.sin(np.arange(8000) / 5)[None]).astype(np.float32)
            for first in range(0, 7168, 1024):
                part = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(samples[:, first : first + 1024]), format="fltp", layout="mono"
                )
                part.sample_rate, part.pts = 8000, first
                container.mux(track.encode(part))
            container.mux(track.encode(None))
    return path


def read(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in frames], [frame.time for frame in frames]


def is_masked(frame: np.ndarray) -> bool:
    """Whether the mouth's place is red cloth."""
    part = frame[90:110, 80:110].astype(float).mean(axis=(0, 1))
    return bool(part[0] > 1.8 * part[1])


def apply(source: Path, target: Path, design: WornDesign, finder: FaceFinder, **steady: Any):
    return apply_to_video(source, target, design=design, finder=finder, steady=SteadySettings(**steady))


def test_a_short_video(tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder):
    bare = np.full((SIZE[1], SIZE[0], 3), 110, dtype=np.uint8)
    source = write(
        tmp_path / "a.mp4", [frame_of(portrait, shift=n) for n in range(7)] + [bare] * 4, sound=True
    )
    target = tmp_path / "out" / "b.mp4"
    applied = apply(source, target, design, finder)
    assert applied.masks == 1
    assert applied.notices == ("7 of 11 frames show a mask, the others stay as they are.",)
    before, before_times = read(source)
    after, times = read(target)
    assert times == pytest.approx(before_times, abs=1e-4)
    assert [is_masked(frame) for frame in after] == [True] * 7 + [False] * 4
    assert not any(map(is_masked, before))
    for one, other in zip(before, after, strict=True):
        assert one.shape == other.shape
        # Hair, far from the mask.
        assert np.abs(one[:40].astype(float) - other[:40]).mean() < 3
    assert np.abs(before[-1].astype(float) - after[-1]).mean() < 1
    with av.open(str(source)) as one, av.open(str(target)) as other:
        assert other.streams.video[0].average_rate == one.streams.video[0].average_rate
        packets = [[bytes(packet) for packet in item.demux(audio=0) if packet.size] for item in (one, other)]
    assert packets[0] == packets[1], "the sound is copied, not encoded anew"
    assert [path.name for path in target.parent.iterdir()] == ["b.mp4"]


def test_a_still_face_keeps_its_mask_still(
    tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder
) -> None:
    random = np.random.default_rng(0)
    still = frame_of(portrait).astype(float)
    frames = [(still + random.normal(0, 8, still.shape)).clip(0, 255).astype(np.uint8) for _ in range(9)]
    source = write(tmp_path / "a.mkv", frames)
    changes = []
    for name, span in (("raw", 0.0), ("steady", 0.4)):
        apply(source, tmp_path / f"{name}.mkv", design, finder, span_s=span)
        after, _ = read(tmp_path / f"{name}.mkv")
        # Rows of the mask's upper rim: how they change from frame to frame, beyond the noise of the picture.
        red = np.stack([np.asarray(frame, dtype=float)[..., 0] - frame[..., 1] for frame in after])
        level = red[:, 55:90, 85:105].clip(0, 120).mean(axis=(1, 2))
        changes.append(np.abs(np.diff(level)).mean())
    assert changes[1] < 0.5 * changes[0]


def test_a_video_that_ends_early(
    tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder
) -> None:
    whole = write(tmp_path / "a.mkv", [frame_of(portrait)] * 30)
    cut = tmp_path / "b.mkv"
    cut.write_bytes(whole.read_bytes()[: int(0.6 * whole.stat().st_size)])
    applied = apply(cut, tmp_path / "c.mkv", design, finder)
    after, _ = read(tmp_path / "c.mkv")
    assert 5 < len(after) < 30
    assert all(map(is_masked, after))
    assert f"It ends early: {len(after)} of 30 frames are there." in applied.notices


def test_frames_that_cannot_be_read(
    tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder
) -> None:
    source = write(tmp_path / "a.mp4", [frame_of(portrait)] * 12)
    with av.open(str(source)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(source.read_bytes())
    for start, size in places[4:6]:
        content[start : start + size] = bytes([255]) * size
    source.write_bytes(content)
    applied = apply(source, tmp_path / "b.mp4", design, finder)
    after, times = read(tmp_path / "b.mp4")
    assert 8 <= len(after) < 12
    assert max(times) == pytest.approx(11 / float(RATE), abs=0.01), "what follows keeps its time"
    assert f"{12 - len(after)} frames cannot be read and are left out." in applied.notices


@pytest.mark.parametrize("content", [b"", b"no video at all" * 50])
def test_no_video(tmp_path: Path, content: bytes, design: WornDesign, finder: FaceFinder) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(PhotoError, match="Cannot open the video"):
        apply(tmp_path / "a.mp4", tmp_path / "b.mp4", design, finder)
    assert not (tmp_path / "b.mp4").exists()


def test_landmarks_of_a_file_are_for_photos(tmp_path: Path, design: WornDesign, finder: FaceFinder) -> None:
    given = FaceFinder(finder.settings.model_copy(update={"landmarks": "file"}))
    with pytest.raises(ConfigError, match="is for photos"):
        apply(tmp_path / "a.mp4", tmp_path / "b.mp4", design, given)


def test_colours_survive_the_matrix_of_the_file(tmp_path: Path) -> None:
    """Drawn and undrawn frames must look alike, whatever matrix and range a video is kept in."""
    picture = np.zeros((64, 96, 3), dtype=np.uint8)
    picture[:, :32], picture[:, 32:64], picture[:, 64:] = (200, 60, 50), (60, 170, 80), (70, 80, 190)
    for colorspace, color_range in ((1, 1), (5, 1), (2, 0), (1, 2)):
        source = write(
            tmp_path / f"{colorspace}-{color_range}.mp4",
            [picture] * 2,
            colorspace=colorspace,
            color_range=color_range,
        )
        reader = VideoReader(source)
        target = tmp_path / "out.mkv"
        shown = []
        with reader.opened() as container, written_video(target, like=container) as writer:
            for frame, _ in reader.frames_and_sound(container):
                if frame is not None:
                    shown.append(upright_rgb(frame))
                    writer.write(frame, shown[-1] if len(shown) == 2 else None)
        result = [upright_rgb(frame) for frame in VideoReader(target).frames()]
        for one, other in zip(shown, result, strict=True):
            inner = np.s_[8:-8, [16, 48, 80]]
            assert np.abs(one[inner].astype(int) - other[inner]).max() <= 4, (colorspace, color_range)
        with av.open(str(target)) as written:
            assert written.streams.video[0].codec_context.colorspace == colorspace


def test_a_turned_video_comes_out_upright_and_odd_sides_stay(tmp_path: Path) -> None:
    picture = np.zeros((64, 97, 3), dtype=np.uint8)
    picture[:20, :, 0] = 220  # red on top as stored
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 97, 64, "yuv444p"
        stream.set_display_rotation(90)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    reader = VideoReader(source)
    (frame,) = reader.frames()
    assert abs(frame.rotation) == 90
    upright = upright_rgb(frame)
    assert upright.shape == (97, 64, 3)
    left_is_red = upright[:, :10, 0].mean() > 150
    assert left_is_red == (frame.rotation == 90), "counterclockwise, as players turn it"
    with reader.opened() as container, written_video(tmp_path / "b.mp4", like=container) as writer:
        for frame, _ in reader.frames_and_sound(container):
            if frame is not None:
                writer.write(frame, None)
    (result,) = VideoReader(tmp_path / "b.mp4").frames()
    assert (result.width, result.height, result.rotation) == (64, 97, 0)
    assert np.abs(upright_rgb(result).astype(int) - upright).mean() < 3


@pytest.mark.parametrize("ending", ["mkv", "mov", "avi", "webm", "m4v"])
def test_every_container(tmp_path: Path, ending: str, portrait: Image.Image) -> None:
    source = write(tmp_path / "a.mp4", [frame_of(portrait, shift=n) for n in range(4)])
    reader = VideoReader(source)
    target = tmp_path / f"b.{ending}"
    with reader.opened() as container, written_video(target, like=container) as writer:
        for frame, _ in reader.frames_and_sound(container):
            if frame is not None:
                writer.write(frame, upright_rgb(frame))
    frames, times = read(target)
    assert len(frames) == 4
    assert np.diff(times) == pytest.approx(1 / float(RATE), abs=2e-3)


def test_without_pyav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'advmask\[video\]'"):
        VideoReader(tmp_path / "a.mp4")
