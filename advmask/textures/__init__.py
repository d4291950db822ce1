"""What is optimised, and how a design is read and written."""

from advmask.textures.pixels import PixelTexture
from advmask.textures.starts import TextureSettings, start_texels

__all__ = ["PixelTexture", "TextureSettings", "start_texels"]
