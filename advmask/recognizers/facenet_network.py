"""facenet-pytorch's InceptionResnetV1 with weights of our own folder: its constructor would download them."""

from pathlib import Path

import torch
from torch import nn

from advmask.recognizers.state_dicts import fill, read_state_dict

SIZE = 160
EMBEDDING = 512
VALUE_RANGE = (0.0, 255.0)
MEAN = (127.5, 127.5, 127.5)
STD = (128.0, 128.0, 128.0)


def load_facenet(path: Path) -> nn.Module:
    """Build the network with the weights of a file.

    Args:
        path: A state dict as facenet-pytorch publishes it; its classifier is left out.

    Returns:
        The network, frozen: `(B, 3, 160, 160)`, RGB, `(x * 255 - 127.5) / 128`, to unit vectors `(B, 512)`.

    Raises:
        WeightsError: The file is missing, damaged, refused, or holds another network.

    Source:
        Schroff et al., "FaceNet", 2015; Szegedy et al., "Inception-v4, Inception-ResNet", 2016; weights by
        D. Sandberg (github.com/davidsandberg/facenet), carried over by T. Esler.
    """
    from facenet_pytorch import InceptionResnetV1

    state = read_state_dict(path)
    with torch.device("meta"):  # no memory, and no draw from torch's generator
        network: nn.Module = InceptionResnetV1(pretrained=None, classify=False)
    fill(network, state, path=path, ignored=("logits.",))
    return network.to(memory_format=torch.channels_last)
