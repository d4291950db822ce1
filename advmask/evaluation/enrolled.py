"""What probes are compared with: everybody at hand, enrolled bare, masked, or both."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.photos import FaceSet
from advmask.recognizers.enrolment import Enrolment, enrol
from advmask.recognizers.galleries import Gallery, GalleryName, build_gallery
from advmask.recognizers.preparation import Prepared, rows_of
from advmask.recognizers.recognizer import Recognizer, embed_all
from advmask.render import MaskRenderer
from advmask.worn import WornPhotos

_AT_ONCE = 32  # photos


def build_galleries(
    names: Sequence[GalleryName],
    faces: FaceSet,
    prepared: Sequence[Prepared],
    masked: Sequence[Enrolment] | None,
    *,
    fmr: float,
) -> list[list[Gallery]]:
    """For each recognizer, its galleries, each with its own threshold.

    Args:
        names: Which galleries.
        faces: Everybody at hand.
        prepared: Recognizers made ready on these photos.
        masked: For each recognizer, everybody enrolled under a plain mask; needed for all but `bare`.
        fmr: False match rate of the thresholds.
    """
    galleries = []
    for number, item in enumerate(prepared):
        enrolments = {"bare": [item.enrolment]}
        if masked is not None:
            enrolments["masked"] = [masked[number]]
            enrolments["pooled"] = [item.enrolment, masked[number]]
        galleries.append(
            [
                build_gallery(
                    name,
                    item.recognizer,
                    item.embeddings,
                    enrolments[name],
                    fmr=fmr,
                    source=f"{len(faces.crops)} bare photos of {len(faces.people)} people at hand"
                    + ("" if name == "bare" else f" against the {name} gallery"),
                )
                for name in names
            ]
        )
    return galleries


def enrol_masked(
    prepared: Sequence[Prepared],
    faces: FaceSet,
    worn: WornPhotos,
    texels: Float[Tensor, "3 height width"],
) -> list[Enrolment]:
    """Everybody enrolled under one mask, for each recognizer, as matchers made for masks do it.

    A photo that no mask could be put on is enrolled as it is.

    Args:
        prepared: Recognizers made ready on these photos.
        faces: Everybody at hand.
        worn: Their photos, worn in one way each.
        texels: Of the mask.
    """
    placed = rows_of(worn.crops, faces.crops)
    people = [crop.person for crop in faces.crops]
    masked = embed_masked([item.recognizer for item in prepared], worn, texels)
    enrolments = []
    for item, own in zip(prepared, masked, strict=True):
        embeddings = item.embeddings.clone()
        embeddings[placed] = own
        enrolments.append(enrol(item.recognizer, embeddings, people))
    return enrolments


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
