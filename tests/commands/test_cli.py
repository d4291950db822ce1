"""The console script from the outside: exit codes, one sentence on stderr, folders."""

import errno
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

import advmask
from advmask import cli
from advmask.commands.output import output_dir
from advmask.core.errors import PhotoError

Install = Callable[[Callable[[DictConfig], None]], None]


class Recorder:
    """A command that keeps what it was given."""

    def __init__(self) -> None:
        self.configs: list[Any] = []
        self.folders: list[Path] = []

    def __call__(self, config: DictConfig) -> None:
        self.configs.append(OmegaConf.to_container(config, resolve=True))
        self.folders.append(output_dir())


@pytest.fixture
def seen(command: Install) -> Recorder:
    recorder = Recorder()
    command(recorder)
    return recorder


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    return captured.err.strip()


def test_settings_arrive_and_the_run_folder_is_made(seen: Recorder, tmp_path: Path) -> None:
    assert (
        cli.main(["train", "steps=3", f"hydra.run.dir={tmp_path}/a b, [c]=d", "faces.root=/x (1)/y=z"]) == 0
    )
    assert seen.configs[0]["steps"] == 3
    assert seen.configs[0]["faces"]["root"] == "/x (1)/y=z"
    assert seen.folders == [tmp_path / "a b, [c]=d"]
    assert list(seen.folders[0].iterdir()) == []  # no files of Hydra's


def test_the_default_run_folder(seen: Recorder) -> None:
    assert cli.main(["train"]) == 0
    assert seen.folders[0].parent == Path.cwd() / "runs" / "train"
    assert [path.name for path in Path.cwd().iterdir()] == ["runs"]


def test_a_design_that_is_a_run_is_the_output_folder(seen: Recorder, tmp_path: Path) -> None:
    run = tmp_path / "my run"
    run.mkdir()
    picture = tmp_path / "design.png"
    picture.touch()
    assert [cli.main(["preview", f"design={design}"]) for design in (run, picture, "null")] == [0, 0, 0]
    assert seen.folders[0] == run
    assert {folder.parent for folder in seen.folders[1:]} == {Path.cwd() / "runs" / "preview"}


def test_bare_words_fill_positionals(seen: Recorder, tmp_path: Path) -> None:
    words = ["runs/first", "a,b.jpg", "./c=d.jpg", "faces.root=x", f"hydra.run.dir={tmp_path}/out"]
    assert cli.main(["preview", *words]) == 0
    assert seen.configs[0]["design"] == "runs/first"
    assert seen.configs[0]["photos"] == ["a,b.jpg", "./c=d.jpg"]


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["--faces", "~/a b"], "faces.root", "HOME/a b"),
        (["--faces=~/a b"], "faces.root", "HOME/a b"),
        (["--faces.root", "/x=y, z"], "faces.root", "/x=y, z"),
        (["--design", "runs/x"], "design", "runs/x"),
        (["--design=a=b,c"], "design", "a=b,c"),
        (["--texture", "pixels"], "texture.size", 5),
        (["--steps", "-3"], "steps", -3),
        (["--light.angle=2.5", "steps=7"], "light.angle", 2.5),
        (["--design", "steps=7"], "steps", 7),
    ],
)
def test_settings_may_be_written_as_options(
    seen: Recorder, monkeypatch: pytest.MonkeyPatch, words: list[str], key: str, value: object
) -> None:
    monkeypatch.setenv("HOME", "HOME")
    assert cli.main(["train", *words]) == 0
    assert OmegaConf.select(OmegaConf.create(seen.configs[0]), key) == value


def test_an_option_alone_switches_on(seen: Recorder) -> None:
    assert cli.main(["train", "--design", "--faces.cache", "--steps", "2"]) == 0
    assert seen.configs[0]["faces"]["cache"] is True
    assert (seen.configs[0]["design"], seen.configs[0]["steps"]) == (True, 2)


def test_bare_words_may_stand_behind_settings(seen: Recorder) -> None:
    assert cli.main(["preview", "--faces", "~nobody", "runs/first", "faces.cache=x", "a.jpg"]) == 0
    assert (seen.configs[0]["design"], seen.configs[0]["photos"]) == ("runs/first", ["a.jpg"])


def test_a_sweep_runs_each_value(seen: Recorder, tmp_path: Path) -> None:
    words = ["train", "steps=1,2", "-m", "design=a b,c", f"hydra.sweep.dir={tmp_path}/s s"]
    assert cli.main(words) == 0
    assert [(c["steps"], c["design"]) for c in seen.configs] == [(1, "a b"), (1, "c"), (2, "a b"), (2, "c")]
    assert seen.folders == [tmp_path / "s s" / str(job) for job in range(4)]


def test_cfg_prints_and_does_not_run(seen: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "steps=7", "--cfg", "job", "input=x"]) == 0
    assert OmegaConf.create(capsys.readouterr().out).steps == 7
    assert seen.configs == []


def test_the_process_is_left_as_it_was(seen: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    argv, environment = list(sys.argv), dict(os.environ)
    assert cli.main(["train"]) == 0
    assert cli.main(["train", "nonsense=1"]) == 2
    assert sys.argv == argv
    assert dict(os.environ) == environment


def test_processes_started_by_the_command_see_the_words_as_typed(command: Install) -> None:
    seen: list[list[str]] = []
    command(lambda _: seen.append(sys.argv[1:]))
    words = ["train", "faces.root=a b", "steps=2"]
    assert cli.main(words) == 0
    assert seen == [words]


def test_extra_processes_share_the_folder(command: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []
    environments: list[dict[str, str]] = []

    def run(_: DictConfig) -> None:
        folders.append(output_dir())
        environments.append(dict(os.environ))

    command(run)
    assert cli.main(["train", "hydra.run.dir=here"]) == 0
    # As Lightning starts the process of a second device: the same environment but for the rank.
    for name, value in (environments[0] | {"LOCAL_RANK": "1"}).items():
        monkeypatch.setenv(name, value)
    assert cli.main(["train", "hydra.run.dir=elsewhere"]) == 0
    assert folders == [Path.cwd() / "here"] * 2
    assert not Path("elsewhere").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["faces.rot=x"], "Unknown setting faces.rot; did you mean faces.root?"),
        (["root=x"], "Unknown setting root; did you mean faces.root?"),
        (["texture=pixels", "texture.sise=3"], "Unknown setting texture.sise; did you mean texture.size?"),
        (["hydra.run.dri=x"], "Unknown setting hydra.run.dri; did you mean hydra.run.dir?"),
        (["qqq=x"], "Unknown setting qqq; advmask train --help lists the settings."),
        (["~stepz"], "Unknown setting stepz; did you mean steps?"),
        (
            ["texture=pixel"],
            "Unknown choice texture=pixel; texture is one of: palette, pixels. Did you mean texture=pixels?",
        ),
        (["texture=zzz"], "Unknown choice texture=zzz; texture is one of: palette, pixels."),
        (
            ["texture=3"],
            "A choice between files is written GROUP=NAME, and a number is not a name of a file.",
        ),
        (
            ["texture=palette,pixels"],
            "Only one texture can be chosen, not palette,pixels; add -m to run each.",
        ),
        (
            ["steps=1,2"],
            "Setting steps=1,2 holds a comma: write steps=[1,2] for a list, or add -m to run each value.",
        ),
        (["steps=range(1,3)"], "Setting steps=range(1,3) is a sweep: add -m to run each value."),
        (["+steps=1"], "Setting steps exists; write it without the plus sign."),
        (["steps=[1"], "Cannot read 'steps=[1'"),
        (["steps=2", "stray"], "Cannot read 'stray': train takes settings as KEY=VALUE here"),
        (["stray"], "Cannot read 'stray': train takes settings as KEY=VALUE here"),
        (["--mulirun"], "Unknown option --mulirun; did you mean --multirun?"),
        (["--steqs", "3"], "Unknown option --steqs; did you mean --steps?"),
        (["-x"], "Unknown option -x; "),
        (["textur=pixels"], "Unknown setting textur; did you mean texture?"),
        (["textur.sise=3"], "Unknown setting textur.sise; did you mean texture"),
        (["--cfg", "nothing"], "Cannot read the options: --cfg takes one of job, hydra, all, not 'nothing'."),
        (["-m", "--cfg", "job"], "Give only one of --multirun and --cfg."),
        (["--resolve"], "--resolve needs --cfg job."),
        (["--config-dir", "/not/there"], "There is no folder /not/there; check --config-dir."),
    ],
)
def test_what_the_user_can_mend(
    seen: Recorder, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert cli.main(["train", *words]) == 2
    assert sentence(capsys).startswith(message)
    assert seen.configs == []


def test_unknown_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["trian"]) == 2
    assert sentence(capsys) == "Unknown command trian; did you mean train?"
    assert cli.main(["qqq"]) == 2
    assert sentence(capsys).startswith("Unknown command qqq; the commands are train, preview, evaluate")
    assert cli.main(["-m", "train"]) == 2
    assert sentence(capsys).startswith("The command comes first")


def test_errors_of_ours_are_one_sentence(command: Install, capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: DictConfig) -> None:
        raise PhotoError("No photo.")

    command(run)
    assert cli.main(["train"]) == PhotoError.exit_code
    assert sentence(capsys) == "No photo."


def test_a_missing_setting_is_one_sentence(command: Install, capsys: pytest.CaptureFixture[str]) -> None:
    command(lambda config: print(config.input))
    assert cli.main(["train"]) == 2
    assert sentence(capsys) == "Setting input is missing; give it as input=VALUE."


def test_bugs_keep_their_traceback(command: Install, capsys: pytest.CaptureFixture[str]) -> None:
    def run(config: DictConfig) -> None:
        print(config.no_such_key)

    command(run)
    assert cli.main(["train"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("This is a bug in advmask. Please report it")
    assert "config.no_such_key" in error


def test_a_failing_job_ends_the_sweep(command: Install, capsys: pytest.CaptureFixture[str]) -> None:
    def run(config: DictConfig) -> None:
        raise PhotoError(f"No photo in step {config.steps}.")

    command(run)
    assert cli.main(["train", "-m", "steps=1,2"]) == PhotoError.exit_code
    error = capsys.readouterr().err
    assert error.endswith("No photo in step 1.\n")
    assert "step 2" not in error


def test_a_run_folder_that_cannot_be_made(seen: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    assert cli.main(["train", "hydra.run.dir=file"]) == 7
    assert sentence(capsys) == "Cannot write to file: File exists; choose another with hydra.run.dir=DIR."
    assert cli.main(["train", "hydra.run.dir=file/below"]) == 7
    assert sentence(capsys).startswith("Cannot write to file/below: Not a directory")
    assert seen.configs == []


def test_a_folder_without_permission(
    seen: Recorder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # By a fake, because the superuser may write everywhere.
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert cli.main(["train", "hydra.run.dir=closed"]) == 7
    assert sentence(capsys).startswith(f"Cannot write to {Path.cwd()}/closed: Permission denied;")


@pytest.mark.parametrize(
    ("number", "name", "code"),
    [
        (errno.EACCES, "out/x.csv", 7),
        (errno.ENOSPC, None, 7),
        (errno.EACCES, "/somewhere/else", 1),
        (errno.ENOENT, "out/x.csv", 1),
    ],
)
def test_only_errors_about_the_run_folder_blame_it(
    command: Install, capsys: pytest.CaptureFixture[str], number: int, name: str | None, code: int
) -> None:
    def run(_: DictConfig) -> None:
        raise OSError(number, os.strerror(number), name)

    command(run)
    assert cli.main(["train", "hydra.run.dir=out"]) == code
    error = capsys.readouterr().err
    assert error.startswith("Cannot write to" if code == 7 else "This is a bug")


def _resuming(err: str) -> list[str]:
    """The words of the command that an error sentence gives."""
    assert err.startswith("Stopped. To resume: advmask ")
    assert err.count("\n") == 1
    return shlex.split(err.removeprefix("Stopped. To resume: "))[1:]


@pytest.mark.parametrize("by_lightning", [False, True])
def test_ctrl_c_says_the_command_that_resumes(
    command: Install, capsys: pytest.CaptureFixture[str], by_lightning: bool
) -> None:
    folders: list[Path] = []
    stop = True

    def run(config: DictConfig) -> None:
        folders.append(output_dir())
        assert config.faces.root == "/it's, 1"
        if not stop:
            return
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            if by_lightning:
                sys.exit(1)
            raise

    command(run)
    assert cli.main(["train", "faces.root=/it's, 1", "steps=3"]) == 130
    words = _resuming(capsys.readouterr().err)
    assert words == [
        "train",
        "faces.root=/it's, 1",
        "steps=3",
        f"hydra.run.dir={folders[0].relative_to(Path.cwd())}",
    ]
    stop = False
    assert cli.main(words) == 0
    assert folders[0] == folders[1]


def test_ctrl_c_in_a_sweep_resumes_its_job(command: Install, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[int, Path]] = []

    def run(config: DictConfig) -> None:
        seen.append((config.steps, output_dir()))
        if len(seen) == 2:
            raise KeyboardInterrupt

    command(run)
    assert cli.main(["train", "-m", "steps=1,2", "hydra.sweep.dir=all"]) == 130
    words = _resuming(capsys.readouterr().err)
    assert cli.main(words) == 0
    assert seen[1:] == [(2, Path.cwd() / "all" / "1")] * 2


def test_other_commands_have_nothing_to_resume(command: Install, capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: DictConfig) -> None:
        raise KeyboardInterrupt

    command(run)
    assert cli.main(["preview", "x.png"]) == 130
    assert sentence(capsys) == "Stopped."


def test_ctrl_c_is_no_bug_where_cleaning_up_fails(
    command: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: DictConfig) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise AttributeError

    command(run)
    assert cli.main(["preview", "x.png"]) == 130
    assert sentence(capsys) == "Stopped."


def test_a_launcher_that_is_not_installed(seen: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    if find_spec("hydra_plugins") is not None:
        pytest.skip("it is installed here")
    for more in ([], ["-m", "steps=1,2"]):
        assert cli.main(["train", "hydra/launcher=joblib", *more]) == 8
        assert sentence(capsys).endswith("run: pip install 'advmask[sweep]'")
    assert seen.configs == []


def test_jobs_of_a_sweep_start_processes_with_their_own_words(command: Install) -> None:
    seen: list[list[str]] = []
    command(lambda _: seen.append(sys.argv[1:]))
    assert cli.main(["train", "steps=1,2", "-m", "design=a b", "hydra.sweep.dir=all"]) == 0
    assert seen == [["train", f"steps={n}", 'design="a b"'] for n in (1, 2)]


def test_a_closed_pipe_is_quiet(command: Install, capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: DictConfig) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    command(run)
    assert cli.main(["train"]) == 141
    assert capsys.readouterr().err == ""


def test_a_reader_that_leaves_early_sees_no_complaint() -> None:
    code = "import sys; from advmask import cli; sys.stdin.read(); sys.exit(cli.main(['--help']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_python_m_advmask() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "advmask", "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout == f"advmask {advmask.__version__}\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--version"], ["train", "--version"]):
        assert cli.main(words) == 0
        assert capsys.readouterr().out == f"advmask {advmask.__version__}\n"
