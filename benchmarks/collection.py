"""A large collection: what it takes to the first step, again with a second seed, and in memory.

    python benchmarks/collection.py OUT faces.root=PATH photos=200 people=20 [overrides of advmask train]

`photos` photos of the first `people` people of PATH are written to OUT/photos: theirs, again and again, each
time a little brighter or darker, with their landmarks in files. Then `advmask train` takes one step with them
(all people train; crops of 112 px, two ways of wearing, dlib, batches of 8, one thread), from an empty cache
in OUT; and once more with another seed, from that cache. Printed are CPU seconds of all processes, the
anonymous memory of the largest (Linux tells it), and the files of the cache. An OUT that exists is not
written to.
"""

import json
import os
import resource
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import numpy as np
from _common import own_options, words_of
from PIL import Image

from advmask.core.picture_reading import read_picture
from advmask.photos.detection import FaceDetector, choose_face
from advmask.photos.landmark_files import points_path
from advmask.photos.people_folders import find_people

TRAIN = ("faces.landmarks=file", "faces.size=112", "trainer.steps=1", "trainer.batch=8", "trainer.threads=1")
TRAIN += ("trainer.placements=2", "faces.split=[1,0,0]", "export=false", "check=false")


def collection(people: Path, target: Path, *, number: int, photos: int) -> None:
    """Write a collection of few people's photos, no two of them the same."""
    draw, detector = np.random.default_rng(0), FaceDetector()
    found = []
    for person in find_people(people)[:number]:
        for path in person.photos:
            image = read_picture(path)
            faces = detector.detect(image)
            if faces:
                points = choose_face(faces, size=image.size).landmarks.tolist()
                found.append((person.name, np.asarray(image, dtype="f4"), json.dumps({"points": points})))
    for i, (name, pixels, points) in zip(range(photos), cycle(found), strict=False):
        photo = target / name / f"{i:06d}.jpg"
        photo.parent.mkdir(parents=True, exist_ok=True)
        changed = np.clip(pixels * draw.uniform(0.8, 1.2) + draw.normal(0, 1, pixels.shape), 0, 255)
        Image.fromarray(changed.astype("u1")).save(photo, quality=92)
        points_path(photo).write_text(points)


def largest(process: int, known: dict[int, float]) -> None:
    """Keep the most anonymous memory, MB, that a process and those it started were seen with."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            told = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:  # ended meanwhile
            continue
        number = int(told["Pid"])
        if number == process or int(told["PPid"]) in known:
            size = int(told.get("RssAnon", "0 kB").split()[0]) / 1000
            known[number] = max(known.get(number, 0.0), size)


def trained(words: list[str]) -> tuple[float, list[float]]:
    """CPU seconds of a training and all its processes, and the most memory of each, MB, the largest first."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "advmask", "train", *words]
    known: dict[int, float] = {}
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as running:
        known[running.pid] = 0.0
        while running.poll() is None:
            largest(running.pid, known)
            time.sleep(0.2)
    if running.returncode:
        raise SystemExit(running.returncode)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, sorted(known.values(), reverse=True)


def main() -> None:
    words = words_of(__doc__, at_least=2)
    asked = own_options(words, {"photos": "200", "people": "20", "faces.root": ""})
    out = Path(words.pop(0))
    out.mkdir(parents=True)
    collection(
        Path(asked["faces.root"]), out / "photos", number=int(asked["people"]), photos=int(asked["photos"])
    )
    cache = out / "cache"
    common = [f"faces.root={out / 'photos'}", f"faces.cache={cache}", "faces.cache_gb=1000", *TRAIN, *words]
    for what, seed in (("first run", 0), ("a second seed", 1)):
        cpu, memory = trained([*common, f"seed={seed}", f"hydra.run.dir={out / f'run-{seed}'}"])
        others = ", ".join(f"{size:.0f}" for size in memory[1:] if size > 100) or "none"
        print(f"{what}: one step done and ended at {cpu:.1f} CPU-s; {memory[0]:.0f} MB, others {others}")
    files = [file for file in cache.rglob("*") if file.is_file()]
    print(f"cache: {sum(file.stat().st_size for file in files) / 1e9:.3f} GB in {len(files)} files")


if __name__ == "__main__":
    main()
