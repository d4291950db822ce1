"""Who may never know whom, read off the imports: person, mask, print and recognizer are rooms apart."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import advmask

PACKAGE = Path(advmask.__file__).parent
DOORS = {"__init__.py", "__main__.py", "cli.py"}
ABOVE = {"training", "evaluation", "studio", "commands"}
NEVER = {
    "core": {"*"},
    "colour": {"*"},
    "photos": ABOVE
    | {"masks", "render", "wearing", "textures", "recognizers", "objectives", "printing", "applying"},
    "masks": ABOVE | {"wearing", "textures", "recognizers", "objectives", "applying"},
    "render": ABOVE | {"photos", "wearing", "recognizers", "objectives", "printing", "applying"},
    "wearing": ABOVE | {"objectives", "printing", "applying"},
    "textures": ABOVE | {"photos", "render", "wearing", "recognizers"},
    "printers": ABOVE | {"photos", "wearing", "recognizers", "objectives"},
    "effects": ABOVE | {"photos", "wearing", "recognizers", "objectives"},
    "recognizers": ABOVE
    | {"masks", "render", "wearing", "textures", "effects", "objectives", "printing", "applying"},
    "objectives": ABOVE | {"photos", "masks", "render", "wearing", "recognizers", "printing", "applying"},
    "training": {"printing", "studio", "commands"},
    "evaluation": {"training", "studio", "commands"},
    "printing": ABOVE | {"recognizers", "objectives"},
    "applying": ABOVE,
    "studio": {"commands"},
    "commands": set(),
}


def imported(source: str) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def breaches(place: str, source: str) -> list[str]:
    """What a file of the package, named from the package's folder, imports and must not."""
    room, _, _ = place.partition("/")
    found = []
    for name in imported(source):
        parts = name.split(".")
        if parts[0] in {"pytorch_lightning", "lightning"} and room != "training":
            found.append(name)
        if parts[0] == "hydra" and room not in {"commands", "cli.py"}:
            found.append(name)
        if parts[0] == "advmask" and len(parts) > 1 and room in NEVER and parts[1] != room:
            never = NEVER[room]
            if parts[1] in never or ("*" in never and parts[1] not in {"core", "__version__"}):
                found.append(name)
    return found


@pytest.mark.parametrize("room", sorted(NEVER))
def test_a_room_knows_only_whom_it_may(room: str):
    files = sorted((PACKAGE / room).rglob("*.py"))
    found = {str(file): breaches(f"{room}/{file.name}", file.read_text("utf-8")) for file in files}
    assert {file: names for file, names in found.items() if names} == {}


def test_everything_is_in_a_room():
    folders = {file.relative_to(PACKAGE).parts[0] for file in PACKAGE.rglob("*.py")}
    assert folders - DOORS <= set(NEVER)
    for door in DOORS:
        assert breaches(door, (PACKAGE / door).read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("core/a.py", "from advmask.photos.crops import FaceCrop"),
        ("masks/a.py", "import advmask.recognizers.registry"),
        ("render/a.py", "def f():\n    from advmask.wearing import scene"),
        ("evaluation/a.py", "import pytorch_lightning as pl"),
        ("training/a.py", "from hydra import compose"),
        ("photos/a.py", "from advmask import masks"),
    ],
)
def test_a_breach_is_seen(place: str, source: str):
    assert len(breaches(place, source)) == 1
