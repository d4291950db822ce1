"""What `import advmask` offers: sorted, complete, and quick to import."""

import subprocess
import sys

import pytest

import advmask


def test_every_public_name_is_there_and_sorted() -> None:
    assert list(advmask.__all__) == sorted(advmask.__all__)
    for name in advmask.__all__:
        assert getattr(advmask, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        _ = advmask.tarin


def test_import_does_not_load_torch() -> None:
    code = "import sys, advmask; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
