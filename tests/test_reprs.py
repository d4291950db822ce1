"""What a prompt shows of the public objects: one short line that says what one would ask."""

from dataclasses import replace

import torch

import advmask
from advmask.masks.mask_building import build_mask
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.settings import SurrogateSettings
from advmask.training.building import build_texture


def test_each_is_one_short_line() -> None:
    faces = advmask.load_faces(advmask.FacesSettings(cache=False, size=112))
    recognizers = advmask.build_recognizers(["dlib"])
    prepared = prepare_all(recognizers, faces.crops)
    settings = advmask.TrainSettings.build({"texture": {"texels_per_mm": 1.0}})
    texture = build_texture(settings, build_mask(settings.mask))
    found = [
        repr(faces),
        repr(replace(faces, people=tuple("abcdefgh"), omissions=(None, None))),  # type: ignore[arg-type]
        repr(faces.crops[0]).replace(str(faces.crops[0].source), "astronaut.png"),
        repr(recognizers[0]),
        repr(prepared[0]),
        repr(Ensemble(recognizers, SurrogateSettings(aligners=["bare", "mtcnn-box"]))),
        repr(texture),
        repr(advmask.Design(torch.zeros(3, 4, 6), pattern="contour", texels_per_mm=1.0)),
    ]
    of_dlib = "Recognizer('dlib', 150 x 150 px, euclidean, threshold -0.556527)"
    numbers = sum(each.numel() for each in texture.parameters())
    assert found == [
        "FaceSet(1 crops of 1 people: astronaut)",
        "FaceSet(1 crops of 8 people: a, b, c, d, e, f, ...; 2 photos left out)",
        "FaceCrop('astronaut.png', astronaut, 112 px)",
        of_dlib,
        f"Prepared({of_dlib}, 1 photos of 1 people)",
        "Ensemble(dlib; aligned by bare, mtcnn-box)",
        f"Texture(PixelTexture, {numbers} numbers)",
        "Design(contour M, 4 x 6 texels at 1 per mm)",
    ]
