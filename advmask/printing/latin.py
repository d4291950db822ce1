"""Text in the signs that every PDF viewer has fonts for."""

import unicodedata


def latin(text: str) -> str:
    """Text in Latin-1: accents it lacks are dropped, other signs become question marks or spaces."""
    signs = []
    for sign in text:
        fits = sign.encode("latin-1", "ignore").decode("latin-1")
        bare = unicodedata.normalize("NFKD", sign).encode("latin-1", "ignore").decode("latin-1")
        signs.append(fits or bare or "?")
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in signs)
