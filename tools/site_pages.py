"""What the site shows of files outside docs/: an mkdocs hook, named in mkdocs.yml.

README.md is its first page; the measurements, the changes, how to contribute, the examples and the notebooks
keep their names, and the help of every command is one page. Links that lead out of docs/ in the repository
lead to these pages, or to the file on the project's host; a link to a file that is not there is a warning,
and so an error. Notebooks are shown as `build/notebooks/NAME.ipynb` has them, which is where `make site`
runs them, or else as they are kept, without outputs.
"""

import io
import logging
import os
import re
from contextlib import redirect_stdout
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter

from advmask.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
EXECUTED = ROOT / "build" / "notebooks"
PAGES = {"README.md": "index.md"} | {
    path: path
    for path in (
        "benchmarks/README.md",
        "examples/README.md",
        "notebooks/README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
    )
}
_LINK = re.compile(r"(!?\[[^\]\n]*\]\()(?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?(\))")
_FENCED = re.compile(r"(^```.*?^```$)", flags=re.DOTALL | re.MULTILINE)
_log = logging.getLogger("mkdocs.hooks.site_pages")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside docs/."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "commands.md", content=_commands()))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        made = EXECUTED / path.name
        text, pictures = MarkdownExporter().from_notebook_node(
            nbformat.read(made if made.exists() else path, as_version=4),
            resources={"output_files_dir": path.stem, "unique_key": path.stem},
        )
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
        for name, content in pictures["outputs"].items():
            files.append(File.generated(config, f"notebooks/{PurePosixPath(name)}", content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, files: Files) -> str:
    """Turn links of the repository into links of the site."""
    shown = page.file.src_uri
    source = next((path for path, name in PAGES.items() if name == shown), None)
    if source is None:
        source = shown if shown.startswith("notebooks/") else f"docs/{shown}"
    parts = _FENCED.split(markdown)
    parts[::2] = [_linked(part, source, shown, config, files) for part in parts[::2]]
    return "".join(parts)


def _commands() -> str:
    """The help of every command: how it is used, and its settings as a table."""
    page = ["# Commands and settings", "What `advmask COMMAND --help` prints, from the settings classes."]
    for name in COMMANDS:
        said = io.StringIO()
        with redirect_stdout(said):
            main([name, "--help"])
        opening, _, rest = said.getvalue().partition("\nSettings and their defaults:\n")
        settings, _, _ = rest.partition("\n\n")
        page += [f"## {name}", f"```text\n{opening.strip()}\n```"]
        page.append("\n".join(["| setting | |", "|---|---|", *map(_row, settings.splitlines())]))
    options = rest.partition("\n\n")[2].strip()
    return "\n\n".join([*page, "## Options of every command", f"```text\n{options}\n```"])


def _row(line: str) -> str:
    name, _, meaning = line.strip().replace("|", "\\|").partition("  ")
    return f"| `{name}` | {meaning.strip()} |"


def _linked(markdown: str, source: str, shown: str, config: MkDocsConfig, files: Files) -> str:
    def one(match: re.Match[str]) -> str:
        start, target, anchor, end = match[1], match[2], match[3] or "", match[4]
        path = os.path.normpath(PurePosixPath(source).parent / target)
        page = PAGES.get(path) or path.removeprefix("docs/")
        page = re.sub(r"^(notebooks/[\w-]+)\.ipynb$", r"\1.md", page)
        if files.get_file_from_path(page):
            return f"{start}{os.path.relpath(page, PurePosixPath(shown).parent)}{anchor}{end}"
        if not (ROOT / path).exists():
            _log.warning("%s links to %s, which is not there", source, target)
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"{start}{config.extra['repository']}/{kind}/main/{path}{anchor}{end}"

    return _LINK.sub(one, markdown)
