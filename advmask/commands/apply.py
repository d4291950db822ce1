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
from advmask.applying.job_folders import Job, Plan, plan_jobs
from advmask.applying.mask_drawing import WornDesign
from advmask.applying.match_figures import Known, known_from, match_figures
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
    sharing = None if settings.share is None else _Sharing(settings, settings.share, plan, finder)
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

    def __init__(self, settings: ApplyCommand, share: Share, plan: Plan, finder: FaceFinder) -> None:
        self._share, self._finder, self._overwrite = share, finder, settings.overwrite
        photos = () if settings.enrolment is None else _photos_at(settings.enrolment.expanduser())
        given = [*plan.sources, *photos, Path(settings.design or "")]
        self._taken = {_key(path) for path in [*given, *plan.done, *(job.target for job in plan.jobs)]}
        self._known: list[Known] = []
        if settings.figures:
            recognizers = build_recognizers(settings.recognizers)
            self._known = known_from([read_picture(path) for path in photos], recognizers, finder)

    def next_to(self, result: Path) -> Shown:
        """What writes the one next to a result."""
        path, number = result.with_name(f"{result.stem}-{self._share}{share_ending(self._share)}"), 1
        # Taken is also the one of a photo of the same name as a PNG.
        while _key(path) in self._taken or (path.exists() and not self._overwrite):
            number += 1
            path = path.with_stem(f"{result.stem}-{self._share}-{number}")
        self._taken.add(_key(path))

        def write(bare: Image.Image, worn: Image.Image, face: FoundFace) -> None:
            figures = None
            if self._known:
                figures = match_figures(self._known, bare, worn, face, self._finder)
            content = share_file(bare, worn, face, share=self._share, figures=figures)
            write_with(path, lambda aside: aside.write_bytes(content))
            print(f"To post: {path}")

        return write


def _key(path: Path) -> str:
    """The same for all spellings of a path, also where the letters' case makes no difference."""
    return str(path.expanduser().resolve()).casefold()


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
