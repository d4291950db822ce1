"""Videos in and out, generated here: rate, size, times, sound, and what is broken."""

import struct
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
    assert packets[0] == packets[1], "the sound is copied, not re-encoded"
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


def at_times(path: Path, times_ms: list[int], *, sound_s: float = 0.0) -> Path:
    """A film whose pictures are shown at these times."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        track = container.add_stream("aac", rate=8000, layout="mono") if sound_s else None
        for number, time_ms in enumerate(times_ms):
            picture = np.random.default_rng(number).integers(0, 255, (64, 96, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for first in range(0, round(8000 * sound_s), 1024):
            part = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            part.sample_rate, part.pts = 8000, first
            container.mux(track.encode(part))
        if track is not None:
            container.mux(track.encode(None))
    return path


EVEN = [round(1000 * number / 24) for number in range(30)]
UNEVEN = [0, 10, 20, 100, 110, 300, 310, 900, 1200, 3000]


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov", "avi"])
@pytest.mark.parametrize(
    ("times_ms", "sound_s"),
    [(EVEN, 0), (UNEVEN, 0), ([5000 + time for time in EVEN], 0), ([0], 0), ([0, 4000], 0), (EVEN, 4)],
    ids=["even", "uneven", "late", "one", "two", "longer sound"],
)
def test_a_whole_video_does_not_end_early(
    tmp_path: Path, ending: str, times_ms: list[int], sound_s: float
) -> None:
    reader = VideoReader(at_times(tmp_path / f"a.{ending}", times_ms, sound_s=sound_s))
    assert len(list(reader.frames())) == len(times_ms)
    assert reader.shortfall is None
    with reader.opened() as container, written_video(tmp_path / "b.mkv", like=container) as writer:
        for frame, _ in reader.frames_and_sound(container):
            if frame is not None:
                writer.write(frame, None)
    _, times = read(tmp_path / "b.mkv")
    if ending != "avi":  # frames have no times of their own there
        assert times == pytest.approx([time / 1000 for time in times_ms], abs=2e-3)


@pytest.mark.parametrize(("times_ms", "kept"), [(EVEN, 0.6), ([5000 + time for time in EVEN], 0.6)])
def test_a_cut_video_says_so(tmp_path: Path, times_ms: list[int], kept: float) -> None:
    whole = at_times(tmp_path / "a.mkv", times_ms).read_bytes()
    (tmp_path / "b.mkv").write_bytes(whole[: int(kept * len(whole))])
    reader = VideoReader(tmp_path / "b.mkv")
    assert 5 < len(list(reader.frames())) < 25
    assert reader.shortfall == f"{reader.read} of 30 frames are there"


def test_a_cut_video_of_uneven_times_says_so_in_seconds(tmp_path: Path) -> None:
    times = [*UNEVEN[:-1], *range(1300, 5000, 300)]
    whole = at_times(tmp_path / "a.mkv", times).read_bytes()
    (tmp_path / "b.mkv").write_bytes(whole[: int(0.5 * len(whole))])
    reader = VideoReader(tmp_path / "b.mkv")
    list(reader.frames())
    assert str(reader.shortfall).startswith(f"{reader.read} frames are there, ")
    assert str(reader.shortfall).endswith(" of 4.9 s")


def patched(path: Path, box: bytes, offset: int, numbers: list[int]) -> Path:
    """An MP4 with other numbers in one of its boxes."""
    content = bytearray(path.read_bytes())
    start = content.index(box) + 4 + offset
    values = b"".join(struct.pack(">i", number) for number in numbers)
    content[start : start + len(values)] = values
    path.write_bytes(content)
    return path


def test_an_edit_list_leaves_out_the_beginning_and_nothing_is_missing(tmp_path: Path) -> None:
    source = at_times(tmp_path / "a.mp4", EVEN)
    with av.open(str(source)) as container:
        base = container.streams.video[0].time_base
    # One entry: for 0.75 s of the film's clock, beginning half a second into the pictures.
    patched(source, b"elst", 4, [1, 750, round(0.5 / base)])
    reader = VideoReader(source)
    shown = list(reader.frames())
    assert 15 <= len(shown) < 30
    assert reader.shortfall is None


CORNERS = {(0, 0): (230, 20, 20), (1, 0): (20, 200, 20), (0, 1): (20, 20, 230), (1, 1): (230, 230, 230)}
ONE = 1 << 16


def cornered(path: Path, matrix: list[int]) -> Path:
    """A film with a colour in each corner, and a display matrix (a, b, u, c, d, v, x, y, w)."""
    picture = np.zeros((64, 96, 3), dtype=np.uint8)
    for (x, y), colour in CORNERS.items():
        picture[32 * y : 32 * y + 32, 48 * x : 48 * x + 48] = colour
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv444p"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return patched(path, b"tkhd", 40, matrix)


def corners_seen(picture: np.ndarray) -> dict[tuple[int, int], tuple[int, int]]:
    """By stored corner, where it is seen."""
    height, width = picture.shape[:2]
    found = {}
    for x, y in CORNERS:
        colour = picture[height * (1 + 2 * y) // 4, width * (1 + 2 * x) // 4].astype(int)
        found[min(CORNERS, key=lambda one: np.abs(colour - CORNERS[one]).sum())] = (x, y)
    return found


@pytest.mark.parametrize("slant", [0, 5, -5])
@pytest.mark.parametrize(
    ("a", "b", "c", "d"),
    [(sign, 0, 0, other) for sign in (1, -1) for other in (1, -1)]
    + [(0, sign, other, 0) for sign in (1, -1) for other in (1, -1)],
)
def test_every_turn_and_mirroring_is_shown(
    tmp_path: Path, a: int, b: int, c: int, d: int, slant: int
) -> None:
    turn = np.deg2rad(slant)
    columns = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[a, c], [b, d]]
    (p, r), (q, s) = np.round(columns * ONE).astype(int)
    source = cornered(tmp_path / "a.mp4", [p, q, 0, r, s, 0, 0, 0, 1 << 30])
    reader = VideoReader(source)
    frame, _ = reader.frames()
    upright = upright_rgb(frame)
    assert upright.shape[:2] == ((64, 96) if a else (96, 64))
    # x' = a x + c y, y' = b x + d y, of corners about the middle
    for (x, y), seen in corners_seen(upright).items():
        u, v = 2 * x - 1, 2 * y - 1
        assert (2 * seen[0] - 1, 2 * seen[1] - 1) == (a * u + c * v, b * u + d * v)
    assert reader.slant_deg == pytest.approx(abs(slant), abs=0.01)
    with reader.opened() as container, written_video(tmp_path / "b.mp4", like=container) as writer:
        for frame, _ in reader.frames_and_sound(container):
            if frame is not None:
                writer.write(frame, None)
    result, _ = VideoReader(tmp_path / "b.mp4").frames()
    assert result.rotation == 0
    assert corners_seen(result.to_ndarray(format="rgb24")) == corners_seen(upright)


@pytest.mark.parametrize(
    "matrix",
    [(46341, 46341, 0, -46341, 46341), (ONE, 0, 0, ONE // 2, ONE), (0, 0, 0, 0, 0), (ONE, 0, 9, 0, ONE)],
    ids=["45 degrees", "skewed", "nothing", "perspective"],
)
def test_a_picture_out_of_square_is_refused(tmp_path: Path, matrix: tuple[int, ...]) -> None:
    source = cornered(tmp_path / "a.mp4", [*matrix, 0, 0, 0, 1 << 30])
    with pytest.raises(PhotoError, match=r"a\.mp4: The file says .* let a video program turn it"):
        list(VideoReader(source).frames())


def test_a_mirrored_face_wears_its_mask_and_a_slant_is_told(
    tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder
) -> None:
    turned = write(tmp_path / "a.mp4", [np.ascontiguousarray(frame_of(portrait)[:, ::-1])] * 3)
    applied = apply(patched(turned, b"tkhd", 40, [-ONE, 0, 0, 0, ONE]), tmp_path / "b.mp4", design, finder)
    assert applied.notices == ("3 of 3 frames show a mask, the others stay as they are.",)
    assert all(map(is_masked, read(tmp_path / "b.mp4")[0]))
    slanted = write(tmp_path / "c.mp4", [frame_of(portrait)] * 3)
    patched(slanted, b"tkhd", 40, [65286, 5711, 0, -5711, 65286])
    applied = apply(slanted, tmp_path / "d.mp4", design, finder)
    assert applied.masks == 1
    assert applied.notices[-1] == "The file turns its pictures by 5 degrees more; that is not done."


def test_no_metadata_of_a_film_without_sound_is_written(
    tmp_path: Path, portrait: Image.Image, design: WornDesign, finder: FaceFinder
) -> None:
    """A MOV whose sound was taken out keeps place, time and camera."""
    source = tmp_path / "a.mov"
    told = {
        "com.apple.quicktime.location.ISO6709": "+48.8584+002.2945+035/",
        "com.apple.quicktime.make": "Acme Phones",
        "creation_time": "2021-03-04T05:06:07.000000Z",
        "comment": "holiday",
    }
    with av.open(str(source), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(told)
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = (*SIZE, "yuv420p")
        stream.metadata["creation_time"] = told["creation_time"]
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame_of(portrait), format="rgb24")))
        container.mux(stream.encode(None))
    assert b"48.8584" in source.read_bytes()
    for target in (tmp_path / "b.mov", tmp_path / "b.mp4", tmp_path / "b.mkv"):
        assert apply(source, target, design, finder).masks == 1
        content = target.read_bytes()
        assert not any(word in content for word in (b"48.8584", b"Acme", b"holiday", b"2021-03"))
        with av.open(str(target)) as container:
            written = {**container.metadata, **container.streams.video[0].metadata}
            assert not container.streams.audio
        assert not {key for key in written if "creat" in key.lower() or "apple" in key or "location" in key}


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
