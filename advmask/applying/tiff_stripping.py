"""Taking all but the picture out of a TIFF: what is not kept becomes zeros, where it lies."""

import struct
from dataclasses import dataclass

# Tags that say how pixels are stored and look: sizes, coding, places of the data, colours, resolution.
_KEPT = frozenset(
    {
        *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283),
        *(284, 290, 291, 292, 293, 296, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 332, 334, 336),
        *(338, 339, 340, 341, 347, 529, 530, 531, 532, 34675),
    }
)
_OFFSETS_AND_LENGTHS = ((273, 279), (324, 325))  # strips, tiles
_OLD_JPEG = 6
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_WHOLE = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}


@dataclass(frozen=True)
class _Layout:
    order: str  # as `struct` has it
    word: int  # bytes of a place in the file
    count: int  # bytes of the number of entries

    def number(self, data: bytes, at: int, size: int) -> int:
        (value,) = struct.unpack_from(self.order + {2: "H", 4: "I", 8: "Q"}[size], data, at)
        return int(value)


def stripped_tiff(content: bytes) -> bytes:
    """A TIFF with the same pages, and zeros where anything else was.

    Args:
        content: A classic or a big TIFF.

    Raises:
        ValueError: Its pixels lie in a way that is not known here.
        struct.error: It is cut short.
    """
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", content, 2)[0] == 43
    layout = _Layout(order, 8 if big else 4, 8 if big else 2)
    header = 16 if big else 8
    out = bytearray(len(content))
    out[:header] = content[:header]
    at = layout.number(content, header - layout.word, layout.word)
    seen: set[int] = set()
    end = header
    while at and at not in seen:
        seen.add(at)
        at, last = _page(content, out, at, layout)
        end = max(end, last)
    return bytes(out[:end])


def _page(content: bytes, out: bytearray, at: int, layout: _Layout) -> tuple[int, int]:
    """Copy what is kept of a page; give where the next page is, and where this one ends."""
    width = 4 + 2 * layout.word  # of an entry: tag, type, count, value or its place
    first = at + layout.count
    number = layout.number(content, at, layout.count)
    entries = {}
    for place in range(first, first + number * width, width):
        tag, kind = struct.unpack_from(layout.order + "HH", content, place)
        count = layout.number(content, place + 4, layout.word)
        inside = place + 4 + layout.word
        size = _SIZES.get(kind, 1) * count
        where = inside if size <= layout.word else layout.number(content, inside, layout.word)
        if tag in _KEPT:
            entries[tag] = (place, kind, count, where, size)
    following = layout.number(content, first + number * width, layout.word)
    ranges = [(where, where + size) for _, _, _, where, size in entries.values()]
    ranges += _data(content, entries, layout)
    for start, stop in ranges:
        out[start:stop] = content[start:stop]
    table = b"".join(content[place : place + width] for place, *_ in entries.values())
    kept = struct.pack(layout.order + ("Q" if layout.count == 8 else "H"), len(entries)) + table
    kept += struct.pack(layout.order + ("Q" if layout.word == 8 else "I"), following)
    out[at : at + len(kept)] = kept
    stop = first + number * width + layout.word
    # Entries moved up, and values that lay inside them with them.
    out[at + len(kept) : stop] = bytes(stop - at - len(kept))
    return following, max(stop, *(last for _, last in ranges))


def _data(
    content: bytes, entries: dict[int, tuple[int, int, int, int, int]], layout: _Layout
) -> list[tuple[int, int]]:
    found = []
    for offsets, lengths in _OFFSETS_AND_LENGTHS:
        if (offsets in entries) != (lengths in entries):
            raise ValueError("the length of the data is not told")
        if offsets in entries:
            starts, sizes = (_numbers(content, entries[tag], layout) for tag in (offsets, lengths))
            found += [(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    if not found or (259 in entries and _numbers(content, entries[259], layout)[0] == _OLD_JPEG):
        raise ValueError("the place of the data is not told")
    if any(stop > len(content) for _, stop in found):
        raise ValueError("the data is cut short")
    return found


def _numbers(content: bytes, entry: tuple[int, int, int, int, int], layout: _Layout) -> tuple[int, ...]:
    _, kind, count, where, _ = entry
    return struct.unpack_from(f"{layout.order}{count}{_WHOLE[kind]}", content, where)
