"""One tiny network, the default portrait and a crop cache for all evaluation tests."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_chain import write_network
from tiny_conditions import TINY_CONDITIONS

from advmask.evaluation.protocol import Judgement, judge_designs
from advmask.evaluation.results import result_record
from advmask.evaluation.settings import ProtocolSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet, load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers


@pytest.fixture(scope="session")
def tiny_name(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a recognizer with random weights and a stated calibration."""
    return write_network(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    """The portrait that ships with scikit-image, cut at 112 px."""
    cache: Path = tmp_path_factory.mktemp("cache")
    return load_faces(FacesSettings(size=112, cache=cache))


@pytest.fixture(scope="session")
def any_judgement(portrait: FaceSet, tiny_name: str) -> tuple[dict[str, Any], Judgement]:
    """A plain mask and a design on the default portrait, as record and scores."""
    height, width = build_mask(MaskSettings()).texture_size(1.0)
    noise = torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    judgement = judge_designs(
        {"white": torch.ones(3, height, width), "design": noise},
        portrait,
        prepare_all(build_recognizers([tiny_name]), portrait.crops),
        conditions=TINY_CONDITIONS,
        protocol=ProtocolSettings.build({"draws": 3, "people": "all", "progress": False}),
    )
    results = [one for each in judgement.judged for one in each.summaries(seed=0)]
    facts = {"people": {"probed": ["astronaut"], "held_out": None, "at_hand": 1}}
    return result_record(results, facts), judgement
