"""People enrolled under a plain mask, as matchers made for masks do it: to train against and to judge by."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.photos.crops import FaceCrop
from advmask.recognizers.enrolment import Enrolment, enrol
from advmask.recognizers.preparation import Prepared, rows_of
from advmask.recognizers.recognizer import Recognizer, embed_all
from advmask.render.renderer import MaskRenderer
from advmask.wearing.worn_photos import WornPhotos

_AT_ONCE = 32  # photos


def embed_masked(
    recognizers: Sequence[Recognizer], photos: WornPhotos, texels: Float[Tensor, "3 height width"]
) -> list[Float[Tensor, "n dim"]]:
    """Embeddings of all photos under one mask, aligned as on the bare picture, by each recognizer."""
    renderer = MaskRenderer()
    pieces: list[list[Tensor]] = [[] for _ in recognizers]
    for start in range(0, len(photos.crops), _AT_ONCE):
        chosen = range(start, min(start + _AT_ONCE, len(photos.crops)))
        with torch.no_grad():
            worn = renderer(texels, photos.pictures(chosen), photos.packed(chosen, [0] * len(chosen)))
        for recognizer, own in zip(recognizers, pieces, strict=True):
            own.append(embed_all(recognizer, worn, photos.landmarks(chosen)))
    return [torch.cat(own) for own in pieces]


def enrol_masked(
    prepared: Sequence[Prepared],
    faces: Sequence[FaceCrop],
    worn: WornPhotos,
    texels: Float[Tensor, "3 height width"],
) -> list[Enrolment]:
    """Everybody enrolled under one mask, for each recognizer.

    A photo that no mask was put on is enrolled as it is.

    Args:
        prepared: Recognizers made ready on `faces`.
        faces: The bare photos, in the order of preparation.
        worn: Those of them that are enrolled masked, worn in one way each.
        texels: Of the mask, at the resolution that `worn` was placed for.
    """
    placed, people = rows_of(worn.crops, faces), [crop.person for crop in faces]
    enrolments = []
    masked = embed_masked([item.recognizer for item in prepared], worn, texels)
    for item, own in zip(prepared, masked, strict=True):
        embeddings = item.embeddings.clone()
        embeddings[placed] = own
        enrolments.append(enrol(item.recognizer, embeddings, people))
    return enrolments


def masked_templates(
    prepared: Sequence[Prepared],
    faces: Sequence[FaceCrop],
    probes: Sequence[FaceCrop],
    worn: WornPhotos,
    texels: Float[Tensor, "3 height width"],
) -> list[Float[Tensor, "m dim"]]:
    """For each recognizer, the template of each probe's person from their other photos under a mask.

    As with bare templates, the probe's own photo counts only where the person has no other.

    Args:
        prepared: Recognizers made ready on `faces`.
        faces: The bare photos, in the order of preparation.
        probes: Some of them.
        worn: Those that are enrolled masked: at least the other photos of the people on the probes.
        texels: Of the mask.
    """
    asked = rows_of(probes, faces)
    return [enrolment.own[asked] for enrolment in enrol_masked(prepared, faces, worn, texels)]
