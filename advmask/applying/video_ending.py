"""Whether a video was read to its end: how far its time stamps come, and how far the file says it goes."""

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer

_MOST_STEPS, _MOST_SHARE = 2, 0.02  # so much may be missing at the end without anything having been lost


class Ending:
    """Follows the time stamps of a video as it is read.

    A count of frames from duration and rate proves nothing where the rate varies or the first frame is late.

    Args:
        container: The open file.
        rate: Frames per second, as the file says.

    Attributes:
        begins_s: When the first frame is shown, or 0.
        ends_s: When the file says that its pictures end, or None.
    """

    def __init__(self, container: "InputContainer", rate: Fraction) -> None:
        video: Any = container.streams.video[0]
        self._rate = rate
        self.begins_s = float((video.start_time or 0) * video.time_base) if video.time_base else 0.0
        self._with_sound = False
        tags = [value for name, value in video.metadata.items() if name.upper().startswith("DURATION")]
        if container.format.name == "avi" and video.frames:
            self.ends_s: float | None = float(video.frames / rate)  # each frame has the same time there
        elif video.duration and video.time_base:
            self.ends_s = self.begins_s + float(video.duration * video.time_base)
        elif tags and (seconds := _seconds(tags[0])) is not None:
            self.ends_s = seconds
        else:
            self.ends_s = container.duration / 1_000_000 if container.duration else None
            self._with_sound = True  # it is that of the longest track
        self.start()

    def start(self) -> None:
        """Start over."""
        self._reached_s = self.begins_s
        self._stamps: list[float] = []

    def add(self, packet: Any, *, picture: bool) -> None:
        """Take note of a packet, whether it can be decoded or not."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or packet.time_base is None or not (picture or self._with_sound):
            return
        at = float(stamp * packet.time_base)
        self._reached_s = max(self._reached_s, at + float((packet.duration or 0) * packet.time_base))
        if picture:
            self._stamps.append(at)

    def shortfall(self, read: int, lost: int) -> str | None:
        """What is missing at the end, in words, or None.

        Args:
            read: Frames that were read.
            lost: Frames that could not be decoded.
        """
        stamps = sorted(self._stamps)
        steps = sorted(later - earlier for earlier, later in pairwise(stamps))
        if self.ends_s is None or not steps:
            return None  # how long a single frame is shown, nothing tells
        usual = max(1e-3, (stamps[-1] - stamps[0]) / len(steps))
        reached = max(self._reached_s, stamps[-1] + usual)  # not every packet tells how long it lasts
        missing = self.ends_s - reached
        span = self.ends_s - self.begins_s
        if missing <= max(_MOST_STEPS * float(1 / self._rate), steps[-1], _MOST_SHARE * span):
            return None
        if steps[-1] < 1.5 * usual:
            return f"{read} of {read + lost + round(missing / usual)} frames are there"
        return f"{read} frames are there, {reached - self.begins_s:.1f} of {span:.1f} s"


def _seconds(text: str) -> float | None:
    """Of a time as Matroska's statistics write it, `00:01:02.500000000`."""
    try:
        hours, minutes, seconds = (float(part) for part in text.split(":"))
    except ValueError:
        return None
    return 3600 * hours + 60 * minutes + seconds
