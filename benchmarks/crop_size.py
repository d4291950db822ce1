"""What the size of the working crop does to recognizers: error rates, and how far embeddings move.

    python benchmarks/crop_size.py ../shared/faces dlib onnx:PATH ... [photos=181] [sizes=320,224,176,160,128]

Cuts the same photos at several sizes. Prints for each size and recognizer the EER of single pairs and TAR at
FMR 1e-3 in %, and the median similarity (or distance) to the embeddings of the first size.
"""

import numpy as np
import torch
from _common import own_options, words_of
from recognizers import head, rates, row, share, single_pairs

from advmask.core.memory import keep_freed_memory
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.calibration import threshold_at_fmr
from advmask.recognizers.preparation import embed_crops
from advmask.recognizers.recognizer_names import build_recognizers

EYES = 0.25  # of the crop, between the eyes


def main() -> None:
    words = words_of(__doc__ or "", at_least=2)
    asked = own_options(words, {"photos": "181", "sizes": "320,224,176,160,128"})
    root, *names = words
    torch.set_num_threads(1)
    keep_freed_memory()
    recognizers = build_recognizers(names)
    first: list[torch.Tensor] = []
    head("crop, px", "eyes, px", *(one.label for one in recognizers))
    for size in map(int, asked["sizes"].split(",")):
        crops = load_faces(FacesSettings.build({"root": root, "size": size})).crops[: int(asked["photos"])]
        people = [crop.person for crop in crops]
        embeddings = embed_crops(recognizers, crops)
        cells = []
        for number, (one, own) in enumerate(zip(recognizers, embeddings, strict=True)):
            pairs = single_pairs(one, own, people)
            threshold = threshold_at_fmr(pairs.impostor, 1e-3)
            cells.append(f"{100 * rates(pairs)[1]:.2f}, {share(pairs.genuine, threshold)}")
            if first:
                moved = one.similarity_matrix(own, first[number]).diagonal().double().numpy()
                cells[-1] += f"; {abs(float(np.median(moved))):.4f}"
        first = first or list(embeddings)
        row(size, round(size * EYES), *cells)


if __name__ == "__main__":
    main()
