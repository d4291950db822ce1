"""Photos cut to ArcFace's chips and judged as chips, and the same photos whole.

    python benchmarks/chips.py OUT FACES [design=PICTURE] [overrides of advmask evaluate]

FACES is a folder of people. Chips of 112 px are cut by MTCNN's points into OUT/chips; then `advmask evaluate`
judges a design on them (`faces.landmarks=arcface112`) and on FACES, into OUT/as-chips and OUT/whole, and
prints its tables. The plain masks in them are what is compared: no design is asked about.
"""

import subprocess
import sys
from pathlib import Path

import torch
from _common import own_options, words_of
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor, to_pil_image

from advmask.core.picture_reading import read_picture
from advmask.photos.detection import FaceDetector, choose_face
from advmask.photos.people_folders import find_people
from advmask.recognizers.alignment import cut_chips, similarity_to_template
from advmask.recognizers.templates import template_points

SIZE = (112, 112)


def chip(image: Image.Image, detector: FaceDetector) -> Image.Image | None:
    """The largest face of a photo as ArcFace's networks see it; None where there is no face."""
    faces = detector.detect(image)
    if not faces:
        return None
    five = torch.from_numpy(choose_face(faces, size=image.size).landmarks).float()[None]
    way = similarity_to_template(five, template_points("arcface", size=SIZE))
    return to_pil_image(cut_chips(pil_to_tensor(image)[None].float() / 255, way, size=SIZE)[0].clamp(0, 1))


def main() -> None:
    words = words_of(__doc__, at_least=2)
    asked = own_options(words, {"design": "textures/motif.png"})
    out, people, *rest = words
    detector, chips = FaceDetector(), Path(out) / "chips"
    for person in find_people(Path(people)):
        (chips / person.name).mkdir(parents=True)
        for photo in person.photos:
            cut = chip(read_picture(photo), detector)
            if cut is not None:
                cut.save(chips / person.name / f"{photo.stem}.png")
    for name, faces in {
        "as-chips": [f"faces.root={chips}", "faces.landmarks=arcface112"],
        "whole": [f"faces.root={people}"],
    }.items():
        print(f"\n{name}:", flush=True)
        folder = f"hydra.run.dir={Path(out) / name}"
        command = [sys.executable, "-m", "advmask", "evaluate", asked["design"], *faces, folder, *rest]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
