"""Paths must reach the configuration letter by letter, whatever the grammars of Hydra and OmegaConf."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hypothesis import assume, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from advmask.cli import main
from advmask.commands.quoting import PATH_KEYS, quote_overrides, quoted
from advmask.commands.settings import COMMAND_SETTINGS
from advmask.core.settings import Settings

REPOSITORY = Path(__file__).parents[2]
PARSER = OverridesParser.create()
# Half of the examples are made of the letters that some grammar gives a meaning to.
WILD = st.one_of(
    st.text(st.characters(exclude_characters="\0"), max_size=40),
    st.text(st.sampled_from(list("\\\"'${}[](),=:#~%*@?|+- \t\nab/.")), max_size=24),
)


def one(word: str, *, multirun: bool = False) -> Override:
    return PARSER.parse_override(quote_overrides([word], multirun=multirun)[0])


def read(override: Override) -> object:
    """The value as a command sees it: after Hydra's parser and OmegaConf's resolution."""
    return OmegaConf.create({"value": override.value()}).value


def is_constant_or_quoted(text: str) -> bool:
    bare = text.strip().lower()
    return bare in {"", "null", "true", "false"} or (text[0] in "\"'" and text[0] == text[-1])


@pytest.mark.parametrize(
    ("word", "key", "value"),
    [
        ("mask=my drawing, (1).SVG", "mask.pattern", "my drawing, (1).SVG"),
        ("mask=a=b.obj", "mask.pattern", "a=b.obj"),
        ("mask=panelled", "mask", "panelled"),
    ],
)
def test_a_file_may_stand_for_a_mask(word: str, key: str, value: str) -> None:
    override = one(word)
    assert (override.key_or_group, read(override)) == (key, value)


@given(WILD)
def test_any_text_arrives_as_it_was(text: str) -> None:
    assume(text != "???")
    assert read(PARSER.parse_override(f"key={quoted(text)}")) == text


@given(st.sampled_from(sorted(PATH_KEYS - {"hydra.run.dir", "hydra.sweep.dir"})), WILD)
def test_a_path_arrives_as_it_was_typed(key: str, path: str) -> None:
    assume(not is_constant_or_quoted(path) and not path.startswith("~") and path != "???")
    override = one(f"{key}={path}")
    assert (override.key_or_group, read(override)) == (key, path)


@given(WILD)
def test_a_job_of_a_sweep_gets_the_same_path(path: str) -> None:
    """Hydra writes the values of a sweep back into words and parses these again."""
    assume(path != "???")
    first = PARSER.parse_override(f"design={quoted(path)},other")
    assert first.is_sweep_override()
    words = list(first.sweep_string_iterator())
    assert read(PARSER.parse_override(f"design={words[0]}")) == path


@given(st.lists(WILD, min_size=1, max_size=4))
def test_recognizers_quoted_by_hand_arrive_as_a_list(names: list[str]) -> None:
    assume("???" not in names)
    word = f"recognizers=[{','.join(quoted(name) for name in names)}]"
    assert list(read(one(word))) == names  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "path",
    [
        "/my photos/a b",
        "/a[1]/(x),{y}=z",
        "C:\\Users\\me\\",
        'say "hi"',
        "it's",
        "/a/${HOME}/$x",
        "\\${a}",
        "#1/ä/写真",
        "2024",
        "1e3",
        " lead and trail ",
        "nullable",
    ],
)
def test_paths_that_people_have(path: str) -> None:
    assert read(one(f"faces.root={path}")) == path
    assert read(one(f"+faces.root={path}")) == path


@pytest.mark.parametrize(
    ("word", "value"), [("null", None), ("NULL", None), ("true", True), ("False", False)]
)
def test_constants_keep_their_meaning(word: str, value: object) -> None:
    assert read(one(f"faces.cache={word}")) is value


def test_home_is_expanded_only_at_the_front(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read(one("faces.root=~/a b//c/")) == f"{tmp_path}/a b//c/"
    assert read(one("faces.root=~")) == str(tmp_path)
    assert read(one("faces.root=/a/~/b")) == "/a/~/b"
    assert read(one("faces.root=~nobody-of-this-name/x")) == "~nobody-of-this-name/x"
    assert list(read(one("recognizers=[onnx:~/c=d.onnx]"))) == [f"onnx:{tmp_path}/c=d.onnx"]  # type: ignore[call-overload]


def test_what_is_quoted_by_hand_is_left_alone() -> None:
    words = [
        "design='a, b'",
        'design="~/x"',
        "design='${oc.env:HOME}'",
        "texture=palette",
        "~design",
        "steps=[1,2]",
    ]
    assert quote_overrides(words) == words


@pytest.mark.parametrize("ink", ["#f2efe6", "'#f2efe6'", '"#f2efe6"'])
def test_a_colour_needs_no_quotes_inside(ink: str) -> None:
    assert read(one(f"texture.palette.inks=[black,{ink}, navy]")) == ["black", "#f2efe6", "navy"]
    (locked,) = read(one(f"texture.locked=[{{mask: logo.png, content: {ink}}}]"))  # type: ignore[misc]
    assert locked == {"mask": "logo.png", "content": "#f2efe6"}
    assert read(one(f"effects.of_ones_own={ink}")) == "#f2efe6"


def _paths(kind: type[Settings], before: str = "") -> Iterator[str]:
    for name, field in kind.model_fields.items():
        for part in (field.annotation, *get_args(field.annotation)):
            if part is Path:
                yield before + name
            elif isinstance(part, type) and issubclass(part, Settings):
                yield from _paths(part, f"{before}{name}.")


@pytest.mark.parametrize("command", COMMAND_SETTINGS)
def test_every_path_of_a_command_is_taken_letter_by_letter(command: str) -> None:
    assert set(_paths(COMMAND_SETTINGS[command])) <= PATH_KEYS


DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def test_documented_lists_reach_the_command_as_they_are_printed() -> None:
    """In bash and in zsh, which takes an unquoted [...] for names of files."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    fence = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
    fenced = [block for language, block in fence.findall(text) if language in ("", "sh")]
    typed = [line for block in fenced for line in block.replace("\\\n", " ").splitlines()]
    typed += re.findall(r"`([^`\n]+)`", fence.sub("", text))
    lists = [line for line in typed if re.search(r"(^|[\s'])[a-z][\w.]*=\[", line) and "(" not in line]
    assert len(lists) > 20
    for line in lists:
        if '=["dlib", mine]' in line:  # of Python
            continue
        split = shlex.split(line, comments=True)
        words = [word for word in split if re.match(r"[a-z][\w.]*=\[", word)]
        assert words, line
        for word in words:
            assert f"'{word}'" in line, f"quote the whole of {word}"
            assert isinstance(one(word).value(), list), word


def test_run_folders_may_interpolate() -> None:
    override = one("hydra.run.dir=runs/${name} b")
    assert OmegaConf.create({"name": "n", "value": override.value()}).value == "runs/n b"
    assert read(one("hydra.run.dir=a${b")) == "a${b"


def test_folders_called_like_interpolations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "a${x}b"
    here.mkdir()
    monkeypatch.chdir(here)
    assert main(["pattern", "out=${now:%Y}", "hydra.run.dir=r\\${y}"]) == 0
    assert (here / "${now:%Y}").is_dir()
    assert (here / "r${y}").is_dir()
    assert main(["pattern", "hydra.run.dir=r${y}"]) == 2
    assert "asks for the value of a setting by ${...}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("dlib", ["dlib"]),
        ("[dlib]", ["dlib"]),
        ("[]", []),
        ("dlib,facenet:vggface2", ["dlib", "facenet:vggface2"]),
        ("[dlib,onnx:/a b/c=d.onnx]", ["dlib", "onnx:/a b/c=d.onnx"]),
        ("[onnx:/a,b.onnx, dlib]", ["onnx:/a,b.onnx", "dlib"]),
        ("[onnx:/a [1],(2)/it's.onnx,facenet:casia]", ["onnx:/a [1],(2)/it's.onnx", "facenet:casia"]),
        ("onnx:/x,y/z.onnx", ["onnx:/x,y/z.onnx"]),
        ("['onnx:/a,dlib',dlib]", ["onnx:/a,dlib", "dlib"]),
    ],
)
def test_recognizers(typed: str, names: list[str]) -> None:
    assert list(read(one(f"recognizers={typed}"))) == names  # type: ignore[call-overload]


def test_detectors_in_a_home_folder() -> None:
    home = Path("~").expanduser()
    for key in ("protocol.aligners", "surrogates.aligners"):
        assert read(one(f"{key}=[scrfd:~/det.onnx, bare]")) == [f"scrfd:{home}/det.onnx", "bare"]


def test_recognizers_may_be_none() -> None:
    assert read(one("recognizers=null")) is None


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("design=runs/a,runs/b c", ["runs/a", "runs/b c"]),
        ("design=runs/a, 'x,y'", ["runs/a", "x,y"]),
        ("recognizers=dlib,facenet:casia", [["dlib"], ["facenet:casia"]]),
        ("recognizers=[dlib,onnx:/a.onnx],[facenet:casia]", [["dlib", "onnx:/a.onnx"], ["facenet:casia"]]),
        ("design=choice(a,b)", ["a", "b"]),
    ],
)
def test_commas_separate_the_values_of_a_sweep(word: str, values: list[object]) -> None:
    override = one(word, multirun=True)
    key = override.key_or_group
    jobs = [read(PARSER.parse_override(f"{key}={text}")) for text in override.sweep_string_iterator()]
    assert [list(job) if isinstance(values[0], list) else job for job in jobs] == values  # type: ignore[call-overload]


def test_folders_of_hydra_are_never_swept() -> None:
    override = one("hydra.sweep.dir=a,b", multirun=True)
    assert not override.is_sweep_override()
    assert read(override) == "a,b"
