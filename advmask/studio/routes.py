"""Which request is answered by what; names in addresses are looked up, and never become paths unseen."""

import json
import re
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, get_args

from advmask.applying.before_after import SHAPES
from advmask.core.errors import AdvmaskError, PhotoError, RunError
from advmask.studio import prints
from advmask.studio.answers import Answer, attached, file, part_of_file, picture, trouble, values
from advmask.studio.asked import Asked
from advmask.studio.pictures import Kind
from advmask.studio.run_state import state, summary
from advmask.studio.studio import PrintOrder, Studio
from advmask.studio.videos import WORN, video_folder

_SCRIPTS = ("tools", "words", "new", "meters", "run", "beside", "videos", "prints", "camera", "start")
_PAGE = {"": "index.html", "studio.css": "studio.css", "icon.svg": "icon.svg"} | {
    f"{name}.js": f"{name}.js" for name in _SCRIPTS
}
_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def answer(studio: Studio, asked: Asked) -> Answer:
    """Answer a request that was let in."""
    for method, pattern, found in _ROUTES:
        match = re.fullmatch(pattern, asked.path)
        if match and method == asked.method:
            try:
                return found(studio, asked, *match.groups())
            except AdvmaskError as error:
                return trouble(str(error), status=422)
            except (ConnectionError, TimeoutError):
                raise
            except OSError as error:
                return trouble(f"A file cannot be read or written: {error}.", status=422)
    return trouble("There is nothing at this address.", status=404)


def _page(studio: Studio, asked: Asked, name: str) -> Answer:
    if name not in _PAGE:
        return trouble("There is nothing at this address.", status=404)
    content = (resources.files("advmask.studio") / "page" / _PAGE[name]).read_bytes()
    kind = _KINDS[_PAGE[name].rpartition(".")[2]]
    return Answer(content, kind if kind.startswith("image") else f"{kind}; charset=utf-8")


def _words(studio: Studio, asked: Asked, language: str) -> Answer:
    path = resources.files("advmask.studio") / "page" / "words" / f"{language}.json"
    if not path.is_file():
        return trouble("There is nothing at this address.", status=404)
    return Answer(path.read_bytes())


def _upload(studio: Studio, asked: Asked, kind: str) -> Answer:
    assert asked.stream is not None
    of = _kind(kind)
    called = _called(asked, f"The {kind}")
    name = studio.pictures.keep(of, asked.stream, asked.length, called=called)
    found: dict[str, Any] = {"name": name}
    if of == "drawing":
        found["inks"] = studio.inks(name)
    else:
        try:
            studio.shown.bare(studio.pictures.path(of, name))  # finds the face now
        except PhotoError:
            studio.pictures.forget(of, name)  # refused is not kept
            raise
    return values(found)


def _forget(studio: Studio, asked: Asked, kind: str, name: str) -> Answer:
    studio.pictures.forget(_kind(kind), name)
    return values({})


def _thumbnail(studio: Studio, asked: Asked, kind: str, name: str) -> Answer:
    return file(studio.pictures.thumbnail(_kind(kind), name))


def _photo(studio: Studio, asked: Asked, name: str) -> Answer:
    return picture(studio.shown.bare(studio.pictures.path("photo", name))[0])


def _try_on(studio: Studio, asked: Asked) -> Answer:
    choices = studio.choices(_mapping(asked.given, "choices"))
    photo = str(asked.given.get("photo") or choices.photos[0])
    return picture(studio.try_on(choices, photo=photo, as_printed=bool(asked.given.get("as_printed"))))


def _turned_start(studio: Studio, asked: Asked) -> Answer:
    choices = studio.choices(_mapping(asked.given, "choices"))
    as_printed = bool(asked.given.get("as_printed"))
    return picture(studio.turned_start(choices, yaw_deg=asked.yaw_deg, as_printed=as_printed))


def _flat_start(studio: Studio, asked: Asked) -> Answer:
    return picture(studio.flat_start(studio.choices(_mapping(asked.given, "choices"))), kind="png")


def _inks(studio: Studio, asked: Asked) -> Answer:
    count = asked.given.get("count")
    drawing = str(asked.given.get("drawing"))
    if asked.given.get("swatches"):
        return values({"inks": studio.swatches(drawing)})
    return values({"inks": studio.inks(drawing, count if isinstance(count, int) else None)})


def _design(studio: Studio, asked: Asked) -> Answer:
    title = str(asked.given.get("title") or "Untitled")[:60]
    run = studio.design(title, studio.choices(_mapping(asked.given, "choices")))
    return values({"name": run.name})


def _again(studio: Studio, asked: Asked, name: str) -> Answer:
    return values({"name": studio.pictures.keep_design(studio.runs.named(name).picture(asked.state))})


def _command(studio: Studio, asked: Asked) -> Answer:
    return values({"command": studio.command(studio.choices(_mapping(asked.given, "choices")))})


def _all_runs(studio: Studio, asked: Asked) -> Answer:
    return values([summary(run, studio.works) for run in studio.runs.all()])


def _run_state(studio: Studio, asked: Asked, name: str) -> Answer:
    return values(state(studio.runs.named(name), studio.works))


def _act(studio: Studio, asked: Asked, name: str, action: str) -> Answer:
    run = studio.runs.named(name)
    if action == "stop":
        studio.works.stop(run.path)
    elif action == "go-on":
        studio.go_on(run)
    elif action == "forget":
        studio.forget(run)
        return values({})
    elif action == "measure":
        studio.measure(run)
    else:
        studio.print(run, PrintOrder.build(asked.given))
    return values(state(run, studio.works))


def _worn(studio: Studio, asked: Asked, name: str) -> Answer:
    run = studio.runs.named(name)
    photo = studio.photo_of(run, asked.query.get("photo"))
    return picture(studio.shown.worn(photo, run.design(asked.state)))


def _bare(studio: Studio, asked: Asked, name: str) -> Answer:
    return picture(studio.shown.bare(studio.photo_of(studio.runs.named(name)))[0])


def _turned(studio: Studio, asked: Asked, name: str) -> Answer:
    return picture(studio.turned(studio.runs.named(name), asked.state, yaw_deg=asked.yaw_deg))


def _glance(studio: Studio, asked: Asked, name: str) -> Answer:
    return values(studio.glance(studio.runs.named(name), asked.state))


def _video(studio: Studio, asked: Asked, name: str) -> Answer:
    assert asked.stream is not None
    called = _called(asked, "The video")
    run = studio.runs.named(name)
    studio.wear_in_video(run, asked.stream, asked.length, called=called, state=asked.state)
    return values(state(run, studio.works))


def _forget_video(studio: Studio, asked: Asked, name: str, video: str) -> Answer:
    run = studio.runs.named(name)
    studio.forget_video(video_folder(run.path, video))
    return values(state(run, studio.works))


def _worn_video(studio: Studio, asked: Asked, name: str, video: str) -> Answer:
    path = video_folder(studio.runs.named(name).path, video) / WORN
    if not path.is_file():
        raise RunError("This video is not done yet.")
    if asked.query.get("keep"):
        return file(path, download=f"{name}-{video[:6]}.mp4")
    return part_of_file(path, asked.part)


def _frame(studio: Studio, asked: Asked, name: str) -> Answer:
    assert asked.stream is not None
    content = asked.stream.read(asked.length)
    run, visitor = studio.runs.named(name), asked.query.get("visitor", "")[:40]
    seen = studio.mirror.frame(content, run.design(asked.state), visitor=visitor)
    made = picture(seen.worn)
    if not asked.query.get("meters"):
        return made
    meters = json.dumps(studio.glance_at_camera(run, seen, visitor))
    return Answer(made.body, made.kind, headers={"X-Advmask-Meters": meters})


def _flat(studio: Studio, asked: Asked, name: str) -> Answer:
    return picture(studio.flat_of(studio.runs.named(name), asked.state), kind="png")


def _report(studio: Studio, asked: Asked, name: str) -> Answer:
    path = studio.runs.named(name).path / "report.html"
    if not path.is_file():
        raise RunError("This design has not been measured yet.")
    return file(path)


def _card(studio: Studio, asked: Asked, name: str) -> Answer:
    path = studio.runs.named(name).card()
    if path is None:
        raise RunError("This design has not been measured yet.")
    return file(path, download=f"{name}-card.png" if asked.query.get("keep") else None)


def _share(studio: Studio, asked: Asked, name: str) -> Answer:
    run, shape = studio.runs.named(name), asked.query.get("shape", "")
    if shape not in SHAPES:
        raise RunError(f"A picture to share is {' or '.join(SHAPES)}.")
    path = studio.photo_of(run, asked.query.get("photo"))
    made = picture(studio.before_after(run, path=path, shape=shape, state=asked.state))
    return Answer(made.body, made.kind, headers=attached(f"{name}-{shape}.jpg"))


def _zip(studio: Studio, asked: Asked, name: str, folder: str) -> Answer:
    place = prints.print_folder(studio.runs.named(name).path, folder)
    return Answer(prints.as_zip(place), "application/zip", headers=attached(f"{name}-{folder}.zip"))


def _print_file(studio: Studio, asked: Asked, name: str, folder: str, file_name: str) -> Answer:
    place = prints.print_folder(studio.runs.named(name).path, folder)
    path = prints.file_in(place, file_name)
    return file(path, download=path.name if asked.query.get("keep") else None)


def _print_page(studio: Studio, asked: Asked, name: str, folder: str, sheet: str, number: str) -> Answer:
    place = prints.print_folder(studio.runs.named(name).path, folder)
    return Answer(prints.page_picture(prints.file_in(place, sheet), int(number)), "image/png")


def _called(asked: Asked, otherwise: str) -> str:
    """What the user's file is called."""
    return re.sub(r"[^\w .()-]", "", asked.query.get("name", ""))[-60:].strip() or otherwise


def _kind(text: str) -> Kind:
    kinds: tuple[Kind, ...] = get_args(Kind)
    return next(kind for kind in kinds if kind == text)


def _mapping(given: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = given.get(key, {})
    return dict(found) if isinstance(found, dict) else {}


_KIND, _NAME = r"(drawing|photo)", r"([a-z0-9-]{1,60})"
_VIDEO = r"([0-9a-f]{24}(?:-[0-9]{1,7})?)"
_PICTURE, _FILE = r"([\w-]{1,60})", r"([\w.-]{1,100})"
_ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", r"([\w.]{0,20})", _page),
    ("GET", r"words/([a-z]{2})\.json", _words),
    ("GET", r"api/offers", lambda studio, asked: values(studio.offers())),
    ("GET", rf"pictures/{_KIND}/{_PICTURE}", _thumbnail),
    ("GET", rf"photos/{_PICTURE}", _photo),
    ("GET", r"api/runs", _all_runs),
    ("GET", rf"api/runs/{_NAME}", _run_state),
    ("GET", rf"runs/{_NAME}/worn.jpg", _worn),
    ("GET", rf"runs/{_NAME}/bare.jpg", _bare),
    ("GET", rf"runs/{_NAME}/turned.jpg", _turned),
    ("GET", rf"api/runs/{_NAME}/glance", _glance),
    ("GET", rf"runs/{_NAME}/videos/{_VIDEO}.mp4", _worn_video),
    ("GET", rf"runs/{_NAME}/flat.png", _flat),
    ("GET", rf"runs/{_NAME}/report.html", _report),
    ("GET", rf"runs/{_NAME}/card.png", _card),
    ("GET", rf"runs/{_NAME}/share.jpg", _share),
    ("GET", rf"runs/{_NAME}/prints/{_FILE}.zip", _zip),
    ("GET", rf"runs/{_NAME}/prints/{_FILE}/{_FILE}", _print_file),
    ("GET", rf"runs/{_NAME}/prints/{_FILE}/{_FILE}/([0-9]{{1,3}}).png", _print_page),
    ("POST", rf"api/pictures/{_KIND}", _upload),
    ("POST", rf"api/frame/{_NAME}", _frame),
    ("POST", rf"api/video/{_NAME}", _video),
    ("POST", rf"api/forget-video/{_NAME}/{_VIDEO}", _forget_video),
    ("POST", rf"api/forget/{_KIND}/{_PICTURE}", _forget),
    ("POST", rf"api/again/{_NAME}", _again),
    ("POST", r"api/try-on", _try_on),
    ("POST", r"api/flat", _flat_start),
    ("POST", r"api/turned", _turned_start),
    ("POST", r"api/inks", _inks),
    ("POST", r"api/command", _command),
    ("POST", r"api/runs", _design),
    ("POST", rf"api/runs/{_NAME}/(stop|go-on|measure|print|forget)", _act),
]
