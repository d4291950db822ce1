"""The closed loop of a printer: chart, simulated print and photo, fit; then designs with and without it.

    python benchmarks/calibration.py OUT faces.root=PATH recognizers=[...] [trainer.steps=400 ...]

A printer and a camera that the fit knows nothing of (`tests/printing/chart/chart_simulation.py`) print the
chart and photograph it, tilted, unevenly lit and as a JPEG. The photo is fitted as `advmask calibrate fit`
does. Two designs are learned with `effects=indoor`, one with the fitted printer and one with none, and both
are judged by `benchmarks/presets.py` as the true printer prints them: its own reflectances and ink spread.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from _common import words_of
from PIL import Image

from advmask.printers.colour_table import ColourTable, grid
from advmask.printers.table_files import save_table
from advmask.printing.chart.chart_fit import fit_photo
from advmask.printing.chart.chart_layout import chart_layout
from advmask.printing.chart.pages import chart_png

SEED = 0  # of the simulated printer and camera
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "printing" / "chart"))

from chart_simulation import random_camera, random_printer  # noqa: E402


def main() -> None:
    job, *words = words_of(__doc__ or "", at_least=3)
    folder = Path(job).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    printer, camera = random_printer(SEED), random_camera(SEED)
    draws = np.random.default_rng(SEED)
    (folder / "chart.png").write_bytes(chart_png(chart_layout(0), dpi=300))
    chart = np.asarray(Image.open(folder / "chart.png").convert("RGB"))
    photo = camera.photo(printer.page(chart, dpi=300, random=draws), dpi=300, random=draws)
    photo.save(folder / "photo.png")
    fitted = fit_photo(np.asarray(photo), paper_white=(1.0, 1.0, 1.0), name="photo.png")
    print(f"before: {fitted.before}\nafter: {fitted.after}")
    print(f"spread {fitted.spread_mm:.3f} mm, true {printer.spread_mm:.3f} mm", flush=True)
    asked = grid(17).numpy().astype(np.float64)
    truth = printer.printed(asked).astype(np.float32)
    save_table(folder / "fitted.safetensors", ColourTable(fitted.nodes))
    save_table(folder / "truth.safetensors", ColourTable(torch.from_numpy(truth)))
    fit = [f"printer.table={folder / 'fitted.safetensors'}", f"printer.spread_mm={fitted.spread_mm:.3f}"]
    true = [f"printer.table={folder / 'truth.safetensors'}", f"printer.spread_mm={printer.spread_mm:.3f}"]
    runs = {"without": [], "with": [f"+{word}" for word in fit]}
    for name, own in runs.items():
        run("-m", "advmask.cli", "train", "effects=indoor", *words, *own, f"hydra.run.dir={folder / name}")
    given = [f"+{word}" for word in true]
    run(str(HERE / "presets.py"), str(folder / "without"), str(folder / "with"), "presets=indoor", *given)


def run(*words: str) -> None:
    subprocess.run([sys.executable, *words], check=True)


if __name__ == "__main__":
    main()
