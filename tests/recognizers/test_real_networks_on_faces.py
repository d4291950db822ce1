"""Published weights, downloaded, on real photos: facenet-pytorch, EdgeFace, CVLface's KP-RPE."""

from pathlib import Path
from urllib.request import urlretrieve

import numpy as np
import pytest
import torch

from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.recognizer import embed_all
from advmask.recognizers.recognizer_names import build_recognizer
from advmask.recognizers.weights_folder import VARIABLE
from advmask.recognizers.weights_store import get

_EDGEFACE = "https://gitlab.idiap.ch/bob/bob.paper.tbiom2023_edgeface/-/raw/master/checkpoints/"
_KPRPE = "https://huggingface.co/minchul/cvlface_adaface_vit_base_kprpe_webface4m/resolve/main/"


def _equal_error_rate(name: str, shared_dir: Path, tmp_path: Path) -> float:
    recognizer = build_recognizer(name)
    crops = load_faces(FacesSettings(root=shared_dir / "faces", cache=tmp_path / "crops")).crops
    pictures = torch.stack([crop.as_float() for crop in crops])
    landmarks = torch.stack([crop.landmarks for crop in crops])
    embeddings = embed_all(recognizer, pictures, landmarks)
    names = np.array([crop.person for crop in crops])
    rows, columns = np.triu_indices(len(names), 1)
    scores = recognizer.similarity_matrix(embeddings, embeddings).double().numpy()[rows, columns]
    same = names[rows] == names[columns]
    thresholds = np.sort(scores)
    missed = np.searchsorted(np.sort(scores[same]), thresholds) / same.sum()
    let_in = 1 - np.searchsorted(np.sort(scores[~same]), thresholds) / (~same).sum()
    crossing = int(np.argmin(np.abs(missed - let_in)))
    return float(missed[crossing] + let_in[crossing]) / 2


@pytest.mark.network
@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", ["facenet:vggface2", "facenet:casia-webface"])
def test_facenets_error_is_small(
    name: str, shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "weights"))
    get(name, progress=False)
    assert _equal_error_rate(name, shared_dir, tmp_path) <= 0.015


@pytest.mark.network
@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("file", ["edgeface_xs_gamma_06.pt", "edgeface_s_gamma_05.pt"])
def test_edgefaces_error_is_small(file: str, shared_dir: Path, tmp_path: Path) -> None:
    urlretrieve(_EDGEFACE + file, tmp_path / file)
    assert _equal_error_rate(f"edgeface:{tmp_path / file}", shared_dir, tmp_path) <= 0.015


@pytest.mark.network
@pytest.mark.shared
@pytest.mark.slow
def test_the_error_of_a_vit_with_kprpe_is_small(
    shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    name = "cvlface_adaface_vit_base_kprpe_webface4m"
    folder = tmp_path / "hub" / f"models--minchul--{name}" / "snapshots" / "0"
    folder.mkdir(parents=True)
    for file in ("config.json", "model.safetensors"):
        urlretrieve(_KPRPE + file, folder / file)
    assert _equal_error_rate(name.replace("_", ":", 1), shared_dir, tmp_path) <= 0.01
