"""What lies in the weights folder, what is known of it, and how weights come there."""

import hashlib
import io
import shutil
import urllib.error
import zipfile
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import torch
from published_names import facenet_shapes, random_state

from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers import weights_folder, weights_store
from advmask.recognizers.adapters import BUILDERS
from advmask.recognizers.download import download
from advmask.recognizers.recognizer_names import (
    build_recognizer,
    build_recognizers,
    present,
    recorded_names,
)
from advmask.recognizers.specification import NetworkSpecification
from advmask.recognizers.weights_folder import (
    VARIABLE,
    checked_sha256,
    held,
    record,
    same_files,
    weight_folders,
)
from advmask.recognizers.weights_store import add, get, verify
from advmask.recognizers.zoo import ZooEntry, zoo

WriteNetwork = Callable[..., Path]
CASIA = "facenet:casia-webface"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights folder of the test; it does not exist yet."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept here"))
    return tmp_path / "kept here"


def test_every_entry_says_where_from_and_how() -> None:
    for name, entry in zoo().items():
        assert entry.name == name
        assert entry.recognizer.partition(":")[0] in BUILDERS
        assert sum(each is not None for each in (entry.package, entry.url, entry.page)) == 1
        assert (entry.file is None) == (entry.package is not None)
        assert entry.member is None or str(entry.url).endswith(".zip")
        assert entry.sha256 is None or len(entry.sha256) == 64
        assert not (entry.url or "").startswith("http:")
        if entry.specification_text:
            import yaml

            NetworkSpecification.build(yaml.safe_load(entry.specification_text))
    assert len({entry.file for entry in zoo().values() if entry.file}) == len(zoo()) - 1


def test_folders_come_from_the_variable_or_the_cache(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert weight_folders() == [folder]
    monkeypatch.setenv(VARIABLE, "~/a:/b c")
    monkeypatch.setenv("HOME", "/home/of-mine")
    assert weight_folders() == [Path("/home/of-mine/a"), Path("/b c")]
    for empty in ("", " "):
        monkeypatch.setenv(VARIABLE, empty)
        assert weight_folders()[0].parts[-2:] == ("advmask", "weights")


def test_what_is_here_is_found_by_name(folder: Path, write_network: WriteNetwork) -> None:
    assert [each.name for each in held()] == ["dlib"]
    write_network(folder / "mine.onnx")
    (folder / "bare.onnx").write_bytes(b"without a YAML")
    (folder / "notes.txt").write_text("nothing")
    assert [each.recognizer for each in held()] == ["dlib", f"onnx:{folder / 'mine.onnx'}"]
    assert build_recognizer("mine").name == f"onnx:{folder / 'mine.onnx'}"
    assert build_recognizer("mine").label == "mine"
    with pytest.raises(ConfigError, match=r"Unknown recognizer 'mein'; did you mean mine"):
        build_recognizer("mein")


def test_two_files_of_a_name_are_ambiguous(folder: Path, write_network: WriteNetwork) -> None:
    path = write_network(folder / "mine.onnx")
    shutil.copy(path, folder / "mine.pt")
    with pytest.raises(
        ConfigError, match=r"'mine' is ambiguous; write onnx:.*mine\.onnx or torchscript:.*mine\.pt"
    ):
        build_recognizer("mine")


def test_present_is_everything_that_is_here(
    folder: Path, write_network: WriteNetwork, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    first = write_network(folder / "first.onnx")
    write_network(folder / "second.onnx", gradient=False, seed=1)
    assert present() == ["dlib", f"onnx:{first}", f"onnx:{folder / 'second.onnx'}"]
    assert [each.label for each in build_recognizers(["present"])] == ["dlib", "first", "second"]
    differentiable = build_recognizers(["present"], differentiable=True)
    assert [each.label for each in differentiable] == ["dlib", "first"]
    assert told == ["second is left out of training: the YAML next to second.onnx says gradient: false."]
    # What is named as well is not taken twice.
    monkeypatch.chdir(folder)
    for named in ("first", f"onnx:{first}", "onnx:first.onnx"):
        found = build_recognizers([named, "present"])
        assert sorted(each.label for each in found) == ["dlib", "first", "second"]


def test_recorded_names_mean_the_same_from_anywhere(
    folder: Path, tmp_path: Path, write_network: WriteNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = write_network(folder / "mine.onnx")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/of-mine")
    for name, expected in {
        "dlib": "dlib",
        "facenet:vggface2": "facenet:vggface2",
        "mine": f"onnx:{mine}",
        "onnx:a b.onnx": f"onnx:{tmp_path}/a b.onnx",
        "magface:~/m.pth": "magface:/home/of-mine/m.pth",
        "python:my.module:build": "python:my.module:build",
        "python:nets/my.py:build": f"python:{tmp_path}/nets/my.py:build",
        "nonsense": "nonsense",
        "onnx:": "onnx:",
    }.items():
        assert recorded_names([name]) == [expected]
    assert recorded_names(["present"]) == ["dlib", f"onnx:{mine}"]
    assert recorded_names(["mine", "present"]) == [f"onnx:{mine}", "dlib"]


def test_known_weights_that_are_not_here_say_what_to_do(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"arcface-r50-ms1mv3\.pth was expected. Run: advmask weights get"):
        build_recognizer("arcface-r50-ms1mv3")
    with pytest.raises(ConfigError, match=r"did you mean arcface-r50-ms1mv3 or"):
        get("arcface-r50")
    with pytest.raises(
        WeightsError, match=rf"put it here as {folder}/arcface-r50-ms1mv3\.pth, or run: advmask"
    ):
        get("arcface-r50-ms1mv3")


def test_a_changed_file_is_noticed(folder: Path, tmp_path: Path, write_network: WriteNetwork) -> None:
    path = write_network(folder / "mine.onnx")
    record(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert checked_sha256(path) == build_recognizer("mine").weights_sha256
    assert [problem for _, _, problem in verify()] == [None, None]
    write_network(path, seed=1)
    with pytest.raises(WeightsError, match=r"mine\.onnx has SHA-256 .*, but SHA256SUMS next to it says"):
        build_recognizer("mine")
    was, now = (folder / "SHA256SUMS").read_text()[:12], hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    assert verify()[1][2] == f"found {now}, SHA256SUMS next to it says {was}"
    # A file that takes the place of one that is gone is refused in words about what the user gave.
    given = write_network(tmp_path / "elsewhere" / "mine.onnx", seed=1)
    path.unlink()
    with pytest.raises(
        ConfigError, match=r"elsewhere/mine\.onnx has SHA-256 .*; choose another name, or take"
    ):
        add(given)


def test_one_file_under_two_names_is_noticed(folder: Path, write_network: WriteNetwork) -> None:
    for name, seed in (("a", 0), ("b", 1), ("c", 0)):
        write_network(folder / f"{name}.onnx", seed=seed)
    assert len({path.stat().st_size for path in folder.glob("*.onnx")}) == 1
    assert [[each.name for each in group] for group in same_files(held())] == [["a", "c"]]


def test_the_weights_that_a_package_brings_are_not_to_be_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.dat"
    file.write_bytes(b"x")
    with pytest.raises(ConfigError, match="face_recognition_models, which is installed: they are here"):
        add(file, name="dlib")
    monkeypatch.setattr(weights_store, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="which is missing: pip install face_recognition_models"):
        add(file, name="dlib")


def _facenet(path: Path) -> Path:
    torch.save(random_state(facenet_shapes(3)), path)
    return path


def test_add_knows_the_weights_of_the_table(folder: Path, tmp_path: Path) -> None:
    file = _facenet(tmp_path / "what came from a friend.pt")
    found, recognizer = add(file, name=CASIA)
    assert found.path == folder / "20180408-102900-casia-webface.pt"
    assert recognizer.label == "facenet-casia-webface"
    assert recognizer.specification.embedding == 512
    assert recognizer.licence == "MIT"
    sums = (folder / "SHA256SUMS").read_text()
    assert sums == f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {found.path.name}\n"
    assert present() == ["dlib", CASIA]
    # This one has a checksum that is known, and it is another.
    with pytest.raises(
        WeightsError, match="damaged or another network; give a network of your own another name"
    ):
        add(file, name="facenet:vggface2")


def test_add_takes_a_network_of_ones_own(folder: Path, tmp_path: Path, write_network: WriteNetwork) -> None:
    file = write_network(tmp_path / "Net.onnx")
    found, recognizer = add(file, name="my-net")
    assert found.path == folder / "my-net.onnx"
    assert recognizer.specification.embedding == 6
    assert build_recognizer("my-net").calibrated.threshold == 0.3
    add(file, name="my-net")  # the same again does no harm
    with pytest.raises(ConfigError, match=r"my-net\.onnx exists and is another file"):
        add(write_network(tmp_path / "Other.onnx", seed=2), name="my-net")
    for name in ("../x", "present", "a b"):
        with pytest.raises(ConfigError, match="cannot be a name"):
            add(file, name=name)
    with pytest.raises(WeightsError, match="There is no file"):
        add(tmp_path / "gone.onnx")


def test_add_leaves_nothing_of_what_it_refuses(
    folder: Path, tmp_path: Path, write_network: WriteNetwork
) -> None:
    file = write_network(tmp_path / "net.onnx")
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(WeightsError, match=r"net\.onnx"):
        add(file)
    state = tmp_path / "net.pth"
    torch.save({"w": torch.zeros(3)}, state)
    file.with_suffix(".yaml").unlink()
    with pytest.raises(ConfigError, match="does not say what reads it; give adapter=iresnet50"):
        add(state)
    with pytest.raises(WeightsError, match="holds the weights of another network"):
        add(state, adapter="magface")
    assert not folder.exists() or not list(folder.iterdir())


def test_add_names_the_file_that_was_given(
    folder: Path, tmp_path: Path, write_network: WriteNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_network(tmp_path / "from me" / "mine.onnx")
    beside = file.with_suffix(".yaml")
    text, content = beside.read_text(), file.read_bytes()

    def refused(**settings: Any) -> str:
        with pytest.raises((WeightsError, ConfigError)) as caught:
            add(file, **settings)
        said = str(caught.value)
        assert str(folder) not in said
        return said

    beside.write_text(text.replace("rgb", "grb"))
    assert refused(name="other").startswith(f"{beside}: Setting channels='grb'")
    beside.write_text(text)
    file.write_bytes(content[:50])
    assert refused(name="other").startswith(f"{file} is not a whole ONNX file")
    beside.unlink()
    known = next(entry for entry in zoo().values() if entry.recognizer == "onnx:FILE" and not entry.beside)
    values = known.model_dump() | {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    for module in (weights_folder, weights_store):
        monkeypatch.setattr(module, "zoo", lambda: {known.name: ZooEntry.build(values)})
    for settings in ({"name": "other"}, {}, {"name": known.name}):
        assert refused(**settings).startswith(f"{file} needs a file mine.yaml next to it")
    torch.save({"w": torch.zeros(3)}, file)
    assert "does not say what reads it; give adapter=iresnet50" in refused()
    beside.write_text(text)
    script = file.rename(file.with_suffix(".pt"))
    with pytest.raises(ConfigError, match=r"mine\.pt does not say what reads it; give adapter=iresnet50"):
        add(script)


class _Response(io.BytesIO):
    """What urlopen gives, as far as it is used."""

    def __init__(self, content: bytes, *, status: int = 200, **headers: str) -> None:
        super().__init__(content)
        self.status, self.headers = status, Message()
        for name, value in headers.items():
            self.headers[name.replace("_", "-")] = value


class _Server:
    """Serves one file, with ranges; closes the connection early where told to."""

    def __init__(self, content: bytes, *, ranges: bool = True, breaks_after: int | None = None) -> None:
        self.content, self.ranges, self.breaks_after = content, ranges, breaks_after
        self.asked: list[str | None] = []

    def __call__(self, request: Any, timeout: float) -> _Response:
        wanted = request.get_header("Range")
        self.asked.append(wanted)
        start = int(wanted[6:-1]) if wanted and self.ranges else 0
        if start >= len(self.content) and start:
            headers = Message()
            headers["Content-Range"] = f"bytes */{len(self.content)}"
            raise urllib.error.HTTPError(request.full_url, 416, "no such range", headers, io.BytesIO())
        rest = self.content[start:]
        told = {"Content_Length": str(len(rest))}
        if start:
            told["Content_Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        cut = rest if self.breaks_after is None else rest[: self.breaks_after]
        return _Response(cut, status=206 if start else 200, **told)


CONTENT = bytes(range(256)) * 40
SUM = hashlib.sha256(CONTENT).hexdigest()


def _download(target: Path, server: _Server, **settings: Any) -> str:
    return download("https://example.org/x.pt", target, progress=False, opener=server, **settings)


def test_download_checks_and_renames(folder: Path) -> None:
    assert _download(folder / "x.pt", _Server(CONTENT), checksum=SUM) == SUM
    assert (folder / "x.pt").read_bytes() == CONTENT
    assert [path.name for path in folder.iterdir()] == ["x.pt"]


@pytest.mark.parametrize("ranges", [True, False])
def test_download_goes_on_where_it_broke(folder: Path, ranges: bool) -> None:
    with pytest.raises(WeightsError, match=r"broke after 1000 of 10240 bytes .* repeat the command to go on"):
        _download(folder / "x.pt", _Server(CONTENT, breaks_after=1000))
    assert not (folder / "x.pt").exists()
    server = _Server(CONTENT, ranges=ranges)
    assert _download(folder / "x.pt", server, checksum=SUM) == SUM
    assert server.asked == ["bytes=1000-"]
    assert (folder / "x.pt").read_bytes() == CONTENT


def test_download_that_was_whole_already_is_taken_or_begun_again(folder: Path) -> None:
    folder.mkdir()
    (folder / "x.pt.part").write_bytes(CONTENT)
    assert _download(folder / "x.pt", _Server(CONTENT), checksum=SUM) == SUM
    (folder / "y.pt.part").write_bytes(CONTENT + b"more")
    assert _download(folder / "y.pt", _Server(CONTENT), checksum=SUM) == SUM


def test_download_of_something_else_is_deleted(folder: Path) -> None:
    with pytest.raises(WeightsError, match=rf"has SHA-256 {SUM}; {'0' * 64} was expected. It is deleted"):
        _download(folder / "x.pt", _Server(CONTENT), checksum="0" * 64)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "error",
    [urllib.error.URLError("Name or service not known"), TimeoutError("timed out"), ConnectionResetError()],
)
def test_without_a_network_the_error_says_which_file_to_put_where(folder: Path, error: Exception) -> None:
    def offline(*_: Any, **__: Any) -> Any:
        raise error

    def fetch(*arguments: Any, **settings: Any) -> str:
        return download(*arguments, **settings, opener=offline)

    says = rf"Cannot download https://.*put it here as {folder}/20180408-102900-casia-webface\.pt, or run:"
    with pytest.raises(WeightsError, match=says):
        get(CASIA, progress=False, fetch=fetch)
    assert not list(folder.iterdir())


def test_get_trusts_the_first_download_and_records_it(folder: Path, tmp_path: Path) -> None:
    content = _facenet(tmp_path / "x.pt").read_bytes()
    calls = []

    def fetch(*arguments: Any, **settings: Any) -> str:
        calls.append(arguments[0])
        return download(*arguments, **settings, opener=_Server(content))

    found = get(CASIA, progress=False, fetch=fetch)
    assert found.path == folder / "20180408-102900-casia-webface.pt"
    assert found.path.name in (folder / "SHA256SUMS").read_text()
    get(CASIA, progress=False, fetch=fetch)  # it is here
    assert calls == [zoo()[CASIA].url]
    found.path.write_bytes(content[:-1])
    with pytest.raises(WeightsError, match="SHA256SUMS next to it says"):
        get(CASIA, progress=False, fetch=fetch)


def test_get_deletes_what_does_not_serve(folder: Path) -> None:
    def fetch(*arguments: Any, **settings: Any) -> str:
        return download(*arguments, **settings, opener=_Server(b"<html>Sign in</html>"))

    with pytest.raises(WeightsError, match=r"What came from https://.* is deleted, for it does not serve"):
        get(CASIA, progress=False, fetch=fetch)
    assert not list(folder.iterdir())


def test_get_takes_a_file_out_of_an_archive(
    folder: Path, tmp_path: Path, write_network: WriteNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = write_network(tmp_path / "n.onnx", size=[112, 112], embedding=512).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("pack/other.onnx", b"x")
        archive.writestr("pack/w.onnx", inner)
    values = zoo()["insightface-mbf-webface600k"].model_dump() | {"name": "boxed", "file": "boxed.onnx"}
    values |= {"member": "w.onnx", "sha256": hashlib.sha256(inner).hexdigest()}

    def fetch(*arguments: Any, **settings: Any) -> str:
        return download(*arguments, **settings, opener=_Server(packed.getvalue()))

    for changes, says in (
        ({"member": "gone.onnx"}, "not an archive with gone.onnx"),
        ({"sha256": "0" * 64}, "0000 was"),
    ):
        table = {"boxed": ZooEntry.build({**values, **changes})}
        for module in (weights_folder, weights_store):
            monkeypatch.setattr(module, "zoo", lambda table=table: table)
        with pytest.raises(WeightsError, match=says):
            get("boxed", progress=False, fetch=fetch)
        assert not list(folder.iterdir())
    for module in (weights_folder, weights_store):
        monkeypatch.setattr(module, "zoo", lambda: {"boxed": ZooEntry.build(values)})
    assert get("boxed", progress=False, fetch=fetch).recognizer == f"onnx:{folder / 'boxed.onnx'}"
    assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "boxed.onnx", "boxed.yaml"]
    assert (folder / "boxed.onnx").read_bytes() == inner


@pytest.mark.shared
def test_the_networks_at_hand_are_present(shared_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(shared_dir / "weights"))
    found = build_recognizers(["present"], differentiable=True)
    assert {
        ("dlib", "dlib"),
        ("mobilefacenet_ms1m", "mobilefacenet"),
        ("mobileface_v2", "mobileface"),
    } <= {(each.label, each.family) for each in found}
    assert all(each.licence and each.source for each in found if each.label != "faceres_mobilenet_vgg2")
