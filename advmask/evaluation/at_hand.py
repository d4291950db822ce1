"""Photos and recognizers made ready once for designs that are judged one after the other."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class AtHand:
    """What was made last of each kind, for the next design that is judged by the very same."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, Sequence[object], Any]] = {}

    def once(self, kind: str, key: Any, make: Callable[[], T], *, of: Sequence[object] = ()) -> T:
        """What is here under the key, or else made now and kept in place of what was.

        Args:
            kind: What it is.
            key: All that it depends on.
            make: Makes it.
            of: Objects that it is made of: these very ones, which are kept with it.
        """
        if kind not in self._kept or self._kept[kind][0] != key or not _same(self._kept[kind][1], of):
            self._kept.pop(kind, None)  # two of a kind may not fit into memory
            self._kept[kind] = key, of, make()
        made: T = self._kept[kind][2]
        return made


def _same(some: Sequence[object], others: Sequence[object]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))
