"""Fidelity to a motif in the inks of a palette."""

from advmask.masks.mask_building import build_mask
from advmask.objectives.fidelity import Fidelity
from advmask.training.building import build_texture
from advmask.training.settings import TrainSettings


def test_the_motif_of_a_palette_is_what_its_inks_print_and_not_their_mixture():
    settings = TrainSettings.build(
        {
            "texture": {
                "kind": "palette",
                "start": "large_face",
                "texels_per_mm": 1.0,
                "palette": {"inks": ["black", "white", "#c2452d", "#e3b04b"]},
            }
        }
    )
    texture = build_texture(settings, build_mask(settings.mask))
    mixed, finished = texture(), texture.as_finished()
    assert (texture() == mixed).all()  # looking at the end does not move the run on
    fidelity = Fidelity(finished)
    assert fidelity(finished) == 0
    assert fidelity(mixed) > 1
    assert len(finished.flatten(1).unique(dim=1).T) <= 4
