"""What a result was made with, as far as it can be read off this machine: versions, code, commit, system."""

import hashlib
import os
import platform
import re
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import advmask
from advmask.core.config_folders import conf_dir, designs_dir

_PACKAGE = Path(advmask.__file__).parent
_GIT_S = 10.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Of our extras: they build, check and test, and no figure depends on them.
_NOT_OURS = re.compile(r"extra\s*==\s*['\"](test|dev|notebooks|docs)['\"]")


def software() -> dict[str, Any]:
    """What a run may depend on beside its settings and files, in plain values.

    `packages` is a lock of versions (see `packages`), `package_sha256` tells one state of our own files from
    another, whatever version they claim to be, and `commit` is None where they lie in no checkout.
    """
    return {
        "packages": packages(),
        "package_sha256": package_sha256(),
        "commit": commit(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


@cache
def packages() -> dict[str, str]:
    """Versions of this package and of every installed distribution that it needs, directly or through others.

    Optional ones are among them where they are installed; those of tests and development are not.
    """
    found = {"advmask": advmask.__version__}
    waiting = ["advmask"]
    while waiting:
        name = waiting.pop()
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for line in needed:
            if "extra ==" in line and (name != "advmask" or _NOT_OURS.search(line)):
                continue
            match = _NAME.match(line)
            other = "" if match is None else re.sub(r"[-_.]+", "-", match[0]).lower()
            if not other or other in found:
                continue
            try:
                found[other] = metadata.version(other)
            except metadata.PackageNotFoundError:
                continue
            waiting.append(other)
    return {"advmask": found.pop("advmask")} | dict(sorted(found.items()))


@cache
def package_sha256() -> str:
    """Hexadecimal SHA-256 of our own files: code, configuration and shipped designs, by name and content."""
    total = hashlib.sha256()
    for kind, folder in {"advmask": _PACKAGE, "conf": conf_dir(), "designs": designs_dir()}.items():
        for path in sorted(folder.rglob("*"), key=lambda one: one.as_posix()):
            name = path.relative_to(folder)
            inside = kind == "advmask" and name.parts[0] in ("conf", "designs")  # where a wheel has them
            if path.is_file() and not inside and "__pycache__" not in name.parts:
                total.update(f"{kind}/{name.as_posix()}\0".encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


@cache
def commit() -> dict[str, Any] | None:
    """The git commit that our own files are of, and whether they differ from it; None in no checkout."""
    tracked = _git("ls-files", "--", Path(advmask.__file__).name)
    head = _git("rev-parse", "HEAD")
    if not tracked or not head:  # an environment that lies in somebody else's checkout is not of its commit
        return None
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", str(conf_dir()))
    return {"id": head, "changed": bool(changed)}


def _git(*words: str) -> str:
    """What git says of the folder of our package; nothing where there is no git or no repository."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(_PACKAGE), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=_GIT_S,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
