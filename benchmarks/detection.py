"""Faces of four sizes pasted into pictures of four sizes: how many are found, and what it costs.

    python benchmarks/detection.py FACES [faces=36] [smallest=30]

FACES is a folder of people. Each face is scaled so that its box is 30, 45, 60 or 90 px large and pasted, with
its surroundings, into a picture full of detail. Printed are the shares found in the picture, in the picture
reduced to one tile (a search at one scale), and with the face cut out of the picture, surroundings and all
(asked for a tenth less, as tiles are); boxes that lie on no pasted face; and CPU seconds of one thread.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import skimage.data
import torch
from _common import clocked, words_of
from PIL import Image

from advmask.core.picture_reading import read_picture
from advmask.photos import detection
from advmask.photos.detection import Face, FaceDetector, choose_face
from advmask.photos.people_folders import find_people
from advmask.photos.tiles import Box, overlap, search_scales

PICTURES = {"2 MP": (1632, 1224), "4K": (3840, 2160), "12 MP": (4032, 3024), "48 MP": (8064, 6048)}
SIDES = (30, 45, 60, 90)
_AROUND = 2.0  # side of what is pasted, in boxes
_CUT_OUT = 4.0  # side of what is cut out again


def heads(people: Path, number: int) -> list[Image.Image]:
    """Squares of `_AROUND` boxes round the faces of that many people."""
    cut = []
    for person in find_people(people)[:number]:
        image = read_picture(person.photos[0])
        faces = FaceDetector().detect(image)
        if faces:
            face = choose_face(faces, size=image.size)
            cut.append(image.crop(square_around(face.box, face.side * _AROUND)))
    return cut


def square_around(box: Box, side: float) -> tuple[int, int, int, int]:
    """Whole pixels of a square about the middle of a box."""
    x, y = ((box[i] + box[i + 2] - side) / 2 for i in (0, 1))
    return round(x), round(y), round(x + side), round(y + side)


def crowd(heads: Sequence[Image.Image], size: tuple[int, int], side: int) -> tuple[Image.Image, list[Box]]:
    """A picture with all heads in it, and the boxes of their faces."""
    draw = np.random.default_rng(side)
    picture = Image.new("RGB", size)
    scenes = [Image.fromarray(scene) for scene in (skimage.data.coffee(), skimage.data.chelsea())]
    for y in range(0, size[1], 300):
        for x in range(0, size[0], 450):
            picture.paste(scenes[int(draw.integers(2))].crop((0, 0, 450, 300)), (x, y))
    columns = int(np.ceil(np.sqrt(len(heads))))
    cell = np.array(size) / columns
    whole = round(side * _AROUND)
    boxes = []
    for number, head in enumerate(heads):
        corner = np.array([number % columns, number // columns]) * cell
        x, y = (corner + draw.random(2) * (cell - whole)).astype(int).tolist()
        picture.paste(head.resize((whole, whole), Image.Resampling.LANCZOS, reducing_gap=3.0), (x, y))
        margin = (whole - side) / 2
        boxes.append((x + margin, y + margin, x + margin + side, y + margin + side))
    return picture, boxes


def hits(found: Sequence[Face], boxes: Sequence[Box]) -> tuple[int, int]:
    """How many of the boxes were found, and how many faces lie on none."""
    on = [[overlap(face.box, box) > 0.3 for box in boxes] for face in found]
    return sum(any(column) for column in zip(*on, strict=True)), sum(not any(row) for row in on)


def main() -> None:
    """Print the table."""
    words = words_of(__doc__ or "", at_least=1)
    given = dict(word.split("=") for word in words[1:])
    torch.set_num_threads(1)
    pasted = heads(Path(words[0]), int(given.get("faces", 36)))
    smallest = int(given.get("smallest", 30))
    detector, near = (FaceDetector(min_face_px=px) for px in (smallest, round(0.9 * smallest)))
    detector.detect(pasted[0])  # loads the networks
    print("| picture | face, px | found % | at one scale % | cut out % | on no face | CPU s | CPU s per MP |")
    print("|---|---|---|---|---|---|---|---|")
    for name, size in PICTURES.items():
        for side in SIDES:
            picture, boxes = crowd(pasted, size, side)
            found: list[Face] = []
            taken = clocked(lambda to=found, of=picture: to.extend(detector.detect(of)))  # type: ignore[misc]
            number, extra = hits(found, boxes)
            alone = sum(
                hits(near.detect(picture.crop(square)), [shifted(box, square)])[0]
                for box in boxes
                for square in [square_around(box, side * _CUT_OUT)]
            )
            detection.search_scales = lambda size: search_scales(size)[:1]
            once, _ = hits(detector.detect(picture), boxes)
            detection.search_scales = search_scales
            shares = " | ".join(f"{100 * n / len(boxes):.0f}" for n in (number, once, alone))
            per = taken / (size[0] * size[1] / 1e6)
            print(f"| {name} | {side} | {shares} | {extra} | {taken:.1f} | {per:.2f} |", flush=True)


def shifted(box: Box, square: tuple[int, int, int, int]) -> Box:
    """A box in pixels of the square that was cut out."""
    x, y = square[:2]
    return box[0] - x, box[1] - y, box[2] - x, box[3] - y


if __name__ == "__main__":
    main()
