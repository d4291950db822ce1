"""`advmask apply`: a design worn in pictures and videos, at their own resolution."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig
from PIL import Image
from tqdm import tqdm

from advmask.applying.apply_to_picture import Applied, Shown, apply_to_picture
from advmask.applying.apply_to_video import apply_to_video
from advmask.applying.before_after import share_ending, share_file
from advmask.applying.face_finding import FaceFinder, FoundFace
from advmask.applying.job_folders import Job, plan_jobs
from advmask.applying.mask_drawing import WornDesign
from advmask.applying.match_figures import match_figures
from advmask.applying.settings import Share
from advmask.applying.wear_design import worn_design
from advmask.commands.design_names import open_design
from advmask.commands.given_settings import as_mapping, beside_run
from advmask.commands.settings import ApplyCommand
from advmask.core.errors import PhotoError, RunError
from advmask.core.files import write_with
from advmask.core.picture_reading import read_picture
from advmask.masks.settings import MaskSettings
from advmask.photos.photo_files import photos_in
from advmask.recognizers.recognizer_names import build_recognizers

_MOST_LISTED = 20
_NO_SHARE = "share= makes pictures of photos; there is none of a video."


def run(config: DictConfig) -> None:
    """Write a copy of each picture and video, with masks."""
    mask = MaskSettings.build(as_mapping(config)["mask"])
    named = open_design(
        config.design, mask=mask, texels_per_mm=config.texels_per_mm, fit=config.fit, copy_mm=config.copy_mm
    )
    values = beside_run(config, named.run, texels_per_mm=named.texels_per_mm, only=[])
    settings = ApplyCommand.build(values)
    design = worn_design(named.design, settings.render)
    source, output = settings.input.expanduser(), settings.output.expanduser()
    plan = plan_jobs(source, output, overwrite=settings.overwrite)
    if plan.done and not source.is_dir():
        raise RunError(f"{plan.done[0]} exists; name another output=, or replace it with overwrite=true.")
    _tell(f"Skipped {len(plan.strange)} files that are not photos or videos:", plan.strange)
    if plan.done:
        print(f"{len(plan.done)} results were there already; make them again with overwrite=true.")
    finder = FaceFinder(settings.faces)
    sharing = None if settings.share is None else _Sharing(settings, settings.share, finder)
    results: list[Applied] = []
    failures: list[str] = []
    bar = tqdm(plan.jobs, unit="file", disable=not settings.progress or len(plan.jobs) < 2)
    for job in bar:
        try:
            applied = _applied(job, design, finder, settings, sharing)
        except PhotoError as error:
            if not source.is_dir():
                raise
            failures.append(f"Left out {error}" if str(job.source) in str(error) else _about(job, error))
            tqdm.write(failures[-1])
            continue
        results.append(applied)
        bar.set_postfix_str(f"{sum(one.masks for one in results)} faces", refresh=False)
        for notice in applied.notices:
            tqdm.write(f"{job.source}: {notice}")
    if plan.jobs and not results and not plan.done:
        raise PhotoError(f"Nothing in {source} could be used; the reasons stand above.")
    _summarise(plan.jobs, results, failures, output)


class _Sharing:
    """Writes the picture to post of each result, next to it."""

    def __init__(self, settings: ApplyCommand, share: Share, finder: FaceFinder) -> None:
        self._share, self._finder, self._overwrite = share, finder, settings.overwrite
        self._recognizers = build_recognizers(settings.recognizers) if settings.figures else []
        place = (
            None if settings.enrolment is None or not settings.figures else settings.enrolment.expanduser()
        )
        self._enrolment = [] if place is None else [read_picture(path) for path in _photos_at(place)]

    def next_to(self, result: Path) -> Shown:
        """What writes the one next to a result."""
        path, number = result.with_name(f"{result.stem}-{self._share}{share_ending(self._share)}"), 1
        while path.exists() and not self._overwrite:  # such as that of a photo of the same name as a PNG
            number += 1
            path = path.with_stem(f"{result.stem}-{self._share}-{number}")

        def write(bare: Image.Image, worn: Image.Image, face: FoundFace) -> None:
            figures = None
            if self._recognizers:
                figures = match_figures(
                    self._recognizers, bare, worn, face, self._finder, enrolment=self._enrolment
                )
            content = share_file(bare, worn, face, share=self._share, figures=figures)
            write_with(path, lambda aside: aside.write_bytes(content))
            print(f"To post: {path}")

        return write


def _photos_at(place: Path) -> tuple[Path, ...]:
    photos = photos_in(place) if place.is_dir() else (place,)
    if not photos:
        raise PhotoError(f"There is no photo in {place}; name one, or a folder of them, with enrolment=.")
    return photos


def _applied(
    job: Job, design: WornDesign, finder: FaceFinder, settings: ApplyCommand, sharing: _Sharing | None
) -> Applied:
    if job.kind == "picture":
        shown = None if sharing is None else sharing.next_to(job.target)
        return apply_to_picture(job.source, job.target, design=design, finder=finder, shown=shown)
    applied = apply_to_video(
        job.source,
        job.target,
        design=design,
        finder=finder,
        steady=settings.steady,
        progress=settings.progress,
    )
    return applied if sharing is None else replace(applied, notices=(*applied.notices, _NO_SHARE))


def _about(job: Job, error: Exception) -> str:
    return f"Left out {job.source}: {error}"


def _tell(title: str, paths: Iterable[Path]) -> None:
    listed = list(paths)
    if not listed:
        return
    print(title)
    for path in listed[:_MOST_LISTED]:
        print(f"  {path}")
    if len(listed) > _MOST_LISTED:
        print(f"  and {len(listed) - _MOST_LISTED} more")


def _summarise(jobs: tuple[Job, ...], results: list[Applied], failures: list[str], output: Path) -> None:
    bare = sum(one.masks == 0 for one in results)
    masked = len(results) - bare
    where = jobs[0].target if len(jobs) == 1 else output
    parts = [f"{masked} with masks on {sum(one.masks for one in results)} faces"]
    if bare:
        parts.append(f"{bare} without a mask, copied as they are")
    if failures:
        parts.append(f"{len(failures)} left out")
    if jobs:
        print(f"Written to {where}: {'; '.join(parts)}.")
