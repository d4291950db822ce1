"""Settings of the studio."""

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from advmask.core.settings import Settings


class StudioSettings(Settings):
    """Where the studio keeps its work, and how its page is reached.

    It answers at 127.0.0.1 alone, to whoever knows the address it prints.

    Attributes:
        folder: For drawings, photos and designs; the same folder again shows them all.
        port: Of the page; 0 takes one that is free.
        browser: Open the page in the browser.
    """

    folder: Path = Path("studio")
    port: int = Field(default=0, ge=0, le=65535)
    browser: bool = True

    @field_validator("folder", mode="before")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        if value == "":  # an unset variable in a shell; as a path it would mean the folder one stands in
            raise ValueError("an empty path; name a folder")
        return value

    @field_validator("folder")
    @classmethod
    def _home(cls, value: Path) -> Path:
        try:
            return value.expanduser()
        except RuntimeError as error:  # ~name of somebody who does not exist
            raise ValueError(f"{error}; write the folder out") from error
