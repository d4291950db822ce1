"""The help texts: of the program, without Hydra, and of one command, with its settings."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from advmask.commands.texts import OVERVIEW_EXAMPLES, TEXTS

_WIDEST = 44  # a longer setting gets its comment without alignment


def overview(summaries: Mapping[str, str]) -> str:
    """Text of `advmask --help`.

    Args:
        summaries: One line per command, by name.
    """
    width = max(map(len, summaries), default=0)
    commands = [f"  {name:<{width}}  {line}" for name, line in summaries.items()]
    return "\n".join(
        [
            "Usage: advmask COMMAND [KEY=VALUE ...]",
            "",
            "Printable face-mask patterns that make face recognition fail to match the wearer.",
            "",
            "Commands:",
            *commands,
            "",
            "Examples:",
            *_indented(OVERVIEW_EXAMPLES),
            "",
            "`advmask COMMAND --help` lists a command's settings; `advmask --version` names the version.",
        ]
    )


def command_help(command: str, conf: Path, positionals: Sequence[str], overrides: Sequence[str]) -> str:
    """Text of `advmask COMMAND --help`: purpose, examples, and the settings with defaults and comments.

    Raises:
        hydra.errors.HydraException: The configuration does not compose.
    """
    from advmask.commands.settings_text import settings

    words = [f"[{name.upper()}]" for name in positionals]
    lines = ["Usage: " + " ".join(["advmask", command, *words, "[KEY=VALUE ...]"]), ""]
    if command in TEXTS:
        text = TEXTS[command]
        lines += [text.purpose, "", "Examples:", *_indented(text.examples), ""]
    rows = [(f"{row.key}={row.default}", row.comment) for row in settings(conf, command, overrides)]
    lines += ["Settings and their defaults:", *_columns(rows), ""]
    lines += [
        "Output and options:",
        *_columns(
            [
                ("hydra.run.dir=DIR", "folder for the output; the same folder again resumes"),
                ("-m, --multirun", "one run for each combination of values: KEY=A,B"),
                ("--cfg job", "print the composed configuration and stop; --package KEY, --resolve"),
                ("--config-dir DIR", "a further folder of YAML files to choose from"),
                ("--info", "how Hydra composes: its search path, defaults and plugins"),
                ("--KEY VALUE", "another way to write KEY=VALUE; --faces DIR is faces.root=DIR"),
            ]
        ),
    ]
    return "\n".join(lines)


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(left) for left, _ in rows if len(left) <= _WIDEST), default=0)
    return [f"  {left:<{width}}  {right}".rstrip() for left, right in rows]
