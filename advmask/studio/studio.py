"""What the page can ask for: the studio's doings, as functions of plain values."""

import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import Field

from advmask.applying.before_after import before_after
from advmask.applying.mannequin import MOST_TURNED_DEG, bare_mannequin, on_mannequin
from advmask.applying.wear_design import worn_design
from advmask.core.errors import PhotoError, RunError
from advmask.core.presets import preset_names
from advmask.core.settings import Settings
from advmask.printing.gallery_words import measured_sentence
from advmask.printing.settings import PAPERS, SheetSettings
from advmask.studio.choices import Choices, evaluate_words, export_words, offered
from advmask.studio.glance import Glances
from advmask.studio.live import LiveMirror, Seen
from advmask.studio.pictures import PORTRAIT, Pictures, Readable, of_gallery
from advmask.studio.run_state import shown_command
from advmask.studio.runs import Run, Runs
from advmask.studio.videos import keep_video, video_folders, video_words
from advmask.studio.work import Works
from advmask.studio.worn_pictures import WornPictures, flat, inks_of, printed, started, swatches_of
from advmask.textures.design_files import Design
from advmask.textures.gallery import gallery_design, gallery_names

TURN_DEG = 10
"""From one stop of the slider to the next."""


class PrintOrder(Settings):
    """What is asked for of the print files.

    Attributes:
        printer: For which.
        paper: Of the sheets.
        state: Step whose design is printed; None for that which the run left.
        ruler_mm: What the ruler of an earlier print of this printer measured.
    """

    printer: str = "none"
    paper: str = Field(default="a4", max_length=20)
    state: int | None = Field(default=None, ge=1)
    ruler_mm: float = Field(default=100.0, ge=80, le=125)


class Studio:
    """A folder of drawings, photos and designs, and what can be done with them.

    Args:
        folder: All that is kept lies in it.
        works: What starts long work; None starts the commands of advmask.
    """

    def __init__(self, folder: Path, *, works: Works | None = None) -> None:
        self.folder = folder.absolute()
        self.pictures = Pictures(self.folder / "pictures")
        self.runs = Runs(self.folder / "designs")
        self.works = works or Works()
        self.shown = WornPictures()
        self.mirror = LiveMirror()
        self.glances = Glances(self.shown)
        self._one_design = threading.Lock()

    def warm_up(self) -> None:
        """Have ready what the first pictures need, so that they come at once."""
        self.try_on(Choices(drawing="motif"), photo=PORTRAIT, as_printed=False)
        for yaw_deg in sorted(range(-MOST_TURNED_DEG, MOST_TURNED_DEG + 1, TURN_DEG), key=abs):
            bare_mannequin(yaw_deg)

    def offers(self) -> dict[str, Any]:
        """All that can be chosen, and what is chosen if nobody does."""
        return {
            "folder": str(self.folder),
            "turn": {"most": MOST_TURNED_DEG, "step": TURN_DEG},
            "chosen": Choices().model_dump(),
            "masks": offered("mask"),
            "printers": offered("printer"),
            "wheres": [name for name in offered("effects") if not name.startswith("print-")],
            "papers": list(PAPERS),
            "drawings": self.pictures.names("drawing"),
            "gallery": [_shipped(name) for name in gallery_names()],
            "photos": self.pictures.names("photo"),
        }

    def choices(self, given: Mapping[str, Any]) -> Choices:
        """Choices, with the drawing and the photos there.

        Raises:
            AdvmaskError: One does not fit, or is not there.
        """
        choices = Choices.build(given)
        if choices.drawing is not None:
            self.pictures.path("drawing", choices.drawing)
        for photo in choices.photos:
            self.pictures.path("photo", photo)
        return choices

    def start_of(self, choices: Choices) -> Design:
        """What a design begins with."""
        drawing = None if choices.drawing is None else self.pictures.path("drawing", choices.drawing)
        return started(choices.texture_settings(drawing), choices.mask_settings())

    def try_on(self, choices: Choices, *, photo: str, as_printed: bool) -> Image.Image:
        """What a design begins with, worn on a photo."""
        printer = choices.printer_settings() if as_printed else None
        return self.shown.worn(self.pictures.path("photo", photo), self.start_of(choices), printer=printer)

    def turned_start(self, choices: Choices, *, yaw_deg: float, as_printed: bool) -> Image.Image:
        """What a design begins with, on a drawn head."""
        design = self.start_of(choices)
        if as_printed:
            design = printed(design, choices.printer_settings())
        return on_mannequin(worn_design(design), yaw_deg=yaw_deg)

    def flat_start(self, choices: Choices) -> Image.Image:
        """What a design begins with, as a flat picture."""
        return flat(self.start_of(choices))

    def inks(self, drawing: str, count: int | None = None) -> list[str]:
        """Colours of a drawing: so many, or as many as it has."""
        path = self.pictures.path("drawing", drawing)
        return inks_of(path, None if count is None else max(2, min(12, count)))

    def swatches(self, drawing: str) -> list[str]:
        """Colours of a drawing to choose from: all of one in few flat colours, else more than it needs."""
        return swatches_of(self.pictures.path("drawing", drawing))

    def command(self, choices: Choices) -> str:
        """The command line that makes a design as chosen."""
        drawing = None if choices.drawing is None else self.pictures.path("drawing", choices.drawing)
        own = [self.pictures.path("photo", name) for name in choices.photos if name != PORTRAIT]
        photos = own[0] if own else None
        return shown_command(
            ["train", *choices.train_words(self.runs.folder / "NAME", drawing=drawing, photos=photos)]
        )

    def design(self, title: str, choices: Choices) -> Run:
        """Start a design: copies of what it needs go into its folder, and `advmask train` begins.

        Raises:
            RunError: Another one is being designed.
        """
        with self._one_design:
            self._nobody_designs()
            run = self.runs.begin(title, choices)
            if choices.drawing is not None:
                self.pictures.copy("drawing", choices.drawing, run.given / "drawing")
            if choices.photos != [PORTRAIT]:
                for number, photo in enumerate(choices.photos, start=1):
                    self.pictures.copy("photo", photo, run.given / "photos" / str(number))
            self._train(run)
        return run

    def go_on(self, run: Run) -> None:
        """Resume a design that was stopped or killed."""
        with self._one_design:
            self._nobody_designs()
            self._train(run)

    def _nobody_designs(self) -> None:
        for run in self.runs.all():
            if (job := self.works.at_work(run.path)) and job.action == "design":
                title = run.record["title"]
                raise RunError(f"{title} is being designed; wait until it is done, or stop it first.")

    def _train(self, run: Run) -> None:
        words = run.choices.train_words(run.path, drawing=run.drawing(), photos=run.photos())
        self.works.start(run.path, "design", ["train", *words])

    def measure(self, run: Run) -> None:
        """Start to measure a design."""
        _needs_end(run)
        self.works.start(run.path, "measure", ["evaluate", *evaluate_words(run.path)])

    def print(self, run: Run, order: PrintOrder) -> None:
        """Start to make print files."""
        SheetSettings.build({"paper": order.paper})  # says what is wrong with it
        if order.printer not in preset_names("printer"):
            raise RunError(f"There is no printer called {order.printer}.")
        if order.state is None:
            _needs_end(run)
        design = run.path if order.state is None else run.state_file(order.state)
        name = f"{order.printer}-{order.paper.lower()}" + (
            "" if order.state is None else f"-step-{order.state}"
        )
        out = run.path / "exports" / name
        of_picture = None if order.state is None else run.choices
        words = export_words(design, out, printer=order.printer, paper=order.paper, of_picture=of_picture)
        if order.ruler_mm != 100:
            words.append(f"sheet.ruler_mm={order.ruler_mm:g}")
        self.works.start(run.path, "print", ["export", *words])

    def forget(self, run: Run) -> None:
        """Delete a design and all that was made of it.

        Raises:
            RunError: It is being worked on, or cannot be deleted.
        """
        if any(self.works.at_work(folder) for folder in [run.path, *video_folders(run.path)]):
            raise RunError(f"{run.record['title']} is being worked on; stop it first.")
        try:
            shutil.rmtree(run.path)
        except OSError as error:
            raise RunError(f"{run.path} cannot be deleted: {error.strerror}.") from error
        self.glances.forget(run)

    def photo_of(self, run: Run, name: str | None = None) -> Path:
        """A photo to show a design on: by default its first, and its own copy of one that was deleted since.

        Raises:
            PhotoError: There is no such photo.
        """
        name = name or str(run.chosen.get("photos", [PORTRAIT])[0])
        try:
            return self.pictures.path("photo", name)
        except PhotoError:
            if copy := run.photo(name):
                return copy
            raise

    def before_after(self, run: Run, *, path: Path, shape: str, state: int | None) -> Image.Image:
        """A picture to share, on the photo at a path."""
        bare, face = self.shown.bare(path)
        return before_after(bare, self.shown.worn(path, run.design(state)), face, shape=shape)

    def turned(self, run: Run, state: int | None, *, yaw_deg: float) -> Image.Image:
        """A design on a drawn head."""
        return on_mannequin(worn_design(run.design(state)), yaw_deg=yaw_deg)

    def photos_of(self, run: Run) -> list[Path]:
        """All photos of a design.

        Raises:
            PhotoError: One is neither here nor in the design's folder.
        """
        return [self.photo_of(run, str(name)) for name in run.chosen.get("photos") or [PORTRAIT]]

    def glance(self, run: Run, state: int | None) -> dict[str, Any]:
        """Its figures at a glance: bare, in plain masks, in the design."""
        return self.glances.of_run(run, self.photos_of(run), state)

    def glance_at_camera(self, run: Run, seen: Seen, visitor: str) -> list[dict[str, Any]]:
        """The same of a camera's frame, compared with the design's photos, or with the camera's own first."""
        own = run.chosen.get("photos") or [PORTRAIT]
        return self.glances.of_frame(run, None if own == [PORTRAIT] else self.photos_of(run), seen, visitor)

    def wear_in_video(
        self, run: Run, stream: Readable, length: int, *, called: str, state: int | None
    ) -> None:
        """Keep a video that is sent, and start to have its faces wear a design."""
        design = run.design_file(state)
        mask_words = [] if design == run.path else run.choices.mask_words()
        folder = keep_video(run.path, stream, length, called=called, state=state)
        self.works.start(folder, "try", ["apply", *video_words(design, folder, mask_words)])

    def forget_video(self, folder: Path) -> None:
        """Stop what is done with a video, and delete it."""
        self.works.stop(folder)
        while self.works.at_work(folder) is not None:
            time.sleep(0.05)  # it is killed if it does not stop
        shutil.rmtree(folder, ignore_errors=True)

    def flat_of(self, run: Run, state: int | None) -> Image.Image:
        """A design as a flat picture."""
        return flat(run.design(state))

    def still_at_work(self) -> list[str]:
        """Titles of what is going on."""
        return [str(run.record["title"]) for run in self.runs.all() if self.works.at_work(run.path)]


def _shipped(name: str) -> dict[str, Any]:
    """A measured design that ships, for the gallery."""
    design = gallery_design(name)
    return {
        "name": name,
        "drawing": of_gallery(name),
        "title": design.title,
        "character": design.character,
        "inks": list(design.inks),
        "measured": measured_sentence(design),
    }


def _needs_end(run: Run) -> None:
    if not run.finished:
        raise RunError("This design is not done yet; let it go on to its end, or take an earlier state.")
