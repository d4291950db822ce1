"""What the page is told of a design: how far it is, what was measured and printed, what went wrong."""

import shlex
from pathlib import Path
from typing import Any

from advmask.core.errors import RunError
from advmask.printing.manifest import MANIFEST
from advmask.studio import prints
from advmask.studio.print_words import plain_notes
from advmask.studio.runs import Run
from advmask.studio.videos import video_states
from advmask.studio.work import Job, Works, last_job, said

_CLOCKS_DIFFER_S = 2.0  # of a disk, which may round times


def summary(run: Run, works: Works) -> dict[str, Any]:
    """A run in a few words, for the gallery."""
    at_work = works.at_work(run.path)
    return {
        "name": run.name,
        "title": run.record["title"],
        "made": run.made,
        "finished": run.finished,
        "working": None if at_work is None else at_work.action,
        "steps": run.chosen.get("steps"),
        "version": run.version,
    }


def state(run: Run, works: Works) -> dict[str, Any]:
    """All that the page shows of a run."""
    job, shortly = last_job(run.path), summary(run, works)
    failed = job is not None and not shortly["working"] and not job.stopped and not _done(run, job)
    return {
        **shortly,
        **run.course(),
        "choices": run.chosen,
        "states": run.states(),
        "meters": run.meters(),
        "measured": (run.path / "report.html").exists(),
        "sentence": run.sentence(),
        "card": run.card() is not None,
        "videos": video_states(run.path, works),
        "prints": [_prints(folder) for folder in prints.print_folders(run.path)],
        "stopped": job is not None and job.stopped,
        "trouble": " ".join(said(run.path, job.action)[-1:]) if job is not None and failed else None,
        "print_notes": plain_notes(said(run.path, "print")),
        "command": None if job is None else shown_command(list(job.words)),
        "place": str(run.path),
    }


def _done(run: Run, job: Job) -> bool:
    """Whether a job that is over has left what it was for."""
    if job.action == "design":
        return run.finished
    left = [run.path / "report.html"]
    if job.action == "print":
        left = [folder / MANIFEST for folder in prints.print_folders(run.path)]
    return any(path.exists() and path.stat().st_mtime > job.begun - _CLOCKS_DIFFER_S for path in left)


def _prints(folder: Path) -> dict[str, Any]:
    files = [
        {
            "name": path.name,
            "bytes": path.stat().st_size,
            "pages": _pages(path) if path.suffix == ".pdf" else None,
        }
        for path in sorted(prints.files_in(folder), key=_sheet_first)
    ]
    return {"name": folder.name, "files": files}


def _pages(sheet: Path) -> int | None:
    """None for a damaged one as well: its design is shown all the same."""
    try:
        return prints.pages_of(sheet)
    except RunError:
        return None


def _sheet_first(path: Path) -> tuple[bool, str]:
    """Films of single inks, pictures and lines follow the sheet to print."""
    return "-sheet" not in path.name, path.name


def shown_command(words: list[str]) -> str:
    """A command as one would type it."""
    return shlex.join(["advmask", *words])
