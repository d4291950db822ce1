"""Help: fast, true to the composed configuration, and in our own words."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from advmask import cli
from advmask.commands.arguments import parse
from advmask.commands.settings import TrainCommand
from advmask.commands.settings_text import Setting, known_keys, settings
from advmask.commands.texts import OVERVIEW_EXAMPLES, TEXTS
from advmask.core.config_folders import conf_dir
from advmask.core.settings_help import help_of


def test_help_imports_nothing_heavy(conf: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import advmask.core.config_folders; from advmask import cli\n"
        f"advmask.core.config_folders.conf_dir = lambda: Path({str(conf)!r})\n"
        "for words in (['--help'], [], ['train', '--help']):\n"
        "    code = cli.main(words)\n"
        "    heavy = {'torch', 'numpy', 'kornia', 'pytorch_lightning', 'wandb', 'PIL'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
        "    print('exit code', code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *texts, rest = done.stdout.split("exit code 0\n")
    assert (len(texts), rest) == (3, "")
    assert all("Usage: advmask" in text for text in texts)


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, command in cli.COMMANDS.items():
        assert f"  {name} " in text
        assert command.summary in text
    assert all(example in text for example in OVERVIEW_EXAMPLES)
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("place", [["--help"], ["steps=2", "-h"]])
def test_help_of_a_command(conf: Path, capsys: pytest.CaptureFixture[str], place: list[str]) -> None:
    assert cli.main(["train", *place]) == 0
    text = capsys.readouterr().out
    assert TEXTS["train"].purpose in text
    assert all(example in text for example in TEXTS["train"].examples)
    assert "texture=palette" in text
    assert "hydra.run.dir=DIR" in text
    assert "owered by" not in text  # the words of Hydra's own template


def test_settings_are_those_composed_with_the_help_of_their_class(conf: Path) -> None:
    assert settings(conf, "train", ["steps=3"]) == [
        Setting("faces", "folder", "Whose (one of: folder)"),
        Setting("texture", "palette", "What is learned (one of: palette, pixels)"),
        Setting("recognizers", "[dlib]", help_of(TrainCommand, "recognizers")),
        Setting("design", "null"),
        Setting("steps", "3"),
        Setting("input", "???"),
        Setting("faces.root", "null", help_of(TrainCommand, "faces.root")),
        Setting("faces.cache", "null", help_of(TrainCommand, "faces.cache")),
        Setting("texture.start", "null", help_of(TrainCommand, "texture.start")),
        Setting("texture.colours", "4"),
        Setting("light.angle", "30.0"),
        Setting("light.note", "'x # y'"),
    ]


def test_known_keys_hold_sections_and_follow_choices(conf: Path) -> None:
    keys = known_keys(conf, "train", ["texture=pixels"])
    assert {"light", "light.angle", "texture", "texture.size"} <= set(keys)
    assert "texture.colours" not in keys


def test_a_choice_of_a_whole_task_is_explained(conf: Path) -> None:
    (conf / "experiment").mkdir()
    (conf / "experiment" / "small.yaml").write_text("# @package _global_\nsteps: 5\n", encoding="utf-8")
    rows = {row.key: row for row in settings(conf, "train", ["+experiment=small"])}
    assert rows["steps"].default == "5"
    assert rows["experiment"].comment == "a whole task (one of: small)"


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_setting_of_every_command_is_explained(command: str) -> None:
    assert [row.key for row in settings(conf_dir(), command) if not row.comment] == []


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_examples_are_words_the_command_line_accepts(name: str) -> None:
    for example in TEXTS[name].examples:
        program, command, *words = shlex.split(example)
        assert all(f"'{word}'" in example for word in words if "[" in word), "zsh takes [...] for file names"
        assert (program, command) == ("advmask", name)
        assert parse(command, words, cli.COMMANDS[command].positionals).overrides


def test_every_text_has_a_command() -> None:
    assert set(TEXTS) <= set(cli.COMMANDS)
