"""What an evaluation costs beyond the networks' own forward passes.

    python benchmarks/evaluate.py [faces.root=PATH recognizers=[...] protocol.aligners=[bare] ...]

Takes the overrides of `advmask evaluate` but for the design, in whose place noise is worn. Prints CPU time
(process time, one thread) per 1,000 probes, a probe being one picture under one condition: of the scoring, of
the recognizers' forward passes and of the aligners within it, and of all the rest (placing aside, which is
cached) as a share of the forward passes; then what the summary and its files take.
"""

import importlib
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from _common import settings_of

from advmask.commands.settings import EvaluateCommand
from advmask.evaluation.conditions import conditions_of
from advmask.evaluation.probe_scores import score
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import load_faces
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.wearing.artwork import shipped_design

CONTROLS = ("white", "surgical_blue", "black", "noise", "lower_face")
protocol_of: Any = importlib.import_module("advmask.evaluation.protocol")  # parts of it are clocked
spent: dict[str, float] = defaultdict(float)


def adding_up(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return work(*arguments, **named)
        finally:
            spent[name] += time.process_time() - start

    return timed


def main() -> None:
    torch.set_num_threads(1)
    words = ["design=noise", "protocol.progress=false", *sys.argv[1:]]
    settings = settings_of(EvaluateCommand, "evaluate", words)
    faces = load_faces(settings.faces)
    surface = build_mask(settings.mask)
    designs = {name: shipped_design(name, surface, texels_per_mm=settings.texels_per_mm) for name in CONTROLS}
    prepared = prepare_all(build_recognizers(settings.recognizers), faces.crops, fmr=settings.protocol.fmr)
    build = protocol_of.build_aligners

    def build_clocked(names: Any) -> Any:
        aligners = build(names)
        for aligner in aligners:
            aligner.landmarks = adding_up("aligners", aligner.landmarks)
        return aligners

    Recognizer.embed = adding_up("networks", Recognizer.embed)  # type: ignore[method-assign]
    protocol_of.build_aligners = build_clocked
    protocol_of.score = adding_up("scoring", score)
    judgement = protocol_of.judge_designs(
        designs,
        faces,
        prepared,
        conditions=conditions_of(settings),
        protocol=settings.protocol,
    )
    scoring = dict(spent)
    start = time.process_time()
    for one in judgement.judged:
        one.summaries(seed=settings.protocol.seed)
    summaries = time.process_time() - start
    pictures = len(judgement.stage.probes) * len(judgement.stage.conditions) / 1000
    networks, aligners = scoring["networks"], scoring.get("aligners", 0.0)
    rest = scoring["scoring"] - networks - aligners
    print(f"{1000 * pictures:.0f} pictures, {len(prepared)} recognizers; seconds per 1,000 pictures:")
    print(f"  networks {networks / pictures:8.1f}")
    print(f"  aligners {aligners / pictures:8.1f}")
    print(f"  rest     {rest / pictures:8.1f}   {rest / networks:.0%} of the networks")
    print(f"  rates    {summaries / pictures:8.1f}   {summaries / networks:.0%} of the networks")


if __name__ == "__main__":
    main()
