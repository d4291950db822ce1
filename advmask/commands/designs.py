"""`advmask designs`: the measured designs that ship, and the card of one."""

from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping
from advmask.commands.settings import DesignsCommand
from advmask.printing.gallery_words import card_page, listed
from advmask.textures.gallery import gallery_design, gallery_names


def run(config: DictConfig) -> None:
    """Print the list, or a card."""
    name = DesignsCommand.build(as_mapping(config)).name
    if name is not None:
        print(card_page(gallery_design(name)))
        return
    print(listed([gallery_design(each) for each in gallery_names()]))
