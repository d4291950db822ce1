"""Reading JSON and YAML that anybody may have written or damaged: the parsers' many ways to fail are one."""

import json
from pathlib import Path
from typing import Any

import yaml


def read_json(path: Path) -> Any:
    """What a JSON file in UTF-8 holds.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not JSON, not UTF-8, or nested too deep.
    """
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str) -> Any:
    """What a JSON text holds; ValueError as in `read_json`."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_yaml(path: Path) -> Any:
    """What a YAML file in UTF-8 holds.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not YAML, not UTF-8, nested too deep, or holds what looks like a date and is none.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
