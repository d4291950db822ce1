"""What the capture protocol asks for: ten pictures and two videos, each bare, plain and with the design."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Situation:
    """One thing to be photographed or filmed, and how it is drawn.

    Attributes:
        title: A few words.
        words: What to do, in a sentence or two.
        turn: Of the head, from -1 (to the left in the picture) to 1.
        tilt: From -1 (chin down) to 1 (chin up).
        size: Of the head in the drawing; smaller is farther away.
        light: Where it comes from, if that matters.
        move: What an arrow shows.
        talks: The jaw moves.
    """

    title: str
    words: str
    turn: float = 0.0
    tilt: float = 0.0
    size: float = 1.0
    light: Literal["front", "side", "above"] | None = None
    move: Literal["around", "closer", "camera above"] | None = None
    talks: bool = False


PICTURES = (
    Situation("Straight", "1 m away, a window in front of you; look into the camera.", light="front"),
    Situation("Turned left", "Turn the head by a quarter of the way to the shoulder.", turn=-0.6),
    Situation("Turned right", "The same to the other side.", turn=0.6),
    Situation("Chin up", "As if looking at a clock on the wall.", tilt=0.7),
    Situation("Chin down", "As if reading a phone.", tilt=-0.7),
    Situation("Talking", "Take the mask off and put it on again, then say a long 'ah'.", talks=True),
    Situation("Light from the side", "Stand sideways to the window.", light="side"),
    Situation("Lamp from above", "In the evening, under a ceiling lamp.", light="above"),
    Situation("Three metres", "The same camera, not zoomed.", size=0.5),
    Situation(
        "Camera above", "Held up under the ceiling, 3 m away; do not look up.", tilt=-0.35, size=0.6,
        move="camera above",
    ),
)  # fmt: skip

VIDEOS = (
    Situation("Film: coming closer", "20 s: from 4 m to 1 m and back, twice.", size=0.55, move="closer"),
    Situation(
        "Film: looking around", "20 s at 1.5 m: turn, nod and talk all the time.", move="around", talks=True
    ),
)
