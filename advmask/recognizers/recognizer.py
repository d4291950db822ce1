"""A recognizer behind its aligner: chips in, embeddings and match confidence out."""

from copy import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import CalibrationError, WeightsError
from advmask.recognizers.alignment import cut_chips, similarity_to_template
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.eye_region import eye_region, only_eyes
from advmask.recognizers.preprocessing import preprocess
from advmask.recognizers.similarity import Distance, mean_template, similarity, similarity_matrix
from advmask.recognizers.specification import NetworkSpecification
from advmask.recognizers.templates import template_points

EYES = "eyes"
"""Scheme of a matcher that sees the eye region alone: `eyes:dlib`."""

_ENDINGS = (".onnx", ".pth", ".pt", ".ts", ".torchscript", ".ckpt", ".safetensors", ".py")


class Recognizer(nn.Module):
    """A frozen network with everything needed to feed it rightly.

    Args:
        name: As users write it: `dlib`, `facenet:vggface2`, `onnx:PATH`.
        network: Takes normalised chips (B, 3, H, W), gives embeddings (B, D).
        specification: Size, channels, range, template and distance.
        calibration: Threshold and scale; None if it must still be calibrated.
        weights_sha256: Checksum of the weights file, recorded in results.
        eyes_only: It sees the eye region alone: a periocular matcher, the bound of what a print can do.
        why_no_gradient: For a black box, why no gradient comes through it, as a clause for the user; empty
            for all others.
    """

    template: Tensor
    _kept: Tensor | None

    def __init__(
        self,
        name: str,
        network: nn.Module,
        specification: NetworkSpecification,
        *,
        calibration: Calibration | None = None,
        weights_sha256: str = "",
        eyes_only: bool = False,
        why_no_gradient: str = "",
    ) -> None:
        super().__init__()
        self.name = name
        self.network = network
        self.specification = specification
        self.calibration = calibration
        self.weights_sha256 = weights_sha256
        self.why_no_gradient = why_no_gradient
        points = template_points(specification.template, size=specification.size)
        self.register_buffer("template", points, persistent=False)
        kept = eye_region(points, size=specification.size) if eyes_only else None
        self.register_buffer("_kept", kept, persistent=False)
        self.requires_grad_(False)
        self.eval()

    @property
    def label(self) -> str:
        """Short name for tables: of a path its stem, of a function `module.function`."""
        scheme, _, rest = self.name.partition(":")
        if scheme == EYES:
            return f"{_label(rest)}-eyes"
        return _label(self.name)

    @property
    def eyes_only(self) -> bool:
        """Whether it sees the eye region alone."""
        return self._kept is not None

    @property
    def differentiable(self) -> bool:
        """Whether a gradient comes through the network; a black box can be evaluated, not trained against."""
        return not self.why_no_gradient

    @property
    def family(self) -> str:
        """Of the architecture: `dlib`, `iresnet`, `inception_resnet_v1`; `user` where nobody said."""
        return self.specification.family

    @property
    def licence(self) -> str | None:
        """Of the weights."""
        return self.specification.licence

    @property
    def source(self) -> str | None:
        """Where the weights come from."""
        return self.specification.source

    @property
    def distance(self) -> Distance:
        """How embeddings are compared."""
        return self.specification.distance

    def chips(
        self, pictures: Float[Tensor, "batch 3 rows columns"], landmarks: Float[Tensor, "batch 5 2"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Align pictures ([0, 1], RGB) by five landmarks each; differentiable."""
        transform = similarity_to_template(landmarks, self.template.to(landmarks.dtype))
        return cut_chips(pictures, transform, size=self.specification.size)

    def embed(self, chips: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dim"]:
        """Embeddings of aligned RGB chips in [0, 1]; the network's own range is owned here."""
        spec = self.specification
        if self._kept is not None:
            chips = only_eyes(chips, self._kept)
        fed = preprocess(chips, channels=spec.channels, value_range=spec.range, mean=spec.mean, std=spec.std)
        if spec.flip:
            plain, mirrored = self.network(torch.cat([fed, fed.flip(3)])).chunk(2)
            both: Tensor = plain + mirrored
            return both
        embeddings: Tensor = self.network(fed)
        return embeddings

    def forward(
        self, pictures: Float[Tensor, "batch 3 rows columns"], landmarks: Float[Tensor, "batch 5 2"]
    ) -> Float[Tensor, "batch dim"]:
        """Embeddings of the faces at the landmarks."""
        return self.embed(self.chips(pictures, landmarks))

    def similarity(
        self, probes: Float[Tensor, "*batch dim"], templates: Float[Tensor, "*batch dim"]
    ) -> Float[Tensor, "*batch"]:
        """Similarity of each probe to its own template."""
        return similarity(probes, templates, distance=self.distance)

    def similarity_matrix(
        self, probes: Float[Tensor, "n dim"], templates: Float[Tensor, "m dim"]
    ) -> Float[Tensor, "n m"]:
        """Similarity of every probe to every template."""
        return similarity_matrix(probes, templates, distance=self.distance)

    def enrol(self, embeddings: Float[Tensor, "n dim"]) -> Float[Tensor, " dim"]:
        """Gallery template of a person from the embeddings of several photos."""
        return mean_template(embeddings, distance=self.distance)

    @property
    def calibrated(self) -> Calibration:
        """The calibration.

        Raises:
            CalibrationError: There is none yet.
        """
        if self.calibration is None:
            raise CalibrationError(
                f"{self.name} has no threshold yet. Give photos of several people, or write "
                "'calibration: {fmr: ..., threshold: ..., scale: ...}' into the YAML beside its weights."
            )
        return self.calibration

    def with_calibration(self, calibration: Calibration) -> "Recognizer":
        """The same recognizer with another threshold and scale; both share one network."""
        twin = copy(self)
        twin.calibration = calibration
        return twin

    def compiled(self) -> "Recognizer":
        """The same recognizer with its network compiled by `torch.compile`; both share its weights."""
        twin = copy(self)
        twin._modules = self._modules | {"network": torch.compile(self.network)}  # type: ignore[dict-item]
        return twin

    def confidence(self, similarity: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Match confidence of similarities, in (0, 1)."""
        return self.calibrated.confidence(similarity)

    def train(self, mode: bool = True) -> "Recognizer":
        """Recognizers stay in evaluation mode, whatever a training loop asks for."""
        super().train(False)
        return self


def embed_all(
    recognizer: Recognizer,
    pictures: Float[Tensor, "n 3 rows columns"],
    landmarks: Float[Tensor, "n 5 2"],
    *,
    batch: int = 16,
) -> Float[Tensor, "n dim"]:
    """Embeddings without gradient, in pieces, on the recognizer's own device; returned on the CPU.

    Raises:
        WeightsError: Some are infinite or undefined.
    """
    device = recognizer.template.device
    pieces = []
    with torch.no_grad():
        for start in range(0, len(pictures), batch):
            part = slice(start, start + batch)
            pieces.append(recognizer(pictures[part].to(device), landmarks[part].to(device)).cpu())
    embeddings = torch.cat(pieces) if pieces else torch.zeros(0, recognizer.specification.embedding)
    broken = int((~torch.isfinite(embeddings)).any(dim=1).sum())
    if broken:
        raise WeightsError(
            f"{recognizer.name} gives undefined embeddings for {broken} of {len(embeddings)} photos; its "
            "weights are damaged, or `range`, `mean` and `std` in its specification are wrong."
        )
    return embeddings


def _stem(path: str) -> str:
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name


def _label(name: str) -> str:
    scheme, _, rest = name.partition(":")
    if not rest:
        return scheme
    if scheme == "facenet":
        return f"{scheme}-{rest}"
    if scheme == "python":
        module, _, function = rest.rpartition(":")
        return f"{_stem(module)}.{function}"
    return f"{_stem(rest)}-blackbox" if scheme == "onnx-blackbox" else _stem(rest)
