"""The bill of what was not tested of a run, read off its folder."""

from typing import Any

from advmask.core.data_files import read_json
from advmask.training.run_folder import RunFolder


def not_tested(run: RunFolder) -> list[str]:
    """What nobody has tested of a finished run, as far as its folder tells, a sentence each."""
    record = run.read_record()
    bill = [
        "One seed: how far designs of other seeds lie from this one.",
        "That it was done on another kind of machine: sums in another order change last bits.",
    ]
    if not (record.get("split") or {}).get("held_out"):
        bill.append("Other people: nobody was held out, so nothing is known of anybody else's face.")
    bill += _measured(_results(run), str(record.get("texture_sha256", "")))
    if record.get("files") and any(".locked." in key for key in record["files"]):
        bill.append("That pictures of locked parts are at hand: their checksums are kept, not the pictures.")
    if run.objects.exists():
        bill.append(
            f"What objects given from Python do ({run.objects.name}): their names and weights are kept, not "
            "their code."
        )
    if not (run.path / "judge.json").exists():
        bill.append("The print: nobody wore it before a camera for this folder (advmask judge).")
    return bill


def _measured(results: dict[str, Any] | None, texture: str) -> list[str]:
    if results is None:
        return ["Any rate: the design was not measured against plain masks (advmask evaluate)."]
    told = ["The figures of results.json: they were not made again; scores.csv.gz holds what they are of."]
    design = results.get("design")
    made_of = design.get("texels_sha256") if isinstance(design, dict) else None
    if texture and made_of and made_of != texture:
        told.append("The present texture: results.json is of another one (SHA-256).")
    return told


def _results(run: RunFolder) -> dict[str, Any] | None:
    try:
        found = read_json(run.path / "results.json")
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
