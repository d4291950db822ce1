"""The settings of each command, composed from those of the rooms: what Hydra's configuration starts from."""

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from advmask.applying.settings import FindSettings, Share, SteadySettings
from advmask.core.errors import ConfigError
from advmask.core.settings import Settings
from advmask.effects.settings import EffectsSettings
from advmask.evaluation.settings import JudgeProtocol, ProtocolSettings, ScoringSettings
from advmask.evaluation.sweeps.settings import CollectSettings, FiguresSettings
from advmask.masks.settings import SIZES, MaskSettings
from advmask.photos.settings import CropSettings, FacesSettings
from advmask.printers.settings import Dpi, PrinterSettings
from advmask.printing.settings import AskedPrinting, ExportSettings, Paper
from advmask.recognizers.settings import ServiceSettings
from advmask.render.settings import RenderSettings
from advmask.studio.settings import StudioSettings
from advmask.textures.settings import CopyMm, Fit, TexelsPerMm
from advmask.training.settings import TrainSettings


class TrainCommand(TrainSettings):
    """`advmask train`: everything a run depends on, and what is done with its design.

    Attributes:
        printing: Of the print files that a run ends with.
        export: Write the print files of the design into the run folder.
        check: Measure the design briefly when it is done.
    """

    free_on_resume: ClassVar[frozenset[str]] = TrainSettings.free_on_resume | {"export", "check"}

    printing: AskedPrinting = AskedPrinting()
    export: bool = True
    check: bool = True


class EvaluateCommand(ScoringSettings):
    """`advmask evaluate`: what is not given is taken from the run.

    Attributes:
        design: A run folder, the folder of a sweep, a picture file, or gallery:NAME (advmask designs).
        further: More of them, measured one after the other, each as its run says.
        pictures: Show faces in report.html; false to give it to others.
    """

    design: str | None = None
    further: list[str] = Field(default=[])
    pictures: bool = True


class CompareCommand(ScoringSettings):
    """`advmask compare`: what is not given is taken from the first run named.

    Attributes:
        designs: Run folders, picture files or gallery:NAME; differences are to the first.
        pictures: Show on variants.png, beside the flat designs, the first face of those probed wearing them.
    """

    designs: list[str] = Field(min_length=2)
    pictures: bool = True
    protocol: ProtocolSettings = ProtocolSettings(stricter_fmr=())

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        if self.protocol.stricter_fmr:
            raise ValueError("protocol.fmr is one rate here; designs are compared at one threshold")
        if self.protocol.pairs is not None:
            raise ValueError(
                "pairs are judged by `advmask evaluate`, not by compare; leave out protocol.pairs"
            )
        return self


class PreviewCommand(Settings):
    """`advmask preview`: faces bare, with a plain mask and with the design; or what each effect does.

    Attributes:
        design: A run folder, a picture file, or gallery:NAME (advmask designs).
        texels_per_mm: Resolution at which a picture file is worn.
        fit: How a picture file is laid on the mask: cover, contain, tile or template.
        copy_mm: Width of a copy for fit=tile, mm.
        plain: The plain mask shown next to it: a name from the designs that ship, or a picture file.
        people: Whose photos.
        count: Faces shown, spread evenly over the photos.
        progress: Show bars.
        faces: Whose.
        mask: Which.
        render: How.
        effects: What is shown of it, one effect after the other.
        printer: Which.
    """

    design: str | None = None
    texels_per_mm: TexelsPerMm = 3.0
    fit: Fit = "cover"
    copy_mm: CopyMm = 60.0
    plain: str = "surgical_blue"
    people: Literal["train", "validate", "test", "all"] = "all"
    count: int = Field(default=12, ge=1, le=500)
    progress: bool = True
    faces: FacesSettings = FacesSettings()
    mask: MaskSettings = MaskSettings()
    render: RenderSettings = RenderSettings(supersample=3)
    effects: EffectsSettings = EffectsSettings()
    printer: PrinterSettings = PrinterSettings()


class ExportCommand(ExportSettings):
    """`advmask export`: the files that a print shop or a printer at home takes, at true size.

    Attributes:
        design: A run folder, a picture file, or gallery:NAME (advmask designs).
    """

    design: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _sizes(cls, given: Any) -> Any:
        """`mask.size=[S,M]` is another way to write `sizes=[S,M]`."""
        values = dict(given)
        mask = values.get("mask")
        if isinstance(mask, dict) and isinstance(mask.get("size"), list):
            values["mask"] = {**mask, "size": "M"}
            if values.get("sizes") is None:
                values["sizes"] = mask["size"]
        sizes = values.get("sizes")
        if sizes is None:
            return values
        sizes = sizes if isinstance(sizes, list) else [sizes]
        if not sizes:
            raise ConfigError("sizes=[] names no size; give some of S, M, L and child.")
        unknown = [size for size in sizes if size not in SIZES]
        if unknown:
            raise ConfigError(f"There is no size {unknown[0]!r}; sizes are {', '.join(SIZES)}.")
        return {**values, "sizes": list(dict.fromkeys(sizes))}


class ApplyCommand(Settings):
    """`advmask apply`: what is worn, in what, and where the results go.

    Attributes:
        design: A run folder, a picture file, or gallery:NAME (advmask designs).
        input: A photo, a video, or a folder of them.
        output: A file for a file; a folder for a folder, whose tree and names it mirrors.
        texels_per_mm: Resolution at which a picture file is worn; 6 for faces of 1000 px and more.
        fit: How a picture file is laid on the mask: cover, contain, tile or template.
        copy_mm: Width of a copy for fit=tile, mm.
        share: Also write a before/after picture to post, next to each result: square (1080 x 1080), portrait
            (1080 x 1350) or gif.
        figures: Write on it how surely recognizers match the largest face before and after.
        recognizers: For these figures, names such as dlib, facenet:vggface2 or present: docs/recognizers.md.
        enrolment: Another photo of the person, or a folder of them, that these recognizers know the face
            from; None takes the very photo that is shown.
        overwrite: Make results again that exist; otherwise they are skipped, so that a folder resumes.
        progress: Show bars.
        faces: Which.
        steady: Of videos.
        mask: Which.
        render: How; more sub-pixels are read on small faces.
    """

    design: str | None = None
    input: Path
    output: Path
    texels_per_mm: TexelsPerMm = 3.0
    fit: Fit = "cover"
    copy_mm: CopyMm = 60.0
    share: Share | None = None
    figures: bool = False
    recognizers: list[str] = Field(default=["dlib"], min_length=1)
    enrolment: Path | None = None
    overwrite: bool = False
    progress: bool = True
    faces: FindSettings = FindSettings()
    steady: SteadySettings = SteadySettings()
    mask: MaskSettings = MaskSettings()
    render: RenderSettings = RenderSettings(supersample=3)


class JudgeCommand(Settings):
    """`advmask judge`: the physical test, pictures of people who wear a printed mask; docs/judge.md.

    Attributes:
        action: pictures, or protocol: a page that tells which pictures to take.
        photos: Folder of people, in each bare/, plain/ and design/; or these three of one person.
        enrolment: Folder of other bare photos by person; None enrols people with bare/.
        design: For the record: the run folder, or the file that was printed.
        recognizers: Names such as dlib, facenet:vggface2, onnx:PATH or present: docs/recognizers.md.
        pictures: Write judge.png, which shows faces.
        faces: How faces are found; `root` holds other people's bare photos, for the threshold, and None is
            that of the run, if any.
        protocol: How.
        paper: Of the protocol page.
        services: What services on the net may be sent.
    """

    action: str = "pictures"
    photos: Path | None = None
    enrolment: Path | None = None
    design: Path | None = None
    recognizers: list[str] = Field(default=["dlib"], min_length=1)
    pictures: bool = True
    faces: CropSettings = CropSettings()
    protocol: JudgeProtocol = JudgeProtocol()
    paper: Paper = "a4"
    services: ServiceSettings = ServiceSettings()

    @field_validator("photos", "enrolment", "design", mode="before")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        if value == "":  # an unset variable in a shell; as a path it would mean the folder one stands in
            raise ValueError("an empty path; give one, or null for none")
        return value


class PhotosHere(Settings):
    """What of a run's photos is not where it was.

    Attributes:
        root: Their folder.
        people: The list of who is on which.
        mesh_model: The network that finds landmarks, of faces.landmarks=mesh.
    """

    root: Path | None = None
    people: Path | None = None
    mesh_model: Path | None = None


class ReproduceCommand(Settings):
    """`advmask reproduce`: a finished run made again, from what its folder holds.

    Attributes:
        run: Its folder.
        faces: Where its photos are.
        recognizers: Names in place of those of the run, in the same order, where weights lie elsewhere here.
        progress: Show bars.
    """

    run: str | None = None
    faces: PhotosHere = PhotosHere()
    recognizers: list[str] | None = Field(default=None, min_length=1)
    progress: bool = True


class PatternCommand(Settings):
    """`advmask pattern`: what is drawn, and where to.

    Attributes:
        mask: Which; all that ship if none is named.
        out: Folder for the drawings.
        bleed_mm: How far ink goes beyond the cut, as drawn.
        obj: Write the worn mesh too, as a start for a shape of your own.
        template: Write a template to draw on too, as SVG and PNG: a drawing on it is given back with
            fit=template.
        dpi: Dots per inch of the template as PNG.
        overwrite: Replace drawings that differ.
    """

    mask: MaskSettings = MaskSettings()
    out: Path = Path("patterns")
    bleed_mm: float = Field(default=3.0, ge=0, le=10)
    obj: bool = False
    template: bool = False
    dpi: Dpi = 300
    overwrite: bool = False


class NamedPrinter(Settings):
    """What the measured printer is called, and whose other settings it gets.

    Attributes:
        name: For fit: what the printer is to be called in printer=NAME.
        like: Printer whose mirroring, bleed and differences between prints it has; these are not measured.
    """

    name: str | None = None
    like: str = "none"


class CalibrateCommand(Settings):
    """`advmask calibrate`: print a chart, photograph or scan it, and get a printer.

    Attributes:
        action: chart, or fit PHOTO.
        photo: For fit: photo or scan of the printed chart.
        out: Folder for the chart, and for the picture that shows the fit.
        overwrite: Replace files that differ, and a printer of this name.
        paper: Of the chart.
        dpi: Of the chart; multiples of 300 draw its lines sharpest.
        mirrored: Chart with left and right exchanged, for transfer paper; the photo is of the cloth.
        seed: Another order of the patches, 0 to 15; the photo tells which.
        printer: That is measured.
        paper_white: Linear sRGB reflectance of the bare paper or cloth, such as [0.86,0.87,0.88]; None takes
            white as 1.
    """

    action: str = "chart"
    photo: Path | None = None
    out: Path = Path("calibration")
    overwrite: bool = False
    paper: Paper = "a4"
    dpi: int = Field(default=300, ge=150, le=600)
    mirrored: bool = False
    seed: int = 0
    printer: NamedPrinter = NamedPrinter()
    paper_white: tuple[float, float, float] | None = None


class WeightsCommand(Settings):
    """`advmask weights`: what is done, and with which weights. Nothing else downloads any.

    Attributes:
        action: list, get NAME, verify, or add FILE.
        what: NAME of the list, or FILE.
        name: For add: a name of the list, or one of your choice; None takes the file's.
        adapter: For add: what reads a .pth, .ckpt or .safetensors file: iresnet50 (18, 34, 100), vit,
            edgeface, magface, adaface.
        folder: Weights folder; None takes what ADVMASK_WEIGHTS names, else the user's cache folder.
        progress: Show progress bars.
    """

    action: str = "list"
    what: str | None = None
    name: str | None = None
    adapter: str | None = None
    folder: str | None = None
    progress: bool = True


class DesignsCommand(Settings):
    """`advmask designs`: the measured designs that ship; `gallery:NAME` names one wherever a design is named.

    Attributes:
        name: Whose card is shown; None lists all.
    """

    name: str | None = None


class CacheCommand(Settings):
    """`advmask cache`: the face crops and placed masks kept on this machine.

    Attributes:
        action: show, or clear.
        folder: Where they are; None is the user's cache folder.
    """

    action: str = "show"
    folder: str | None = None


COMMAND_SETTINGS: dict[str, type[Settings]] = {
    "train": TrainCommand,
    "preview": PreviewCommand,
    "evaluate": EvaluateCommand,
    "compare": CompareCommand,
    "collect": CollectSettings,
    "figures": FiguresSettings,
    "pattern": PatternCommand,
    "export": ExportCommand,
    "apply": ApplyCommand,
    "designs": DesignsCommand,
    "judge": JudgeCommand,
    "reproduce": ReproduceCommand,
    "calibrate": CalibrateCommand,
    "weights": WeightsCommand,
    "cache": CacheCommand,
    "studio": StudioSettings,
}
