"""Taking place, time, camera and previews out of picture files, without decoding their pixels.

Kept is what decides how the pixels look: their coding, colour profile, transparency, resolution, frames, and
the orientation, as the one entry of a new EXIF block. All else goes, also what lies behind the picture's end.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator

from advmask.applying.tiff_stripping import stripped_tiff
from advmask.core.picture_formats import kind_of, open_image

_ORIENTATION_TAG = 0x0112

_PNG_KEPT = frozenset(
    {
        *("IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "bKGD", "hIST"),
        *("pHYs", "cICP", "mDCV", "cLLI", "acTL", "fcTL", "fdAT"),
    }
)
_WEBP_KEPT = frozenset({"VP8X", "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP"})
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04
# In the stream of a JPEG: markers that stand alone, and all that a scan's data may hold.
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_IN_SCAN = frozenset({0x00, *range(0xD0, 0xD8)})


def without_metadata(content: bytes) -> bytes | None:
    """A picture file that shows the same pixels and says nothing of their origin.

    Args:
        content: The file, which a reader could decode.

    Returns:
        The file without metadata, or None where its layout is not known well enough for that.
    """
    strip = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "TIFF": lambda data, _: stripped_tiff(data)}.get(
        kind_of(content[:64]) or ""
    )
    if strip is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            before = _shown(content)
            result = strip(content, before[0])
            return result if _shown(result) == before else None
        except Exception:  # anything odd: it is rewritten instead
            return None


def _shown(content: bytes) -> tuple[int, bytes | None, str, tuple[int, int], bytes]:
    """Orientation, profile, mode, size and pixels of a picture file."""
    with open_image(io.BytesIO(content)) as image:
        image.load()
        try:
            orientation = int(image.getexif().get(_ORIENTATION_TAG, 1))
        except Exception:  # a broken EXIF block says nothing about the pixels
            orientation = 1
        profile = image.info.get("icc_profile") or None
        return (
            orientation if orientation in range(2, 9) else 1,
            profile,
            image.mode,
            image.size,
            image.tobytes(),
        )


def _orientation_block(orientation: int) -> bytes:
    """An EXIF block, as TIFF, that holds an orientation and nothing else."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, _ORIENTATION_TAG, 3, 1, orientation, 0, 0)


def _jpeg(content: bytes, orientation: int) -> bytes:
    parts = [b"\xff\xd8"]
    block = b"Exif\0\0" + _orientation_block(orientation)
    exif = [b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block] if orientation != 1 else []
    for marker, payload in _jpeg_segments(content):
        kept = _kept_segment(marker, payload)
        if marker != 0xE0 and exif:
            parts.append(exif.pop())
        if kept is not None:
            parts.append(kept)
    return b"".join(parts)


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers and what belongs to them, to the end of the picture; a scan's data belongs to its marker."""
    at = 2
    while at < len(content):
        if content[at] != 0xFF:
            raise ValueError("no marker where one should be")
        while content[at] == 0xFF:
            at += 1
        marker, start = content[at], at + 1
        if marker == 0xD9:
            yield marker, b""
            return
        at = start if marker in _ALONE else start + int.from_bytes(content[start : start + 2], "big")
        if marker == 0xDA:
            at = content.find(b"\xff", at)
            while 0 <= at < len(content) - 1 and content[at + 1] in _IN_SCAN:
                at = content.find(b"\xff", at + 2)
            at = len(content) if at < 0 else at
        yield marker, content[start:at]


def _kept_segment(marker: int, payload: bytes) -> bytes | None:
    body = payload[2:]
    if marker == 0xE0:
        if not body.startswith(b"JFIF\0") or len(body) < 14:
            return None
        payload = b"\0\x10" + body[:12] + b"\0\0"  # without its thumbnail
    elif marker == 0xEE:
        if not body.startswith(b"Adobe") or len(body) < 12:
            return None
        payload = b"\0\x0e" + body[:12]
    elif marker == 0xFE or (
        0xE0 <= marker <= 0xEF and not (marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"))
    ):
        return None
    return bytes((0xFF, marker)) + payload


def _png(content: bytes, orientation: int) -> bytes:
    parts, at = [content[:8]], 8
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        name = content[at + 4 : at + 8].decode("latin-1")
        if name in _PNG_KEPT:
            parts.append(content[at:end])
        if name == "IHDR" and orientation != 1:
            chunk = b"eXIf" + _orientation_block(orientation)
            parts.append(struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)))
        if name == "IEND":
            break
        at = end
    return b"".join(parts)


def _webp(content: bytes, orientation: int) -> bytes:
    parts, at = [], 12
    end = min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    while at + 8 <= end:
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        name, body = content[at : at + 4].decode("latin-1"), content[at + 8 : at + 8 + size]
        if name == "VP8X":
            flags = body[0] & ~(_WEBP_EXIF | _WEBP_XMP) | (_WEBP_EXIF if orientation != 1 else 0)
            body = bytes((flags,)) + body[1:]
        if name in _WEBP_KEPT:
            parts.append(_riff_chunk(name.encode(), body))
        at += 8 + size + size % 2
    if orientation != 1:
        parts.append(_riff_chunk(b"EXIF", _orientation_block(orientation)))
    return _riff_chunk(b"RIFF", b"WEBP" + b"".join(parts))


def _riff_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
