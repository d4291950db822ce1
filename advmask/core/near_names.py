"""The file that was meant, where one of nearly the same name lies beside."""

from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

_CUTOFF = 0.7  # below lies what only shares letters
_MOST = 10_000  # files of a folder that are looked at


def near_file(path: Path) -> str:
    """` Did you mean X?` for a path that is not there; nothing where no name beside it is near."""
    beside: dict[str, Path] = {}
    with suppress(OSError, ValueError):
        for other, _ in zip(path.parent.iterdir(), range(_MOST), strict=False):
            if not other.name.startswith(".") and other.exists():  # a link may lead nowhere
                beside[other.name.lower()] = other
    near = get_close_matches(path.name.lower(), sorted(beside), n=1, cutoff=_CUTOFF)
    return f" Did you mean {beside[near[0]]}?" if near else ""


def near_word(word: str, words: list[str]) -> str:
    """` Did you mean X?` for a word that is none of those known; nothing where none is near."""
    near = get_close_matches(word.lower(), words, n=1, cutoff=_CUTOFF)
    return f" Did you mean {near[0]}?" if near else ""
