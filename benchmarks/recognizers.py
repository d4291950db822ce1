"""How well each recognizer separates people on bare photos.

    python benchmarks/recognizers.py --faces ../shared/faces dlib onnx:../shared/weights/mobileface_v2.onnx

Prints, for single-photo enrolment (every pair of photos) and for templates (each photo against the mean of
a person's other photos): EER, threshold and TAR at FMR 1e-2 and 1e-3. `--store` writes the single-photo
calibration of a recognizer that the package ships one for.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from advmask.photos import FacesSettings, load_faces
from advmask.recognizers.calibration import calibrate, threshold_at_fmr, write_calibration
from advmask.recognizers.enrolment import bare_comparisons, enrol
from advmask.recognizers.recognizer import embed_all
from advmask.recognizers.registry import build_recognizers


def equal_error_rate(genuine: np.ndarray, impostor: np.ndarray) -> float:
    """Error rate where false matches and false non-matches are equally many."""
    thresholds = np.sort(np.concatenate([genuine, impostor]))
    misses = np.searchsorted(np.sort(genuine), thresholds) / len(genuine)
    false_matches = 1 - np.searchsorted(np.sort(impostor), thresholds) / len(impostor)
    nearest = int(np.argmin(np.abs(misses - false_matches)))
    return float(misses[nearest] + false_matches[nearest]) / 2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recognizers", nargs="+")
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--store", type=Path, help="folder to write calibrations to")
    arguments = parser.parse_args()
    faces = load_faces(FacesSettings(root=arguments.faces), progress=True)
    pictures = torch.stack([crop.as_float() for crop in faces.crops])
    landmarks = torch.stack([crop.landmarks for crop in faces.crops])
    names = [crop.person for crop in faces.crops]
    same = np.array([[a == b for a in names] for b in names])
    upper = np.triu_indices(len(names), 1)
    print(f"{len(names)} photos of {len(faces.people)} people")
    print(f"{'recognizer':22} {'enrolment':9} {'EER %':>6} " + f"{'threshold':>9} {'TAR %':>6} " * 2)
    for recognizer in build_recognizers(arguments.recognizers):
        embeddings = embed_all(recognizer, pictures, landmarks)
        pairs = recognizer.similarity_matrix(embeddings, embeddings).double().numpy()[upper]
        single = pairs[same[upper]], pairs[~same[upper]]
        compared = bare_comparisons(recognizer, embeddings, enrol(recognizer, embeddings, names))
        template = (compared.genuine, compared.impostor)
        for label, (genuine, impostor) in (("single", single), ("template", template)):
            low, high = threshold_at_fmr(impostor, 1e-2), threshold_at_fmr(impostor, 1e-3)
            print(
                f"{recognizer.label:22} {label:9} {100 * equal_error_rate(genuine, impostor):6.2f} "
                + " ".join(f"{at:9.4f} {100 * (genuine >= at).mean():6.1f}" for at in (low, high))
            )
        if arguments.store:
            source = (
                f"single-photo pairs of {len(names)} LFW photos of {len(faces.people)} people, MTCNN-aligned"
            )
            calibration = calibrate(*single, fmr=1e-2, source=source)
            write_calibration(arguments.store / f"{recognizer.label}.json", calibration)


if __name__ == "__main__":
    main()
