"""`kill -9` at random moments of all commands that write, and two at once: no file is half, mixed or lost."""

import csv
import gzip
import json
import multiprocessing
import os
import random
import shutil
import sys
import time
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdf
import pytest
import safetensors
import torch
import yaml
from PIL import Image
from tiny_chain import words, write_network

from advmask import cli
from advmask.core.shard_files import entries
from advmask.photos.loading import portrait_path

pytestmark = pytest.mark.slow

MOMENTS = 10
COMMANDS = ("train", "evaluate", "export", "apply", "calibrate")


@dataclass(frozen=True)
class Case:
    """A command in one folder: `before` makes what lies there, `again` is killed and repeated."""

    folder: Path
    before: list[list[str]]
    again: list[str]
    done_says: str = ""  # of a command that refuses to do again what it has done

    @property
    def said(self) -> Path:
        """What it said on its standard error."""
        return self.folder.with_name(f"{self.folder.name}.said")


@pytest.fixture(scope="module")
def server() -> multiprocessing.context.ForkServerContext:
    """Processes that have read the program already, so that what is killed is its work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"advmask.commands.{name}" for name in COMMANDS])
    return context


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A network, a finished run, pictures and a video of faces, and a scan of a printed chart."""
    av = pytest.importorskip("av")
    pytest.importorskip("cv2")
    folder = tmp_path_factory.mktemp("killed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADVMASK_CONFIG", str(folder / "own"))
        network = write_network(folder / "tiny.onnx")
        given = words(network, folder / "cache", trainer__steps=4)
        assert cli.main(["train", *given, "check=false", f"hydra.run.dir={folder / 'run'}"]) == 0
        portrait = Image.open(portrait_path()).convert("RGB")
        (folder / "in").mkdir()
        for name in ("a.png", "b.jpg", "c.tif"):
            portrait.save(folder / "in" / name)
        with av.open(str(folder / "in" / "d.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 200, 160, "yuv420p"
            for shift in range(6):
                still = np.asarray(portrait.resize((200, 160), box=(130 + shift, 40, 330 + shift, 200)))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(still, format="rgb24")))
            container.mux(stream.encode(None))
        assert cli.main(["calibrate", "chart", "dpi=150", f"out={folder / 'chart'}"]) == 0
        with Image.open(folder / "chart" / "chart.png") as chart:
            chart.convert("RGB").point([round(20 + 0.8 * value) for value in range(256)] * 3).save(
                folder / "scan.jpg", quality=92
            )
        yield folder


def train_anew(place: Path, folder: Path) -> Case:
    more = {"trainer__steps": 20, "trainer__preview_every": 2, "trainer__checkpoint_every": 1}
    given = words(f"onnx:{place / 'tiny.onnx'}", folder / "cache", **more)
    return Case(folder, [], ["train", *given, "check=false", f"hydra.run.dir={folder / 'run'}"])


def train_longer(place: Path, folder: Path) -> Case:
    shutil.copytree(place / "run", folder / "run")
    given = words(f"onnx:{place / 'tiny.onnx'}", place / "cache", trainer__steps=12)
    return Case(folder, [], ["train", *given, "check=false", f"hydra.run.dir={folder / 'run'}"])


def evaluate(place: Path, folder: Path) -> Case:
    shutil.copytree(place / "run", folder / "run")
    given = ["evaluate", str(folder / "run"), "protocol.draws=2", "protocol.progress=false"]
    given += ["protocol.aligners=[bare]"]
    return Case(folder, [[*given, "protocol.seed=1"]], [*given, "protocol.seed=2"])


def export(place: Path, folder: Path) -> Case:
    shutil.copytree(place / "run", folder / "run")
    given = ["export", str(folder / "run"), "paper=a4"]
    return Case(folder, [[*given, "printing.dpi=72"]], [*given, "printing.dpi=80"])


def apply(place: Path, folder: Path) -> Case:
    given = ["apply", str(place / "run"), f"input={place / 'in'}", f"output={folder / 'out'}"]
    return Case(folder, [], [*given, "progress=false"])


def chart(place: Path, folder: Path) -> Case:
    given = ["calibrate", "chart", f"out={folder / 'chart'}", "dpi=150"]
    return Case(folder, [[*given, "seed=1"]], [*given, "seed=2"])


def fit(place: Path, folder: Path) -> Case:
    given = ["calibrate", "fit", str(place / "scan.jpg"), f"out={folder / 'fit'}"]
    return Case(folder, [], [*given, f"printer.name={folder.name}"], done_says="There is a printer")


@pytest.mark.parametrize(
    "kinds",
    [(train_anew, train_longer), (evaluate,), (export,), (apply,), (chart, fit)],
    ids=COMMANDS,
)
def test_killed_at_random_moments(
    server: multiprocessing.context.ForkServerContext,
    place: Path,
    tmp_path: Path,
    kinds: tuple[Callable[[Path, Path], Case], ...],
) -> None:
    draw = random.Random(14)
    unbroken = {kind: _unbroken(server, kind(place, _made(tmp_path / kind.__name__))) for kind in kinds}
    killed, missed = 0, 0
    for number in range(5 * MOMENTS):
        kind = kinds[number % len(kinds)]
        folder = _made(tmp_path / f"{kind.__name__}-{number}")
        case = kind(place, folder)
        for given in case.before:
            assert cli.main(given) == 0
        earlier = {path.name: path.read_bytes() for path in files(folder)} if kind is evaluate else {}
        took, names = unbroken[kind]
        # Every second time as a file appears, for most of the time nothing is written.
        count = draw.randrange(names) if number // len(kinds) % 2 else None
        late = draw.uniform(0, took) * 0.8**missed  # on a busy machine one run is far quicker than another
        if ran(server, case, moment(folder, late, count, draw.uniform(0, 0.003))) != -9:
            missed += 1
            continue
        killed, missed = killed + 1, 0
        for path in files(folder):
            assert_whole(path)
        case.said.unlink(missing_ok=True)
        code = ran(server, case, lambda: False)
        assert code == 0 or (case.done_says and case.done_says in case.said.read_text())
        assert not [path.name for path in folder.rglob(".*")]
        for path in files(folder):
            assert_whole(path)
        kept = {path.read_bytes() for path in files(folder)}
        lost = [name for name, content in earlier.items() if content not in kept]
        assert not lost, f"of the earlier evaluation: {lost}"
        shutil.rmtree(folder)
        if killed == MOMENTS:
            return
    raise AssertionError(f"{killed} of {MOMENTS} were killed before they ended")


def _at_once(
    server: multiprocessing.context.ForkServerContext, said: Path, *commands: list[str]
) -> list[int | None]:
    """Exit codes of commands that run at the same time; their standard error is added to a file."""
    processes = [server.Process(target=_command, args=(words, said)) for words in commands]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in files(folder)}


def test_two_training_runs_in_one_folder(
    server: multiprocessing.context.ForkServerContext,
    place: Path,
    tmp_path: Path,
) -> None:
    case = train_anew(place, tmp_path)
    codes = _at_once(server, case.said, case.again, case.again)
    assert sorted(codes, key=str) == [0, 7]
    assert "Another advmask is training in" in case.said.read_text()
    for path in files(tmp_path):
        assert_whole(path)
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) == 21


def test_two_training_runs_with_one_cache(
    server: multiprocessing.context.ForkServerContext, place: Path, tmp_path: Path
) -> None:
    case = train_anew(place, tmp_path)
    other = [*case.again[:-1], f"hydra.run.dir={tmp_path / 'other'}"]
    assert _at_once(server, case.said, case.again, other) == [0, 0]
    for name in ("texture.safetensors", "metrics.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert not list((tmp_path / "cache").rglob(".*"))
    for path in files(tmp_path):
        assert_whole(path)


def test_two_evaluations_in_one_folder(
    server: multiprocessing.context.ForkServerContext, place: Path, tmp_path: Path
) -> None:
    case = evaluate(place, tmp_path)
    commands = [[*case.again, f"protocol.seed={seed}"] for seed in (1, 2)]
    assert _at_once(server, tmp_path / "said", *commands) == [0, 0]
    found = {
        json.loads(path.read_text())["settings"]["protocol"]["seed"]: path.stem.removeprefix("results")
        for path in (tmp_path / "run").glob("results*.json")
    }
    assert sorted(found) == [1, 2]
    for (seed, number), command in zip(sorted(found.items()), commands, strict=True):
        alone = tmp_path / f"alone-{seed}"
        assert cli.main([*command, f"hydra.run.dir={alone}"]) == 0
        for path in files(alone):
            stem, _, rest = path.name.partition(".")
            same = tmp_path / "run" / f"{stem}{number}.{rest}"
            assert same.read_bytes() == path.read_bytes() or stem == "report"  # which says the command


def test_two_exports_into_one_folder(
    server: multiprocessing.context.ForkServerContext, place: Path, tmp_path: Path
) -> None:
    case = export(place, tmp_path)
    commands = [[*case.again[:-1], f"printing.dpi={dpi}", "overwrite=true"] for dpi in (72, 80)]
    assert _at_once(server, tmp_path / "said", *commands) == [0, 0]
    alone = []
    for number, command in enumerate(commands):
        assert cli.main([*command, f"out={tmp_path / str(number)}"]) == 0
        alone.append(_contents(tmp_path / str(number)))
    found = _contents(tmp_path / "run" / "exports")
    for name in set(alone[0]) - {"files.json"}:
        assert found[name] in (alone[0][name], alone[1][name])
    wins = [all(found[name] == one[name] for name in set(one) - {"files.json"}) for one in alone]
    assert any(wins), "files of both are mixed"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _names(folder: Path) -> list[str]:
    """What lies below a folder while another process makes, renames and deletes there."""
    # os.walk passes over a folder that has just gone; pathlib's rglob fails in Python 3.11.
    return [f"{at}/{name}" for at, folders, names in os.walk(folder) for name in (*folders, *names)]


def _unbroken(server: multiprocessing.context.ForkServerContext, case: Case) -> tuple[float, int]:
    """How long a case takes, and how many names are seen in its folder meanwhile."""
    for given in case.before:
        assert cli.main(given) == 0
    began, seen = time.monotonic(), set[str]()
    assert ran(server, case, lambda: bool(seen.update(_names(case.folder)))) == 0
    return time.monotonic() - began, len(seen)


def moment(folder: Path, late: float, count: int | None, more: float) -> Callable[[], bool]:
    """Whether it is time: so late, or a little after so many names were seen in the folder."""
    began, seen, reached = time.monotonic(), set[str](), list[float]()

    def now() -> bool:
        if count is None:
            return time.monotonic() - began > late
        seen.update(_names(folder))
        if len(seen) > count and not reached:
            reached.append(time.monotonic())
        return bool(reached) and time.monotonic() > reached[0] + more

    return now


def ran(server: multiprocessing.context.ForkServerContext, case: Case, now: Callable[[], bool]) -> int | None:
    """Run a command in a process of its own, and kill it as soon as `now` is true; gives the exit code."""
    process = server.Process(target=_command, args=(case.again, case.said))
    process.start()
    while process.is_alive():
        if now():
            process.kill()
            break
        time.sleep(0.0005)
    process.join()
    return process.exitcode


def _command(words: list[str], said: Path) -> None:
    """The command, with its errors in a file: those of a forked server go where that was started."""
    with said.open("ab") as stream:
        os.dup2(stream.fileno(), 2)
    sys.exit(cli.main(words))


def files(folder: Path) -> list[Path]:
    """All but what is being written, which is hidden."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]


def _tensors(path: Path) -> None:
    with safetensors.safe_open(path, framework="pt") as stored:
        for name in stored.keys():  # noqa: SIM118
            stored.get_tensor(name)


def _rows(path: Path) -> None:
    text = path.read_text()  # rows are appended, and the last may be cut short
    assert len({len(row) for row in csv.reader(text[: text.rfind("\n") + 1].splitlines())}) == 1


def _pages(path: Path) -> None:
    assert len(pypdf.PdfReader(path, strict=True).pages) > 0
    assert path.read_bytes().rstrip().endswith(b"%%EOF")


def _frames(path: Path) -> None:
    import av

    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 6


def _records(shard: Path) -> None:
    content = shard.read_bytes()  # behind the last entry something may have been cut short
    for place in entries(shard, 0)[0].values():
        assert zlib.crc32(content[place.start : place.start + place.length]) == place.checksum


def _ends_with(end: str) -> Callable[[Path], None]:
    def check(path: Path) -> None:
        assert path.read_text().endswith(end)

    return check


_OPENED: dict[str, Callable[[Path], object]] = {
    ".json": lambda path: json.loads(path.read_text()),
    ".yaml": lambda path: dict(yaml.safe_load(path.read_text())),
    ".csv": _rows,
    ".gz": lambda path: gzip.decompress(path.read_bytes()),
    **dict.fromkeys((".png", ".jpg", ".tif"), lambda path: Image.open(path).load()),
    ".pdf": _pages,
    ".svg": ET.parse,
    ".safetensors": _tensors,
    ".ckpt": lambda path: torch.load(path, weights_only=True)["state_dict"],
    ".mp4": _frames,
    ".data": _records,
    ".index": lambda index: None,  # read with its records
    ".html": _ends_with("</html>"),
    **dict.fromkeys((".md", ".tex"), _ends_with("\n")),
}


def assert_whole(path: Path) -> None:
    """Open a file to its end."""
    _OPENED[path.suffix](path)
