"""Thresholds of large collections: all impostor comparisons, or some that are drawn.

    python benchmarks/impostors.py [photos=2000] [people=100] [drawn=2000000,200000] [whole=true]

Embeddings of 128 random numbers, those of a person about a place of the person's own; FMR 1 %, one thread.
Printed are the comparisons, the threshold with its interval, CPU seconds, and the most memory so far.
"""

import resource

import torch
from _common import clocked, own_options, words_of
from torch import Tensor, nn

import advmask
from advmask.recognizers.enrolment import bare_comparisons, enrol

NUMBERS = 128


def embeddings(photos: int, people: int) -> tuple[Tensor, list[str]]:
    """Random embeddings (photos, 128), and who is on each photo."""
    generator = torch.Generator().manual_seed(0)
    places = torch.randn(people, NUMBERS, generator=generator)
    person = torch.arange(photos) % people
    return (
        places[person] + torch.randn(photos, NUMBERS, generator=generator),
        [f"{i:06d}" for i in person.tolist()],
    )


def main() -> None:
    torch.set_num_threads(1)
    words = words_of(__doc__, at_least=0)
    defaults = {"photos": "2000", "people": "100", "drawn": "2000000,200000", "whole": "true"}
    asked = own_options(words, defaults)
    photos, people = int(asked["photos"]), int(asked["people"])
    whole = photos * (people - 1)
    recognizer = advmask.Recognizer.from_module(
        nn.Flatten(), size=(112, 112), template="arcface", name="random"
    )
    rows, names = embeddings(photos, people)
    enrolment = enrol(recognizer, rows, names)
    print(f"{photos} photos of {people} people, {whole} impostor comparisons")
    for most in [whole] * (asked["whole"] == "true") + [int(one) for one in asked["drawn"].split(",")]:
        if most > whole:
            continue
        found = []

        def work(most: int = most, found: list[object] = found) -> None:
            comparisons = bare_comparisons(recognizer, rows, enrolment, at_most=most)
            found.append(comparisons.calibrated(fmr=0.01, source="random"))

        taken = clocked(work)
        low, high = found[0].interval
        print(
            f"{found[0].impostor_comparisons} of them: threshold {found[0].threshold:.4f} "
            f"[{low:.4f}, {high:.4f}], {taken:.1f} CPU-s, "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB at most"
        )


if __name__ == "__main__":
    main()
