"""The notebooks run from top to bottom, and are fit to be shown."""

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="pip install 'advmask[notebooks]'")

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
TINY = {"STEPS": "2", "DRAWS": "1"}
_STORED_BYTES = 200_000
RUN = """
import sys
import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

path, folder = sys.argv[1:]
manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=folder + "/k")
notebook = nbformat.read(path, as_version=4)
runner = NotebookClient(notebook, km=manager, timeout=600, resources={"metadata": {"path": folder + "/work"}})
runner.execute()
nbformat.write(notebook, folder + "/run.ipynb")
"""
OFFLINE = """
import socket

def connect(self, address, real=socket.socket.connect):
    if self.family != socket.AF_UNIX:
        raise AssertionError(f"a notebook tried to connect to {address}")
    return real(self, address)

socket.socket.connect = connect
"""


def opened(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_of(name: str) -> list[str]:
    return [cell.source for cell in opened(name).cells if cell.cell_type == "code"]


def test_both_are_here() -> None:
    assert NAMES == ["first_design", "transfer_study"]
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"{name}.ipynb" in told for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_whole_and_light(name: str) -> None:
    path = FOLDER / f"{name}.ipynb"
    notebook = opened(name)
    nbformat.validate(notebook)
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    outputs = [cell.get("outputs", []) for cell in notebook.cells if cell.cell_type == "code"]
    assert len(json.dumps(outputs)) < _STORED_BYTES
    assert "image/" not in json.dumps(outputs), "faces are not committed"
    assert all(cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
    assert path.stat().st_size < _STORED_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_no_machine_paths(name: str) -> None:
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    for found in (
        r"/home/\w",
        r"/Users/\w",
        r"/root\b",
        r"/tmp\b",
        r"/work\b",
        r"[A-Z]:\\\\",
        r"\.\./shared",
    ):
        assert not re.search(found, text), found
    assert str(REPOSITORY) not in text


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_text_goes_before_them(name: str) -> None:
    cells = opened(name).cells
    for one, two, three in zip(cells, cells[1:], cells[2:], strict=False):
        assert "markdown" in {one.cell_type, two.cell_type, three.cell_type}
    assert max(len(source.splitlines()) for source in code_of(name)) <= 65


def imported(source: str) -> set[str]:
    """Top packages that a piece of Python imports, in strings of Python that it writes too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value:
            try:
                names |= imported(node.value)
            except SyntaxError:
                continue
    return names


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_imported_that_dependencies_do_not_bring(name: str) -> None:
    homes = importlib.metadata.packages_distributions()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["notebooks"]
    given = {re.split(r"[\s<>=!~;\[(]", one)[0].lower().replace("_", "-") for one in asked}
    given |= {"advmask", "ipython"}  # IPython comes with ipykernel
    for package in set().union(*map(imported, code_of(name))) - set(sys.stdlib_module_names):
        owners = {owner.lower().replace("_", "-") for owner in homes.get(package, ())}
        assert owners & given, f"{package} is of {owners or 'nobody'}"


def executed(name: str, folder: Path, **settings: str) -> Any:
    """A notebook after it was run, in processes of their own and without a network."""
    pytest.importorskip("nbclient", reason="pip install 'advmask[dev]'")
    pytest.importorskip("ipykernel", reason="pip install 'advmask[notebooks]'")
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "offline.py").write_text(OFFLINE, encoding="utf-8")
    (folder / "work").mkdir()
    own = {f"ADVMASK_NOTEBOOK_{key}": value for key, value in settings.items()}
    own |= {
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": str(folder / "mpl"),
        "OMP_NUM_THREADS": "1",
    }
    words = [sys.executable, "-c", RUN, str(FOLDER / f"{name}.ipynb"), str(folder)]
    done = subprocess.run(
        words, env=os.environ | own, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return nbformat.read(folder / "run.ipynb", as_version=4)


def written(notebook: Any, stream: str) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.get("name") == stream)


def pictures(notebook: Any) -> int:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def complaints(notebook: Any) -> str:
    """What stands on the error stream, but for progress bars."""
    lines = re.split(r"[\r\n]", written(notebook, "stderr"))
    return "\n".join(line for line in lines if line.strip() and not re.match(r"[\w ]+:\s+\d+%\|", line))


@pytest.fixture
def near(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short path: sockets have names of a hundred letters at most."""
    return tmp_path_factory.mktemp("n")


@pytest.mark.slow
def test_the_first_design(near: Path) -> None:
    notebook = executed("first_design", near, FOLDER=str(near / "first"), **TINY)
    assert complaints(notebook) == ""
    assert pictures(notebook) == 8
    run = near / "first" / "first-design"
    assert {"card.json", "card.png", "mask-contour-M-office_inkjet-sheet-a4.pdf"} <= {
        path.name for path in (run / "exports").iterdir()
    }
    said = written(notebook, "stdout")
    assert "% under the design" in said
    assert "seen in training: True" in said
    assert not list((near / "work").iterdir()), "all goes into FOLDER"


@pytest.mark.slow
def test_the_transfer_study(near: Path) -> None:
    notebook = executed("transfer_study", near, FOLDER=str(near / "study"), **TINY)
    assert complaints(notebook) == ""
    assert pictures(notebook) == 4
    said = written(notebook, "stdout")
    assert "All rates agree with results.json." in said
    differences = re.findall(r"TAR of one-0 less that of several-0: \S+ \[(\S+), (\S+)\][bc] points", said)
    assert len(differences) == 3
    assert all(float(low) < float(high) for low, high in differences), "five people leave room"
    assert "dlib (held out)" in (near / "study" / "transfer.tex").read_text(encoding="utf-8")
    records = [
        json.loads((near / "study" / name / "results.json").read_text()) for name in ("one-0", "several-0")
    ]
    labels = ["toys.shades", "toys.edges", "dlib"]
    columns = [[record["recognizers"][label]["column"] for label in labels] for record in records]
    assert columns[0][0] == columns[1][0] == columns[1][1] == "trained on"
    assert columns[0][2] == columns[1][2] != "trained on"
    assert all(record["people"]["held_out"] for record in records)
    assert not list((near / "work").iterdir()), "all goes into FOLDER"
