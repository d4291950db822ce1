"""The colour profile that goes into every picture file we write."""

from functools import cache

from PIL import ImageCms

_DATE_BYTES = slice(24, 36)


@cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB, the same bytes on every call and in every process.

    The library that makes it writes the time of making into the header; those bytes are zeroed, so that
    two files with the same picture are the same file.

    Returns:
        The profile, ready for `icc_profile=` of Pillow or an ICCBased colour space of a PDF.

    Source:
        IEC 61966-2-1 (sRGB); ICC.1:2022, 7.2.8 (the date in bytes 24 to 35 of the header).
    """
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_DATE_BYTES] = bytes(_DATE_BYTES.stop - _DATE_BYTES.start)
    return bytes(profile)
