"""The configuration and the designs are found in a checkout, in an editable install and in a wheel."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import advmask.core.config_folders
from advmask.cli import COMMANDS
from advmask.core.config_folders import conf_dir, designs_dir, register_resolvers
from advmask.core.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]


def test_the_checkout_is_found() -> None:
    assert conf_dir() == REPOSITORY / "conf"
    assert designs_dir() == REPOSITORY / "textures"
    assert (conf_dir() / "hydra_defaults.yaml").is_file()


def test_the_package_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "advmask"
    monkeypatch.setattr(advmask.core.config_folders, "_PACKAGE", package)
    (tmp_path / "conf").mkdir()
    package.mkdir()
    with pytest.raises(ConfigError, match="install advmask again"):
        conf_dir()  # a folder called conf without a pyproject.toml next to it is a stranger's
    (tmp_path / "pyproject.toml").touch()
    assert conf_dir() == tmp_path / "conf"
    (package / "conf").mkdir()
    assert conf_dir() == package / "conf"
    with pytest.raises(ConfigError, match="designs"):
        designs_dir()


def test_output_resolver(tmp_path: Path) -> None:
    register_resolvers()
    register_resolvers()  # a second time does no harm
    text = "${advmask_output:evaluate,${design},stamp}"
    for design, expected in [
        (None, "runs/evaluate/stamp"),
        ("", "runs/evaluate/stamp"),
        (str(tmp_path / "a,b}"), "runs/evaluate/stamp"),
        (str(tmp_path), str(tmp_path)),
    ]:
        assert OmegaConf.create({"design": design, "output": text}).output == expected


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build", reason="the dev extra is not installed")
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run([*build, str(REPOSITORY)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_configuration_designs_and_templates(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for path in (REPOSITORY / "conf").rglob("*.yaml"):
        assert f"advmask/conf/{path.relative_to(REPOSITORY / 'conf')}" in names
    pictures = list((REPOSITORY / "textures").rglob("*.png"))
    cards = list((REPOSITORY / "textures" / "gallery").glob("*.json"))
    assert pictures
    assert len(cards) >= 4
    for path in pictures + cards:
        assert f"advmask/designs/{path.relative_to(REPOSITORY / 'textures')}" in names
    assert {f"advmask/conf/{command}.yaml" for command in COMMANDS} <= names
    assert "advmask/py.typed" in names
    pieces = [
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "advmask/evaluation/report/templates").iterdir()
    ]
    assert "advmask/evaluation/report/templates/page.html.j2" in pieces
    assert set(pieces) <= names
    assert not [name for name in names if name.startswith(("tests/", "conf/"))]


def in_an_empty_environment(wheel: Path, folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Run code where the package and what it depends on are installed, and nothing else of this project."""
    home = folder / "environment"
    venv.create(home, with_pip=False)
    site = next(home.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # The dependencies of this environment serve the new one; its own advmask comes first.
    parents = os.pathsep.join([str(site), *(path for path in sys.path if path.endswith("site-packages"))])
    return subprocess.run(
        [home / "bin" / "python", "-P", "-c", code],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": parents},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_installed_wheel_composes(wheel: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from advmask import cli\nfrom advmask.core import config_folders\n"
        "print(config_folders.conf_dir(), file=sys.stderr)\n"
        "from advmask.evaluation.report.page import TEMPLATES\nTEMPLATES.get_template('page.html.j2')\n"
        "sys.exit(cli.main(['train', '--cfg', 'job']))"
    )
    done = in_an_empty_environment(wheel, tmp_path, code)
    assert done.returncode == 0, done.stderr
    site = next(tmp_path.glob("environment/lib/python*/site-packages"))
    assert done.stderr.strip() == str(site / "advmask" / "conf")
    assert OmegaConf.create(done.stdout) is not None


@pytest.mark.slow
def test_the_installed_wheel_lists_and_prints_its_designs(wheel: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from advmask import cli\nfrom advmask.textures.gallery import gallery_names\n"
        "codes = [cli.main(['designs'])]\n"
        "for name in gallery_names():\n"
        "    codes.append(cli.main(['export', f'gallery:{name}', 'paper=a4', 'printing.dpi=72']))\n"
        "sys.exit(any(codes))"
    )
    done = in_an_empty_environment(wheel, tmp_path, code)
    assert done.returncode == 0, done.stderr
    names = sorted(path.stem for path in (REPOSITORY / "textures" / "gallery").glob("*.json"))
    assert len(names) >= 4
    for name in names:
        assert f"gallery:{name}  " in done.stdout
        sheet = tmp_path / "exports" / name / "mask-contour-M-sheet-a4.pdf"
        assert sheet.read_bytes().startswith(b"%PDF")
        assert (sheet.parent / "card.json").exists()
