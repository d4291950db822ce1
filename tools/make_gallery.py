"""Put a measured run into the gallery that ships.

    python tools/make_gallery.py RUN NAME TITLE CHARACTER COMMAND EFFECTS

The run was evaluated (`advmask evaluate RUN`) on people whom it was not trained on; COMMAND is the training
as one would type it, without paths of this machine, and EFFECTS the preset it was judged under. What is
written into textures/gallery, NAME.png and NAME.json, holds no photo, no name of a person and no path.
"""

import json
import sys
from pathlib import Path
from typing import Any

from torch import Tensor

from advmask.core.data_files import read_json, read_yaml
from advmask.printing.card import card
from advmask.textures.colour_names import colour_code
from advmask.textures.design_files import Design, write_design
from advmask.wearing.opened_design import load_design

GALLERY = Path(__file__).parents[1] / "textures" / "gallery"
MOST_INKS = 32


def main(run: Path, name: str, title: str, character: str, command: str, effects: str) -> None:
    """Write picture and card, and say how large they are."""
    results = read_json(run / "results.json")
    if not results["people"]["held_out"]:
        raise SystemExit("Evaluate it on people whom it was not trained on.")
    design = load_design(run)
    where = {"pattern": design.pattern, "size": design.size}
    GALLERY.mkdir(exist_ok=True)
    picture = GALLERY / f"{name}.png"
    write_design(picture, Design(design.texels, **where, texels_per_mm=design.texels_per_mm))
    filled = {
        "title": title,
        "character": character,
        "inks": inks_of(design.texels),
        "licence": "MIT",
        "learned": learned(run, design, results) | {"command": command},
        "judged_under": effects,
        "measured": card(results, design=name, **where, facts={}),
    }
    text = json.dumps(filled, indent=1, ensure_ascii=False) + "\n"
    picture.with_suffix(".json").write_text(text, encoding="utf-8")
    print(f"{picture}: {picture.stat().st_size:,} bytes, its card {len(text):,}")


def learned(run: Path, design: Design, results: dict[str, Any]) -> dict[str, Any]:
    """How it was learned."""
    config, record = read_yaml(run / "config.yaml"), read_json(run / "run.json")
    columns = {label: about["column"] for label, about in results["recognizers"].items()}
    return {
        "trained_on": [label for label, column in columns.items() if column == "trained on"],
        "not_trained_on": [label for label, column in columns.items() if column != "trained on"],
        "people": len(record["split"]["train"]),
        "near_start": design.around is not None,
        "start": Path(config["texture"]["start"]).stem,
        "steps": config["trainer"]["steps"],
        "batch": config["trainer"]["batch"],
        "seed": config["seed"],
        "versions": {name: record["packages"][name] for name in ("advmask", "torch")},
    }


def inks_of(texels: Tensor) -> list[str]:
    """Colours as #rrggbb where there are few, the most common first; else none."""
    colours, count = (texels * 255).round().flatten(1).unique(dim=1, return_counts=True)
    if colours.shape[1] > MOST_INKS:
        return []
    order = count.argsort(descending=True).tolist()
    return [colour_code((colours[:, number] / 255).tolist()) for number in order]


if __name__ == "__main__":
    if len(sys.argv) != 7:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), *sys.argv[2:])
