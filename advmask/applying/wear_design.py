"""A design worn in one picture that is at hand, at its own resolution; nothing is written."""

import logging
from pathlib import Path

from PIL import Image
from torch import Tensor

from advmask.applying.apply_to_picture import draw_on_faces
from advmask.applying.face_finding import FaceFinder
from advmask.applying.mask_drawing import WornDesign
from advmask.applying.settings import FindSettings
from advmask.core.errors import PhotoError
from advmask.core.picture_reading import read_picture
from advmask.masks.mask_building import build_mask
from advmask.render.settings import RenderSettings
from advmask.textures.design_files import Design
from advmask.wearing.opened_design import as_design

_log = logging.getLogger(__name__)
_FIND, _RENDER = FindSettings(), RenderSettings(supersample=3)


def worn_design(design: Design, render: RenderSettings = _RENDER) -> WornDesign:
    """A design on the mask that it belongs on, ready to be drawn.

    Raises:
        DesignError: Its texture has not the size of this mask.
    """
    return WornDesign(design.texels, design.texels_per_mm, build_mask(design.mask), render)


def wear_design(
    design: Design | Tensor | str | Path,
    picture: Image.Image | str | Path,
    *,
    faces: FindSettings = _FIND,
    render: RenderSettings = _RENDER,
) -> Image.Image:
    """Let every face in a picture wear a design, as `advmask apply` does; other pixels keep their values.

    For gradients, and for batches of tensors, see `wear_mask`.

    Args:
        design: What `load_design` opens, or gave; or texels (3, h, w), sRGB in [0, 1], on the contour mask.
        picture: A picture file, or a Pillow image, which is not changed.
        faces: Which faces are found.
        render: How masks are drawn.

    Returns:
        The picture with masks, RGB, upright.

    Raises:
        PhotoError: The picture cannot be read, or there is no face in it that can wear a mask. Where some
            wear one and others do not, the reasons are logged.
        DesignError: The design cannot be opened, or does not fit its mask.
    """
    design = as_design(design)
    source = None if isinstance(picture, Image.Image) else Path(picture).expanduser()
    where = "the picture" if source is None else str(source)
    image = picture.convert("RGB") if isinstance(picture, Image.Image) else read_picture(Path(where))
    drawn = draw_on_faces(image, source, design=worn_design(design, render), finder=FaceFinder(faces))
    if drawn.masks == 0:
        none = f"No face of {faces.min_face_px} px or more was found in {where}; try another picture."
        why = f"No face in {where} can wear a mask: {' '.join(drawn.bare)}"
        raise PhotoError(why if drawn.bare else none)
    for reason in drawn.bare:
        _log.warning("A face in %s stays bare: %s", where, reason)
    return Image.fromarray(drawn.picture)
