"""A recognizer behind its aligner: chips in, embeddings and match confidence out."""

from collections.abc import Mapping, Sequence
from copy import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import CalibrationError, WeightsError
from advmask.recognizers.alignment import cut_chips, similarity_to_template
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.eye_region import eye_region, only_eyes
from advmask.recognizers.labels import label_of
from advmask.recognizers.own_module import as_recognizer_parts
from advmask.recognizers.preprocessing import embedded, in_shares, told_landmarks
from advmask.recognizers.services import AskedNetwork, ComparingNetwork
from advmask.recognizers.similarity import Distance, mean_template, similarity, similarity_matrix
from advmask.recognizers.specification import NetworkSpecification
from advmask.recognizers.templates import points_of_a_box, template_points


class Recognizer(nn.Module):
    """A frozen network with everything needed to feed it correctly.

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

    @classmethod
    def from_module(
        cls,
        module: nn.Module,
        *,
        size: tuple[int, int],
        template: str | Sequence[tuple[float, float]],
        name: str | None = None,
        channels: str = "rgb",
        range: tuple[float, float] = (-1.0, 1.0),  # noqa: A002 - as in the YAML
        mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
        std: tuple[float, float, float] = (1.0, 1.0, 1.0),
        distance: str = "cosine",
        embedding: int | None = None,
        flip: bool = False,
        aligner: str | None = None,
        crop: float | None = None,
        calibration: Mapping[str, float] | None = None,
        family: str = "user",
        licence: str | None = None,
        source: str | None = None,
    ) -> "Recognizer":
        """A network of one's own as a recognizer, which is taken wherever the name of one is.

        A copy of the network is taken, in evaluation mode and without gradients of its own: the module stays
        what it was, and training it further does not change the recognizer. It is run on random pictures
        once, to see that it embeds each picture by itself.

        Args:
            module: Takes input (B, 3, height, width), prepared as follows, and gives embeddings (B, D).
            size: Height and width of its input, px.
            template: Five-point alignment: `arcface`, `dlib` or `facenet`, or five (x, y) points, px.
            name: For tables; None takes the name of its class. Records call it `module:NAME`.
            channels: Order of its input's channels, `rgb` or `bgr`.
            range: Lowest and highest value of its input, before `mean` and `std`.
            mean: Subtracted per channel, in the network's channel order and in that range.
            std: Divided by, per channel.
            distance: How its embeddings compare, `cosine` or `euclidean`.
            embedding: Length of an embedding; None finds it by a call.
            flip: Embed a picture as the sum of its embedding and that of its mirror image.
            aligner: Name of what its maker finds and aligns faces by: `evaluate` then also runs it so.
            crop: With `aligner="box"`, the side of the square that its maker cuts, in sides of the box.
            calibration: `threshold`, `scale` and `fmr`, where they are known; otherwise the photos at hand
                must be enough for a threshold.
            family: Of the architecture; in results it is listed with others of the same family.
            licence: Of the weights.
            source: Where the weights come from.

        Raises:
            ConfigError: It is not a module, or a value does not fit.
            WeightsError: It does not run as it is to be fed, or not as a recognizer must.
        """
        feeding = {
            "size": size,
            "template": template,
            "channels": channels,
            "range": range,
            "mean": mean,
            "std": std,
            "distance": distance,
            "embedding": embedding,
            "flip": flip,
            "aligner": aligner,
            "crop": crop,
            "calibration": calibration,
            "family": family,
            "licence": licence,
            "source": source,
        }
        return cls(**as_recognizer_parts(module, name, feeding))

    @property
    def asked(self) -> bool:
        """Whether it is a service that is asked picture by picture, and finds faces by itself or does not."""
        return isinstance(self.network, AskedNetwork | ComparingNetwork)

    @property
    def label(self) -> str:
        """Short name for tables: of a path its stem, of a function `module.function`."""
        return label_of(self.name)

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
        """Align pictures ([0, 1], RGB) by five landmarks each; differentiable. A service sees all."""
        if self.asked:
            return pictures
        transform = similarity_to_template(landmarks, self.template.to(landmarks.dtype))
        return cut_chips(pictures, transform, size=self.specification.size)

    def places(self, landmarks: Float[Tensor, "batch 5 2"]) -> Float[Tensor, "batch 5 2"] | None:
        """Where landmarks lie in the chips cut by them, as shares of their sides; without gradient.

        None for most networks, which are shown a chip and told nothing.
        """
        if not told_landmarks(self.network):
            return None
        with torch.no_grad():
            transform = similarity_to_template(landmarks, self.template.to(landmarks.dtype))
            points = (transform[:, None, :, :2] * landmarks[:, :, None]).sum(dim=3) + transform[:, None, :, 2]
            return in_shares(points, self.specification.size)

    def embed(
        self,
        chips: Float[Tensor, "batch 3 height width"],
        places: Float[Tensor, "batch 5 2"] | None = None,
    ) -> Float[Tensor, "batch dim"]:
        """Embeddings of aligned RGB chips in [0, 1]; the network's own range is owned here.

        Args:
            chips: Aligned.
            places: Of their landmarks, as `places` gives them; a network that is told landmarks takes those
                of its template otherwise.
        """
        if self._kept is not None:
            chips = only_eyes(chips, self._kept)
        return embedded(self.network, chips, self.specification, places)

    def forward(
        self, pictures: Float[Tensor, "batch 3 rows columns"], landmarks: Float[Tensor, "batch 5 2"]
    ) -> Float[Tensor, "batch dim"]:
        """Embeddings of the faces at the landmarks."""
        return self.embed(self.chips(pictures, landmarks), self.places(landmarks))

    def similarity(
        self, probes: Float[Tensor, "*batch dim"], templates: Float[Tensor, "*batch dim"]
    ) -> Float[Tensor, "*batch"]:
        """Similarity of each probe to its own template."""
        if isinstance(self.network, ComparingNetwork):
            return self.network.similarity(probes, templates)
        return similarity(probes, templates, distance=self.distance)

    def similarity_matrix(
        self, probes: Float[Tensor, "n dim"], templates: Float[Tensor, "m dim"]
    ) -> Float[Tensor, "n m"]:
        """Similarity of every probe to every template."""
        if isinstance(self.network, ComparingNetwork):
            return self.network.similarity(probes[:, None], templates[None])
        return similarity_matrix(probes, templates, distance=self.distance)

    def enrol(self, embeddings: Float[Tensor, "n dim"]) -> Float[Tensor, " dim"]:
        """Gallery template of a person from the embeddings of several photos; NaN where none has a face."""
        if isinstance(self.network, ComparingNetwork):
            return embeddings[0]
        if self.asked:
            embeddings = embeddings[torch.isfinite(embeddings).all(dim=1)]
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
                "'calibration: {fmr: ..., threshold: ..., scale: ...}' into the YAML next to its weights."
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

    def as_its_maker_crops(self) -> "Recognizer":
        """The same recognizer as its maker feeds it: with the square about the detector's box, if so."""
        spec = self.specification
        if spec.crop is None:
            return self
        return self.with_template(points_of_a_box(spec.crop, size=spec.size))

    def with_template(self, points: Float[Tensor, "5 2"]) -> "Recognizer":
        """The same recognizer with landmarks taken to other places of its chip; both share one network."""
        if torch.equal(points.to(self.template), self.template):
            return self
        kept = None if self._kept is None else eye_region(points, size=self.specification.size)
        twin = copy(self)
        twin._buffers = self._buffers | {
            "template": points.to(self.template),
            "_kept": None if kept is None else kept.to(self.template.device),
        }
        return twin

    def confidence(self, similarity: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Match confidence of similarities, in (0, 1)."""
        return self.calibrated.confidence(similarity)

    def __repr__(self) -> str:
        """One line; the network itself is `network`."""
        spec = self.specification
        height, width = spec.size
        known = f"threshold {self.calibration.threshold:g}" if self.calibration else "no threshold yet"
        return f"Recognizer({self.name!r}, {height} x {width} px, {spec.distance}, {known})"

    def train(self, mode: bool = True) -> "Recognizer":
        """Recognizers stay in evaluation mode, whatever a training loop asks for."""
        super().train(False)
        return self


def embed_all(
    recognizer: Recognizer,
    pictures: Float[Tensor, "n 3 rows columns"],
    landmarks: Float[Tensor, "n 5 2"],
    *,
    batch: int | None = None,
) -> Float[Tensor, "n dim"]:
    """Embeddings without gradient, in pieces, on the recognizer's own device; returned on the CPU.

    Args:
        recognizer: Of which device.
        pictures: In [0, 1], RGB.
        landmarks: On them.
        batch: Pictures at once; None takes 16 on the CPU, and 256 elsewhere.

    Raises:
        WeightsError: Some are infinite or undefined.
    """
    device = recognizer.template.device
    batch = batch or (16 if device.type == "cpu" else 256)
    pieces = []
    with torch.no_grad():
        for start in range(0, len(pictures), batch):
            part = slice(start, start + batch)
            pieces.append(recognizer(pictures[part].to(device), landmarks[part].to(device)).cpu())
    embeddings = torch.cat(pieces) if pieces else torch.zeros(0, recognizer.specification.embedding)
    broken = int((~torch.isfinite(embeddings)).any(dim=1).sum())
    if broken and not recognizer.asked:
        raise WeightsError(
            f"{recognizer.name} gives undefined embeddings for {broken} of {len(embeddings)} photos; its "
            "weights are damaged, or `range`, `mean` and `std` in its specification are wrong."
        )
    return embeddings
