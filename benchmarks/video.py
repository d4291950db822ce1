"""What a frame of a video costs, one face in it, and where its time goes.

    python benchmarks/video.py                                             # the portrait that ships
    python benchmarks/video.py photo=PHOTO frames=60 width=1280 height=720 face=180 design=motif

A film is made of the photo, moved a little from frame to frame and enlarged so that the largest face in it is
`face` px high, and goes through what `advmask apply` does with a video. CPU seconds a frame, all threads, the
networks on one: of all, of the parts that are named (of their own threads), and of the rest, which is
decoding, colours and encoding. Frames a second are of this machine's clock, whatever else it does.
"""

import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from _common import own_options, words_of
from PIL import Image

import advmask
from advmask.applying import apply_to_video
from advmask.applying.face_finding import FaceFinder
from advmask.applying.settings import FindSettings, SteadySettings
from advmask.applying.wear_design import worn_design
from advmask.core.picture_reading import read_picture
from advmask.core.workers import cores
from advmask.photos.detection import FaceDetector, choose_face
from advmask.photos.loading import portrait_path


def film(photo: Path, target: Path, *, frames: int, size: tuple[int, int], face: float) -> None:
    """Write a film in which the largest face of a photo wanders about the middle."""
    image = read_picture(photo)
    found = choose_face(FaceDetector().detect(image), size=image.size)
    zoom = face / found.side
    whole = image.resize((round(image.width * zoom), round(image.height * zoom)), Image.Resampling.BICUBIC)
    x, y = (zoom * (found.box[i] + found.box[i + 2]) / 2 for i in (0, 1))
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            picture = Image.new("RGB", size, (120, 110, 100))
            middle = size[0] / 2 + 40 * np.sin(number / 9), size[1] / 2 + 15 * np.cos(number / 7)
            picture.paste(whole, (round(middle[0] - x), round(middle[1] - y)))
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def timed(place: Any, name: str, taken: dict[str, float]) -> None:
    """Let a function add up the CPU seconds of the threads that call it."""
    work: Callable[..., Any] = getattr(place, name)

    def measured(*given: Any, **named: Any) -> Any:
        start = time.thread_time()
        result = work(*given, **named)
        taken[name] = taken.get(name, 0.0) + time.thread_time() - start
        return result

    setattr(place, name, measured)


def main() -> None:
    torch.set_num_threads(1)
    words = words_of(__doc__, at_least=0)
    defaults = {"frames": "60", "width": "1280", "height": "720", "face": "180", "design": "motif"}
    asked = own_options(words, {"photo": str(portrait_path()), **defaults})
    frames, size = int(asked["frames"]), (int(asked["width"]), int(asked["height"]))
    taken: dict[str, float] = {}
    for place, name in ((FaceFinder, "find"), (FaceFinder, "find_again"), (apply_to_video, "draw_masks")):
        timed(place, name, taken)
    design = worn_design(advmask.load_design(asked["design"]))
    finder, steady = FaceFinder(FindSettings()), SteadySettings()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "film.mp4", Path(folder) / "worn.mp4"
        film(Path(asked["photo"]), source, frames=frames, size=size, face=float(asked["face"]))
        cpu, wall = time.process_time(), time.perf_counter()
        applied = apply_to_video.apply_to_video(source, target, design=design, finder=finder, steady=steady)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{frames} frames of {size[0]} x {size[1]} px, a face of {asked['face']} px: {applied.notices[0]}")
    print(f"{cpu / frames:.3f} CPU-s a frame; {frames / wall:.1f} frames a second on {cores()} cores")
    named = {
        f"searching every {steady.every}th frame": taken["find"],
        "looking again near the last place": taken.get("find_again", 0.0),
        "drawing": taken["draw_masks"],
    }
    for what, seconds in {**named, "the rest": cpu - sum(named.values())}.items():
        print(f"  {what} {seconds / frames:.3f}")


if __name__ == "__main__":
    main()
