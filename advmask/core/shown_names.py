r"""Names of files as they are shown: a text that every file and every terminal can hold.

Where a name's bytes are not UTF-8 (a folder unpacked from an archive of another system), Python keeps each
such byte as a lone surrogate, which no encoding can write. Paths keep them, for opening; whatever is shown or
recorded passes `shown`, which writes `M\xfcller`: two names that differ stay two.
"""

import codecs
import io
import re
import sys
import unicodedata
from contextlib import suppress
from typing import TextIO

_SURROGATE = re.compile("[\ud800-\udfff]")
_ON_STREAMS = "advmask.shown"


def shown(text: str) -> str:
    r"""A text with `\xfc` for each byte that is not UTF-8, and `\ud800` for any other lone surrogate."""
    return _SURROGATE.sub(lambda match: _escape(ord(match[0])), text)


def drawable(text: str) -> str:
    """Text in the signs that the font of the pictures has, which are those of ASCII."""
    plain = unicodedata.normalize("NFKD", text.replace("–", "-").replace("ß", "ss"))
    signs = (sign for sign in plain if not unicodedata.combining(sign))
    return "".join(sign if " " <= sign <= "~" else "?" for sign in signs)


def never_raise_on_output() -> None:
    """Let standard output and error show what their encoding lacks as escapes, and never raise for it."""
    codecs.register_error(_ON_STREAMS, _escaped)
    for stream in (sys.stdout, sys.stderr):
        _reconfigure(stream)


def _reconfigure(stream: TextIO | None) -> None:
    if isinstance(stream, io.TextIOWrapper):  # None without a console; anything at all where it was replaced
        with suppress(ValueError, OSError):  # closed
            stream.reconfigure(errors=_ON_STREAMS)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_escape(ord(sign)) for sign in error.object[error.start : error.end]), error.end
