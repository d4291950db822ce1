"""What is optimised, and how a design is read and written."""

from advmask.textures.pixels import PixelTexture
from advmask.textures.settings import TextureSettings
from advmask.textures.starts import start_texels
from advmask.textures.texture import Texture, build_texture

__all__ = ["PixelTexture", "Texture", "TextureSettings", "build_texture", "start_texels"]
