"""`advmask export`: a design as files that a print shop and a printer at home take."""

from pathlib import Path

from omegaconf import DictConfig

from advmask.commands.design_names import open_design
from advmask.commands.given_settings import as_mapping, given_keys, refuse_beside_run
from advmask.commands.settings import ExportCommand
from advmask.printing.design_export import export_files, export_folder
from advmask.printing.manifest import replaced_in, write_kept


def run(config: DictConfig) -> None:
    """Make all files, then write them."""
    of_run = bool(config.design) and Path(config.design).is_dir()
    if of_run:
        refuse_beside_run(["mask", "texels_per_mm", "fit", "copy_mm"])
    settings = ExportCommand.build(as_mapping(config))
    out = None if settings.out is None else settings.out.expanduser()
    design = open_design(
        config.design,
        mask=settings.mask,
        texels_per_mm=settings.texels_per_mm,
        fit=settings.fit,
        copy_mm=settings.copy_mm,
        finest=settings.finest_per_mm,
    ).design
    files, words = export_files(design, settings, printer_named=_printer_was_named())
    folder = out or export_folder(design)
    written = write_kept(folder, files, overwrite=settings.overwrite)
    replaced = replaced_in(folder)
    for path in written:
        print(f"Written to {path}" + (", in place of an earlier one that differed" * (path.name in replaced)))
    print("\n".join(words))


def _printer_was_named() -> bool:
    return any(key.split(".")[0] == "printer" for key in given_keys())
