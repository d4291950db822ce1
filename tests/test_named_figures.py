"""The list of figures and their commands names pages, scripts, tests and commands that are there."""

import re
from pathlib import Path

from advmask.cli import COMMANDS

ROOT = Path(__file__).parents[1]
MEASUREMENTS = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in MEASUREMENTS.partition("## Figures elsewhere")[2].splitlines()
    if line.startswith("| ") and not line.startswith("| where ")
]


def sections(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_row_says_where_what_and_how() -> None:
    assert len(ROWS) > 10
    assert all(len(row) == 3 and row[1] and "`" in row[2] for row in ROWS)


def test_every_page_and_section_that_is_named_is_there() -> None:
    named = re.findall(r"([\w/.-]+\.md)(?:, \"([^\"]+)\")?", " ; ".join(row[0] for row in ROWS))
    assert len(named) > 10
    for page, section in named:
        assert (ROOT / page).is_file(), page
        assert not section or section in " / ".join(sections(ROOT / page)), (page, section)


def test_every_script_test_and_command_that_is_named_is_there() -> None:
    named = "\n".join(re.findall(r"`([^`]+)`", MEASUREMENTS))
    files = re.findall(r"(?:benchmarks|tests)/[\w/.]*\w", named)
    assert len(files) > 15
    assert not [file for file in files if not (ROOT / file).exists()]
    assert not set(re.findall(r"(?<!\S)advmask ([a-z]+)", named)) - set(COMMANDS)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert not set(re.findall(r"\bmake (\w+)", named)) - set(targets)


def test_links_within_the_measurements_lead_to_their_sections() -> None:
    anchors = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in sections(ROOT / "benchmarks" / "README.md")
    }
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    asked = re.findall(r"\]\(#([\w-]+)\)", MEASUREMENTS)
    for page in pages:
        asked += re.findall(r"benchmarks/README\.md#([\w-]+)", page.read_text(encoding="utf-8"))
    assert len(asked) > 10
    assert not set(asked) - anchors
