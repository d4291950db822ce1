"""How masks are drawn."""

from pydantic import Field

from advmask.core.settings import Settings


class RenderSettings(Settings):
    """How masks are drawn.

    Attributes:
        supersample: Sub-pixels per pixel along each axis; where they would skip texels, more is read.
        tolerance: Error of a pixel's footprint on the cloth; smaller is more exact and slower, 0 keeps every
            texel.
        edge_px: Standard deviation of the rim's softness, px.
        shading: Light the mask like the skin it covers, with folds, seams and shadows; off gives the bare
            colours.
        ear_loops: Draw them, or the straps in their place.
    """

    supersample: int = Field(default=4, ge=1, le=16)
    tolerance: float = Field(default=0.018, ge=0, le=0.5)
    edge_px: float = Field(default=0.7, ge=0, le=20)
    shading: bool = True
    ear_loops: bool = True
