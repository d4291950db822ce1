"""People enrolled under a plain mask, as matchers made for masks do it: templates to train against."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.photos import FaceCrop
from advmask.recognizers.enrolment import enrol
from advmask.recognizers.preparation import Prepared, rows_of
from advmask.recognizers.recognizer import embed_all
from advmask.render import MaskRenderer
from advmask.worn import WornPhotos

_AT_ONCE = 32  # photos


def masked_templates(
    prepared: Sequence[Prepared],
    faces: Sequence[FaceCrop],
    probes: Sequence[FaceCrop],
    worn: WornPhotos,
    texels: Float[Tensor, "3 height width"],
) -> list[Float[Tensor, "m dim"]]:
    """For each recognizer, the template of each probe's person from their other photos under a mask.

    As with bare templates, the probe's own photo counts only where the person has no other. A photo that no
    mask could be put on is enrolled as it is.

    Args:
        prepared: Recognizers made ready on `faces`.
        faces: The bare photos, in the order of preparation.
        probes: Some of them.
        worn: Those of them that are to be enrolled masked, in one way each: at least the other photos of the
            people on the probes.
        texels: Of the mask, at the resolution that `worn` was placed for.
    """
    placed, asked = rows_of(worn.crops, faces), rows_of(probes, faces)
    people = [crop.person for crop in faces]
    renderer = MaskRenderer()
    embeddings = [item.embeddings.clone() for item in prepared]
    for start in range(0, len(worn.crops), _AT_ONCE):
        chosen = range(start, min(start + _AT_ONCE, len(worn.crops)))
        with torch.no_grad():
            masked = renderer(texels, worn.pictures(chosen), worn.packed(chosen, [0] * len(chosen)))
        rows = [placed[place] for place in chosen]
        for item, own in zip(prepared, embeddings, strict=True):
            own[rows] = embed_all(item.recognizer, masked, worn.landmarks(chosen))
    return [
        enrol(item.recognizer, own, people).own[asked] for item, own in zip(prepared, embeddings, strict=True)
    ]
