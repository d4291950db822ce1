"""The table of weights that are known by name."""

from functools import cache
from importlib import resources

import yaml

from advmask.core.settings import Settings
from advmask.recognizers.specification import BESIDE


class ZooEntry(Settings):
    """Weights that are known by name; `zoo.yaml` holds them.

    Attributes:
        name: As users write it.
        recognizer: How the registry builds it; `FILE` stands for the path of the file.
        licence: Of the weights.
        family: Of the architecture.
        source: Where they come from, in words.
        file: Name of the file in the weights folder; None where a package brings it.
        package: The pip package that brings the file.
        url: What can be downloaded.
        member: The file inside, where that is a zip archive.
        page: Where a person finds the file, where nothing can be downloaded directly.
        sha256: Checksum of the file; None where it is not known for sure.
        bytes: Size of the file, where known; may be rounded.
        beside: Name of the specification that is written next to the file.
    """

    name: str
    recognizer: str
    licence: str
    family: str
    source: str
    file: str | None = None
    package: str | None = None
    url: str | None = None
    member: str | None = None
    page: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    beside: str | None = None

    @property
    def specification_text(self) -> str | None:
        """The YAML to write next to the file, or None."""
        return BESIDE[self.beside] if self.beside else None


@cache
def zoo() -> dict[str, ZooEntry]:
    """All entries by name, in the order of the table."""
    text = (resources.files("advmask.recognizers") / "zoo.yaml").read_text(encoding="utf-8")
    return {name: ZooEntry.build({"name": name, **values}) for name, values in yaml.safe_load(text).items()}
