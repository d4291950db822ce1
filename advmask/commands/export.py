"""`advmask export`: a design as files that a print shop and a printer at home take."""

import hashlib
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from advmask.commands.design_names import NamedDesign, open_design
from advmask.commands.given import as_mapping, given_keys, refuse_beside_run
from advmask.core.errors import ConfigError
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import SIZES
from advmask.printing.given_picture import look_at
from advmask.printing.job import PrintSource, print_jobs
from advmask.printing.job_files import card_files, job_files
from advmask.printing.manifest import write_kept
from advmask.printing.settings import ExportSettings, PrintingSettings
from advmask.training.run_folder import RunFolder


def run(config: DictConfig) -> None:
    """Make all files, then write them."""
    place = Path(config.design) if config.design else None
    of_run = place is not None and place.is_dir()
    if of_run:
        refuse_beside_run(["mask", "texels_per_mm"])
    settings = ExportSettings.build(_values(config))
    named = open_design(config.design, mask=settings.mask, texels_per_mm=settings.texels_per_mm)
    assert place is not None  # or open_design had refused
    if named.run is not None and not _printer_was_named():
        settings = settings.model_copy(update={"printer": named.run.printer})
    notices = [] if of_run else look_at(place, build_mask(settings.mask).pattern)
    jobs = print_jobs(_source(named, place, settings), settings, _printing(settings, named))
    files, words = job_files(jobs, settings, notices=notices)
    if named.run is not None:
        files |= card_files(place, jobs[0], size=named.run.mask.size)
    for path in write_kept(_out(settings, place), files, overwrite=settings.overwrite):
        print(f"Written to {path}")
    print("\n".join(words))


def _values(config: DictConfig) -> dict[str, Any]:
    values = as_mapping(config)
    values.pop("design", None)
    mask = dict(values["mask"])
    if isinstance(mask.get("size"), list):  # mask.size=[S,M] is another way to write sizes=[S,M]
        if values["sizes"] is None:
            values["sizes"] = mask["size"]
        mask["size"] = "M"
    values["mask"] = mask
    values["printer"] = {key: value for key, value in values["printer"].items() if value is not None}
    if values["sizes"] is not None:
        sizes = values["sizes"] if isinstance(values["sizes"], list) else [values["sizes"]]
        if not sizes:
            raise ConfigError("sizes=[] names no size; give some of S, M, L and child.")
        unknown = [size for size in sizes if size not in SIZES]
        if unknown:
            raise ConfigError(f"There is no size {unknown[0]!r}; sizes are {', '.join(SIZES)}.")
        values["sizes"] = list(dict.fromkeys(sizes))
    return values


def _source(named: NamedDesign, place: Path, settings: ExportSettings) -> PrintSource:
    """The design, with where it comes from, but without a path that names this machine or its user."""
    mask = settings.mask if named.run is None else named.run.mask
    facts = {"advmask:design": place.absolute().name}
    if named.run is not None:
        config = RunFolder(place).config.read_bytes()
        facts["advmask:config_sha256"] = hashlib.sha256(config).hexdigest()
    return PrintSource(place, named.texels, named.texels_per_mm, mask, facts)


def _printing(settings: ExportSettings, named: NamedDesign) -> PrintingSettings:
    """What was asked for; else what the printer wants, if one was named; else what the run wants."""
    chosen = _printer_was_named() or named.run is None
    return settings.printing.over(settings.printer if chosen or named.run is None else named.run.printing)


def _printer_was_named() -> bool:
    return any(key.split(".")[0] == "printer" for key in given_keys())


def _out(settings: ExportSettings, place: Path) -> Path:
    if settings.out is not None:
        return settings.out.expanduser()
    return place / "exports" if place.is_dir() else Path("exports") / place.stem
