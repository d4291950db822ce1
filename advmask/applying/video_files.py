"""Video files through PyAV: frames upright as RGB, in and out, with the sound copied as it is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from advmask.applying.display_matrix import orientation
from advmask.applying.video_ending import Ending
from advmask.core.errors import MissingPackageError, PhotoError, RunError
from advmask.core.files import written_aside

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

# By the ending of a name: the container, and the codecs to try in turn, with their options.
_H264 = ("libx264", {"crf": "17", "preset": "fast"})
_H264_IN_ORDER = ("libx264", {**_H264[1], "bf": "0"})  # AVI knows no other order of frames
_PLAIN = ("mpeg4", {"qscale": "2"})
_VP9 = ("libvpx-vp9", {"crf": "24", "b": "0", "cpu-used": "4", "row-mt": "1"})
_FORMATS: dict[str, tuple[str, tuple[tuple[str, dict[str, str]], ...]]] = {
    ".mp4": ("mp4", (_H264, _PLAIN)),
    ".m4v": ("mp4", (_H264, _PLAIN)),
    ".mov": ("mov", (_H264, _PLAIN)),
    ".mkv": ("matroska", (_H264, _PLAIN)),
    ".avi": ("avi", (_H264_IN_ORDER, _PLAIN)),
    ".webm": ("webm", (_VP9,)),
}
VIDEO_SUFFIXES = frozenset(_FORMATS)


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingPackageError("Videos need PyAV; run `pip install 'advmask[video]'`.") from error
    return av


class VideoReader:
    """The frames of a video, in order, and what was wrong with them.

    Iterating again reads again and gives the same frames. Frames that cannot be decoded are left out and
    counted; where the file breaks off, reading ends.

    Args:
        path: The file.

    Attributes:
        rate: Frames per second.
        expected: Number of frames to count on, as far as the file tells; None if it does not.
        unreadable: Frames that could not be decoded, in the last reading.
        read: Frames given, in the last reading.
        slant_deg: By how much the file turns its frames beyond quarter turns, in the last reading; not done.

    Raises:
        PhotoError: The file cannot be opened or holds no video.
        MissingPackageError: PyAV is not installed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.unreadable = self.read = 0
        self.slant_deg = 0.0
        with self.opened() as container:
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.guessed_rate
            self.rate = Fraction(rate) if rate else Fraction(25)
            self._ending = Ending(container, self.rate)
            ends = self._ending.ends_s
            lasting = None if ends is None else round((ends - self._ending.begins_s) * self.rate)
            self.expected = stream.frames or lasting

    @property
    def shortfall(self) -> str | None:
        """What the last reading did not find at the end of the file, in words; None where all is there."""
        return self._ending.shortfall(self.read, self.unreadable)

    def frames(self) -> "Iterator[av.VideoFrame]":
        """Give the frames."""
        with self.opened() as container:
            for frame, _ in self.frames_and_sound(container):
                if frame is not None:
                    yield frame

    @contextmanager
    def opened(self) -> "Iterator[InputContainer]":
        """The open file."""
        av = _av()
        try:
            container = av.open(str(self._path), "r", metadata_errors="replace")
        except (av.error.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise PhotoError(
                f"Cannot open the video {self._path}: {reason}. It is damaged, cut short or no video; copy "
                "it again or leave it out."
            ) from error
        with container:
            if not container.streams.video:
                raise PhotoError(f"{self._path} holds no video; name a file with moving pictures.")
            yield container

    def frames_and_sound(
        self, container: "InputContainer"
    ) -> "Iterator[tuple[av.VideoFrame | None, av.Packet[Any] | None]]":
        """Give the frames of the file that was `opened` and, between them, the packets of its sound.

        Raises:
            PhotoError: They are to be shown in another way than turned by quarters or mirrored.
        """
        av = _av()
        self.unreadable = self.read = packets_seen = 0
        self.slant_deg = 0.0
        self._ending.start()
        damaged = False
        video = container.streams.video[0]
        video.thread_type = "AUTO"
        packets = iter(container.demux(video, *container.streams.audio[:1]))
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                packet = None  # the file ends in the middle of something
            if packet is None:
                break
            packets_seen += packet.stream is video and packet.size > 0
            self._ending.add(packet, picture=packet.stream is video)
            if packet.stream is not video:
                if packet.dts is not None:
                    yield None, packet
                continue
            try:
                frames: Sequence[Any] = packet.decode()
            except av.error.FFmpegError:
                damaged = True
                continue
            for frame in frames:
                yield self._taken(frame), None
        try:
            rest = video.codec_context.decode(None)
        except av.error.FFmpegError:  # it gave its last frames already
            rest = []
        for frame in rest:
            yield self._taken(frame), None
        # One broken piece spoils the frames that build on it too; each frame is one packet.
        self.unreadable = max(0, packets_seen - self.read) if damaged else 0

    def _taken(self, frame: "av.VideoFrame") -> "av.VideoFrame":
        try:
            self.slant_deg = max(self.slant_deg, orientation(frame).off_deg)
        except PhotoError as error:
            raise PhotoError(f"{self._path}: {error}") from error
        self.read += 1
        return frame


def upright_rgb(frame: "av.VideoFrame") -> UInt8[np.ndarray, "height width 3"]:
    """A frame as players show it, turned and mirrored as the file says; sRGB by the file's own matrix."""
    return orientation(frame).upright(frame.to_ndarray(format="rgb24"))


class VideoWriter:
    """Writes frames to a video file; see `written_video`."""

    def __init__(self, container: Any, suffix: str, like: "InputContainer") -> None:
        self._av = _av()
        self._container = container
        kind, self._codecs = _FORMATS[suffix]
        self._even = kind == "avi"  # frames have no times of their own there
        self._like = like
        self._stream: Any = None
        self._sound: Any = None
        self._last_pts = -1
        self._early: list[Any] = []
        self.sound_lost = False
        if like.streams.audio:
            try:
                self._sound = container.add_stream_from_template(like.streams.audio[0])
            except (self._av.error.FFmpegError, ValueError):  # this container cannot hold it
                self.sound_lost = True

    def write(self, frame: "av.VideoFrame", drawn: UInt8[np.ndarray, "height width 3"] | None) -> None:
        """Write a frame, at the time of the one it comes from.

        Args:
            frame: As it was read.
            drawn: What is seen in its place, upright; None leaves it as it is.
        """
        if drawn is None and not orientation(frame).as_stored:
            drawn = upright_rgb(frame)
        shown = frame if drawn is None else self._av.VideoFrame.from_ndarray(drawn, format="rgb24")
        if self._stream is None:
            self._begin(frame, width=shown.width, height=shown.height)
        stream = self._stream
        full = frame.color_range == self._av.video.reformatter.ColorRange.JPEG
        ready = shown.reformat(
            width=stream.width,
            height=stream.height,
            format=stream.pix_fmt,
            src_colorspace=frame.colorspace,
            dst_colorspace=frame.colorspace,
            src_color_range=2 if drawn is not None or full else 1,
            dst_color_range=2 if full else 1,
        )
        ready.pict_type = 0  # the encoder chooses its own key frames
        step = Fraction(1) / Fraction(stream.codec_context.time_base)
        pts = self._last_pts + 1
        if frame.pts is not None and frame.time_base is not None:
            pts = round(frame.pts * frame.time_base * step)
        self._last_pts = max(pts, self._last_pts + 1)
        ready.pts, ready.time_base = self._last_pts, stream.codec_context.time_base
        self._container.mux(stream.encode(ready))

    def copy_sound(self, packet: "av.Packet[Any]") -> None:
        """Copy a packet of the sound track."""
        if self._sound is None or self.sound_lost:
            return
        if self._stream is None:  # the first frame decides what is written at the head of the file
            self._early.append(packet)
            return
        packet.stream = self._sound
        try:
            self._container.mux(packet)
        except (self._av.error.FFmpegError, ValueError):
            self.sound_lost = True

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))

    def _begin(self, frame: "av.VideoFrame", *, width: int, height: int) -> None:
        video = self._like.streams.video[0]
        rate = video.average_rate or video.guessed_rate or Fraction(25)
        names = [(name, options) for name, options in self._codecs if self._known(name)]
        if not names:
            raise RunError("This build of PyAV can write no such video; end the name of output= in .mkv.")
        name, options = names[0]
        stream = self._container.add_stream(name, rate=rate, options=options)
        stream.width, stream.height = width, height
        # Half the colours each way need even sides.
        odd = width % 2 or height % 2
        stream.pix_fmt = "yuv444p" if odd and name != "mpeg4" else "yuv420p"
        stream.codec_context.time_base = (
            1 / rate if self._even or name == "mpeg4" else frame.time_base or video.time_base or 1 / rate
        )
        context = stream.codec_context
        context.colorspace, context.color_range = frame.colorspace, frame.color_range
        context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
        if video.sample_aspect_ratio:
            turned = orientation(frame).swapped
            context.sample_aspect_ratio = (
                1 / video.sample_aspect_ratio if turned else video.sample_aspect_ratio
            )
        self._stream = stream
        for packet in self._early:
            self.copy_sound(packet)
        self._early.clear()

    def _known(self, name: str) -> bool:
        try:
            self._av.codec.Codec(name, "w")
        except (self._av.error.FFmpegError, ValueError):
            return False
        return True


@contextmanager
def written_video(path: Path, *, like: "InputContainer") -> Iterator[VideoWriter]:
    """Give a writer for a video with the rate and the sound of another one; whole or not at all.

    Of the other's metadata nothing is written: no place, no time.

    Args:
        path: Ends in one of `VIDEO_SUFFIXES`.
        like: The other, open.

    Raises:
        RunError: The file cannot be written.
    """
    av = _av()
    suffix = path.suffix.lower()
    options = {"movflags": "+faststart"} if _FORMATS[suffix][0] in ("mp4", "mov") else {}
    with written_aside(path) as aside:
        try:
            with av.open(str(aside), "w", format=_FORMATS[suffix][0], options=options) as container:
                writer = VideoWriter(container, suffix, like)
                yield writer
                writer.finish()
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):  # of the disk, and told as such
                raise
            reason = getattr(error, "strerror", None) or str(error)
            raise RunError(
                f"Cannot write the video {path}: {reason}. Try a name that ends in .mkv."
            ) from error
