"""Everything advmask raises on purpose: one tree, one sentence each.

The command line prints the sentence of an `AdvmaskError` and never its traceback, so every message says
what was wrong, what was expected and what to do.
"""

import errno

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""Numbers of system errors that say that a disk takes no more."""


class AdvmaskError(Exception):
    """Base of all errors that are the user's to mend; `exit_code` is what the command line returns."""

    exit_code = 1


class ConfigError(AdvmaskError):
    """A setting that does not exist, has the wrong type or contradicts another."""

    exit_code = 2


class PhotoError(AdvmaskError):
    """A photo, or a folder of photos, that cannot be used."""

    exit_code = 3


class WeightsError(AdvmaskError):
    """A recognizer's weights that are missing, damaged or not what they claim to be."""

    exit_code = 4


class CalibrationError(AdvmaskError):
    """A threshold that is missing, or that the photos at hand cannot support."""

    exit_code = 5


class DesignError(AdvmaskError):
    """A design or texture that cannot be read or does not fit the mask."""

    exit_code = 6


class RunError(AdvmaskError):
    """A run folder that cannot be written, resumed or read."""

    exit_code = 7


class MissingPackageError(AdvmaskError):
    """An optional package that a feature needs; the message gives the install command."""

    exit_code = 8
