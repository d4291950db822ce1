"""The console script `advmask`: one command per module, settings by Hydra, errors in one sentence.

Nothing heavy is imported here: `advmask --help` must answer at once.
"""

import difflib
import io
import os
import sys
import traceback
from contextlib import suppress
from typing import NamedTuple

from advmask import __version__
from advmask.core.errors import NO_ROOM, AdvmaskError, ConfigError, RunError
from advmask.core.plain_lines import plain_lines
from advmask.core.shown_names import never_raise_on_output

_BUG = "This is a bug in advmask. Please report it at {where} with the command and the lines below."
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_BROKEN_PIPE = 141  # 128 + SIGPIPE


class Command(NamedTuple):
    """Where a command's `run(config)` is, its line in the help, and the settings that bare words fill.

    A last positional that ends in `...` takes all remaining bare words as a list.
    """

    module: str
    summary: str
    positionals: tuple[str, ...] = ()


COMMANDS: dict[str, Command] = {
    "train": Command("advmask.commands.train", "design a mask: learn a texture"),
    "preview": Command(
        "advmask.commands.preview", "contact sheet of a design: bare, plain mask, design", ("design",)
    ),
    "evaluate": Command(
        "advmask.commands.evaluate", "measure designs against recognizers", ("design", "further...")
    ),
    "compare": Command("advmask.commands.compare", "measure several designs side by side", ("designs...",)),
    "collect": Command(
        "advmask.commands.collect", "make tables of a sweep: rows, seeds, tests", ("sweeps...",)
    ),
    "figures": Command("advmask.commands.figures", "draw what was measured, for papers", ("runs...",)),
    "pattern": Command("advmask.commands.pattern", "draw the flat patterns of masks, with their stretch"),
    "export": Command(
        "advmask.commands.export", "write the files to print: PNG, PDF, SVG, proofs", ("design",)
    ),
    "apply": Command(
        "advmask.commands.apply",
        "wear a design in pictures and videos: the digital mask",
        ("design", "input", "output"),
    ),
    "designs": Command(
        "advmask.commands.designs", "list the measured designs that ship, or show one's card", ("name",)
    ),
    "judge": Command(
        "advmask.commands.judge", "score pictures of people who wear a printed mask", ("action",)
    ),
    "reproduce": Command(
        "advmask.commands.reproduce", "make a finished run again, and say how it differs", ("run",)
    ),
    "calibrate": Command(
        "advmask.commands.calibrate",
        "measure a printer: print a chart, photograph it, fit",
        ("action", "photo"),
    ),
    "weights": Command(
        "advmask.commands.weights",
        "list, get, verify or add the weights of recognizers",
        ("action", "what"),
    ),
    "cache": Command(
        "advmask.commands.cache", "show or clear the face crops and placed masks kept here", ("action",)
    ),
    "studio": Command(
        "advmask.commands.studio", "the artist's page: design, measure and print in the browser", ("folder",)
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Run `advmask` with `argv` (default: the words of the process) and return the exit code."""
    try:
        never_raise_on_output()
        words = list(sys.argv[1:] if argv is None else argv)
        # Read when torch loads its threads: waiting threads sleep instead of spinning, without which a step
        # took three times as long while other programs ran.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        with plain_lines():
            code = _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt as stopped:
        again = " ".join(map(str, stopped.args))
        print(f"Stopped. To resume: {again}" if again else "Stopped.", file=sys.stderr)
        return _INTERRUPTED
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception as error:
        if not _interrupted(error):
            return _reported(error)
        print("Stopped.", file=sys.stderr)
        return _INTERRUPTED
    return code


def _interrupted(error: BaseException | None) -> bool:
    """Whether an error came of Ctrl-C: what is stopped midway may fail as it cleans up, and hide why."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        from advmask.commands.help import overview

        print(overview({name: command.summary for name, command in COMMANDS.items()}))
        return 0
    if "--version" in words:
        print(f"advmask {__version__}")
        return 0
    name, *rest = words
    if name not in COMMANDS:
        raise ConfigError(_unknown_command(name))
    _execute(name, rest)
    return 0


def _execute(name: str, rest: list[str]) -> None:
    from advmask.commands.arguments import parse
    from advmask.commands.failures import explained
    from advmask.commands.launch import launch
    from advmask.core.config_folders import conf_dir

    command = COMMANDS[name]
    arguments = parse(name, rest, command.positionals)
    conf = conf_dir()
    try:
        if "--help" in arguments.options:
            from advmask.commands.help import command_help

            print(command_help(name, conf, command.positionals, arguments.overrides))
        else:
            launch(name, arguments, module=command.module, conf=conf, typed=rest)
    except Exception as error:
        known = explained(error, command=name, conf=conf, arguments=arguments)
        if known is None or known is error:
            raise
        raise known from error


def _unknown_command(name: str) -> str:
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    if name.startswith("-") or "=" in name:
        return f"The command comes first: advmask COMMAND {name}; the commands are {', '.join(COMMANDS)}."
    hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(COMMANDS)}."
    return f"Unknown command {name}; {hint}"


def _reported(error: Exception) -> int:
    """Tell the user, and return the exit code."""
    if isinstance(error, BrokenPipeError):
        _discard_output()
        return _BROKEN_PIPE
    if isinstance(error, OSError) and error.errno in NO_ROOM and error.filename is None:
        _discard_output()  # errors of files are told by whoever writes them
        error = RunError(
            f"What is printed here cannot be written: {error.strerror}. Free that disk, or send the output "
            "elsewhere."
        )
    if isinstance(error, AdvmaskError):
        if os.environ.get("HYDRA_FULL_ERROR") == "1":  # the user asked to see where it came from
            traceback.print_exception(error)
        else:
            print(error, file=sys.stderr)
        return error.exit_code
    print(_BUG.format(where=_home()), file=sys.stderr)
    traceback.print_exception(error)
    return 1


def _home() -> str:
    from importlib.metadata import PackageNotFoundError, metadata  # slow, and Ctrl-C is not caught yet above

    with suppress(PackageNotFoundError):
        for entry in metadata("advmask").get_all("Project-URL") or []:
            label, _, address = str(entry).partition(", ")
            if label in {"Issues", "Documentation"}:
                return address.partition("#")[0]
    return "the project's page"


def _discard_output() -> None:
    """Point standard output at nothing, or the interpreter would complain again when it closes it."""
    with suppress(io.UnsupportedOperation, ValueError, OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
