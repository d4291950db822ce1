"""Numbers, lists of points and path data, read strictly by the grammar of SVG."""

import re

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
LENGTH = re.compile(rf"\s*({NUMBER})\s*([a-zA-Z%]*)\s*\Z")
LARGEST = 1e9  # so that no product of a few overflows
_NUMBER = re.compile(NUMBER)
_GAP = re.compile(r"[ \t\r\n\f]*(?:,[ \t\r\n\f]*)?")
_SPACE = re.compile(r"[ \t\r\n\f]*")
_NUMBERS_OF = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_FLAGS = frozenset({3, 4})  # of an arc: one digit each, which nothing need separate


def numbers(text: str) -> list[float]:
    """Numbers with at most one comma between two; a sign or a second point begins the next one.

    Raises:
        ValueError: There is something else.
    """
    found: list[float] = []
    place = _SPACE.match(text).end()  # type: ignore[union-attr]
    while place < len(text):
        match = _NUMBER.match(text, place)
        if match is None:
            raise ValueError(f"{text[place : place + 12]!r} is not a number")
        found.append(sized(match[0]))
        place = _GAP.match(text, match.end()).end()  # type: ignore[union-attr]
    if text.rstrip().endswith(","):
        raise ValueError("a comma stands at the end")
    return found


def spelt_out(data: str) -> str:
    """Path data with every number and flag on its own, and its commands as they were.

    Raises:
        ValueError: It is damaged: SVG would draw it up to that place only.
    """
    parts: list[str] = []
    place = _SPACE.match(data).end()  # type: ignore[union-attr]
    if data.strip() in {"", "none"}:
        return ""
    while place < len(data):
        command = data[place]
        count = _NUMBERS_OF.get(command.upper())
        if count is None or not (parts or command in "Mm"):
            raise ValueError(f"no command stands at {data[place : place + 12]!r}")
        parts.append(command)
        place = _SPACE.match(data, place + 1).end()  # type: ignore[union-attr]
        first = True
        while count and (first or _NUMBER.match(data, place)):
            for number in range(count):
                one = _one(data, place, flag=command in "Aa" and number in _FLAGS)
                parts.append(one)
                after = place + len(one)
                place = _GAP.match(data, after).end()  # type: ignore[union-attr]
            first = False
        if count and "," in data[after:place]:
            raise ValueError(f"a comma stands before {data[place : place + 12]!r}")
    return " ".join(parts)


def _one(data: str, place: int, *, flag: bool) -> str:
    if flag:
        if data[place : place + 1] in {"0", "1"}:
            return data[place]
        raise ValueError(f"the flag of an arc is 0 or 1, not {data[place : place + 12]!r}")
    match = _NUMBER.match(data, place)
    if match is None:
        raise ValueError(f"a number is missing at {data[place : place + 12]!r}")
    sized(match[0])
    return match[0]


def sized(text: str) -> float:
    """A number that can be a length or a factor.

    Raises:
        ValueError: It is beyond all sizes.
    """
    number = float(text)
    if not abs(number) <= LARGEST:
        raise ValueError(f"{text[:30]} is not a number that a drawing can have")
    return number
