"""Every settings class can be had without torch, so that help texts and mistakes are answered at once."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import advmask

PACKAGE = Path(advmask.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in PACKAGE.rglob("settings.py")
)
HEAVY = ("torch", "kornia", "pytorch_lightning", "PIL", "numpy", "hydra", "scipy")


def test_settings_are_imported_without_anything_heavy():
    script = (
        "import json, sys, time; start = time.process_time(); "
        f"[__import__(name) for name in {MODULES!r}]; "
        f"print(json.dumps([time.process_time() - start, sorted(sys.modules.keys() & set({HEAVY!r}))]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, loaded = json.loads(done.stdout)
    assert loaded == []
    assert seconds < 0.5


def test_every_settings_class_lives_in_a_settings_file():
    outside = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        if path.name != "settings.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("class ") and "Settings(" in line and "Settings)" in line
    ]
    assert outside == []


def test_there_are_settings():
    assert len(MODULES) > 10
    assert all(import_module(name).__doc__ for name in MODULES)
