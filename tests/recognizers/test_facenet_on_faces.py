"""facenet-pytorch's networks, downloaded, on real photos; needs a network connection once."""

from pathlib import Path

import numpy as np
import pytest
import torch

from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.recognizer import embed_all
from advmask.recognizers.recognizer_names import build_recognizer
from advmask.recognizers.weights_folder import VARIABLE
from advmask.recognizers.weights_store import get


@pytest.mark.network
@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", ["facenet:vggface2", "facenet:casia-webface"])
def test_equal_error_rate_is_small(
    name: str, shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "weights"))
    get(name, progress=False)
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
    assert (missed[crossing] + let_in[crossing]) / 2 <= 0.015
