"""From choices to a run folder that is being worked on, and what is told of it."""

import json
import os
import signal
import sys
import threading
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from studio_visitor import Visitor, begun, until, with_states

from advmask.core.errors import PhotoError
from advmask.photos.loading import portrait_path
from advmask.printing.manifest import write_kept
from advmask.studio.choices import Choices
from advmask.studio.run_state import summary
from advmask.studio.runs import slug
from advmask.studio.studio import Studio
from advmask.studio.work import last_job, said
from advmask.studio.worn_pictures import inks_of, swatches_of
from advmask.textures.design_files import read_design

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no locks on Windows")


def test_a_design_is_started_with_copies_of_what_it_needs(visitor: Visitor, png: Callable[..., bytes]):
    studio = visitor.server.studio
    drawing = visitor.drop("drawing", png())[1]["name"]
    name = begun(visitor, "Näh me! / ../x", drawing=drawing, steps=8)
    run = studio.runs.named(name)
    assert name == "nah-me-x-1"
    assert run.drawing() == run.path / "given" / "drawing.png"
    assert run.photos() is None
    job = last_job(run.path)
    assert job is not None
    assert f"texture.start={run.path}/given/drawing.png" in job.words
    visitor.post(f"/api/forget/drawing/{drawing}")  # the run has its own
    status, state = visitor.post(f"/api/runs/{name}/stop")
    assert (status, state["title"]) == (200, "Näh me! / ../x")


def test_one_design_at_a_time_though_two_tabs_ask_at_once(visitor: Visitor):
    answers: list[tuple[int, dict[str, str]]] = []
    tabs = [
        threading.Thread(target=lambda: answers.append(visitor.post("/api/runs", {"title": "a"})))
        for _ in "ab"
    ]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert sorted(status for status, _ in answers) == [200, 422]
    refused = next(found for status, found in answers if status == 422)
    assert refused["error"] == "a is being designed; wait until it is done, or stop it first."
    assert len(visitor.server.studio.runs.all()) == 1


def test_a_studio_that_is_opened_again_shows_what_goes_on(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    again = Studio(studio.folder)
    assert again.still_at_work() == ["Flowers"]
    assert summary(again.runs.named(name), again.works)["working"] == "design"
    again.works.stop(again.runs.named(name).path)


def test_the_state_of_a_run_says_how_far_it_is(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    run = studio.runs.named(name)
    with_states(run, 10, 20)
    state = json.loads(visitor.get(f"/api/runs/{name}")[2])
    assert state["states"] == [10, 20]
    assert state["step"] == 4  # the last line is being written
    assert state["curves"]["dlib"] == [1.0, 0.9, 0.8, 0.7]
    assert (state["finished"], state["trouble"], state["measured"]) == (False, None, False)
    assert state["command"].startswith("advmask train mask=contour")
    (listed,) = json.loads(visitor.get("/api/runs")[2])
    assert listed["version"] == f"{run.made}-20"


def test_every_state_on_the_way_can_be_seen_and_printed(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    run = studio.runs.named(name)
    assert visitor.get(f"/runs/{name}/flat.png")[0] == 422
    with_states(run, 10, 20)
    studio.works.stop(run.path)
    for query, grey in (("", 20), ("?state=10", 10)):
        status, _, content = visitor.get(f"/runs/{name}/flat.png{query}")
        assert status == 200
        with Image.open(BytesIO(content)) as picture:
            assert picture.getpixel((9, 9)) == (grey,) * 3
    assert visitor.get(f"/runs/{name}/flat.png?state=11")[0] == 422
    until(lambda: studio.works.at_work(run.path) is None)
    assert visitor.post(f"/api/runs/{name}/measure")[1]["error"].startswith("This design is not done yet")
    status, state = visitor.post(f"/api/runs/{name}/print", {"paper": "a3", "state": 10})
    assert status == 200
    assert "previews/design_000010.png paper=a3 printer=none mask=contour mask.size=M" in state["command"]
    for wrong in ({"paper": "../x"}, {"printer": "../x"}, {"state": 0}):
        assert visitor.post(f"/api/runs/{name}/print", wrong)[0] == 422


def test_a_design_is_deleted_once_nobody_works_on_it(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    run = studio.runs.named(name)
    assert (
        visitor.post(f"/api/runs/{name}/forget")[1]["error"] == "Flowers is being worked on; stop it first."
    )
    studio.works.stop(run.path)
    until(lambda: studio.works.at_work(run.path) is None)
    assert visitor.post(f"/api/runs/{name}/forget") == (200, {})
    assert not run.path.exists()
    assert visitor.post(f"/api/runs/{name}/forget")[0] == 422


def test_a_new_design_is_not_taken_for_a_deleted_one_of_its_name(studio: Studio):
    versions = []
    for _ in range(2):
        run = studio.runs.begin("Flowers", Choices())
        assert (run.name, run.version) == ("flowers-1", "")
        with_states(run, 10)
        versions.append(run.version)
        studio.forget(run)
    assert versions[0] != versions[1]


def test_a_stage_to_start_from_stays_a_picture_that_says_its_pattern(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    run = studio.runs.named(name)
    assert visitor.post(f"/api/again/{name}?state=10")[0] == 422
    with_states(run, 10, 20)
    status, found = visitor.post(f"/api/again/{name}?state=10")
    assert status == 200, found
    kept = read_design(studio.pictures.path("drawing", found["name"]))
    was = run.design(10)
    assert (kept.pattern, kept.size, kept.texels_per_mm) == (was.pattern, was.size, was.texels_per_mm)
    assert kept.texels.equal(was.texels)
    assert found["name"] in studio.offers()["drawings"]
    assert visitor.get(f"/pictures/drawing/{found['name']}")[0] == 200


def test_print_files_are_those_of_the_list_and_come_as_one_zip(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    run = studio.runs.named(name)
    folder = run.path / "exports" / "none-a4"
    write_kept(folder, {"mask.svg": b"<svg/>", "mask.png": b"png"})
    (folder / "secret.txt").write_text("not of the list")
    place = f"/runs/{name}/prints/none-a4"
    status, headers, content = visitor.get(f"{place}.zip")
    assert (status, headers["Content-Type"]) == (200, "application/zip")
    assert headers["Content-Disposition"] == f'attachment; filename="{name}-none-a4.zip"'
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert {each: archive.read(each) for each in archive.namelist()} == {
            "mask.svg": b"<svg/>",
            "mask.png": b"png",
        }
    assert visitor.get(f"{place}/mask.svg")[1]["Content-Type"].startswith("text/plain")
    for wrong in ("secret.txt", "files.json", "..%2f..%2fconfig.yaml"):
        assert visitor.get(f"{place}/{wrong}")[0] in {404, 422}
    assert visitor.get(f"/runs/{name}/prints/none-a5.zip")[0] == 422
    (run.path / "log-print.txt").write_text("Written to mask.svg\nTo print: mask.pdf.\nSomething new.\n")
    state = json.loads(visitor.get(f"/api/runs/{name}")[2])
    assert state["print_notes"] == [{"name": "sheet", "values": ["mask.pdf"]}, {"text": "Something new."}]
    (shown,) = state["prints"]
    assert [each["name"] for each in shown["files"]] == ["mask.png", "mask.svg"]


def test_work_that_left_nothing_says_why(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    run = studio.runs.named(name)
    studio.works.stop(run.path)
    until(lambda: studio.works.at_work(run.path) is None)
    assert visitor.post(f"/api/runs/{name}/go-on")[0] == 200
    until(lambda: said(run.path, "design") != [])
    (running,) = [job for job in [last_job(run.path)] if job is not None]
    os.killpg(running.process, signal.SIGKILL)  # a crash, which nobody asked for
    until(lambda: studio.works.at_work(run.path) is None)
    assert "asked train" in json.loads(visitor.get(f"/api/runs/{name}")[2])["trouble"]


def test_a_report_runs_nothing(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    assert visitor.get(f"/runs/{name}/report.html")[0] == 422
    (studio.runs.named(name).path / "report.html").write_text("<p>measured")
    _, headers, content = visitor.get(f"/runs/{name}/report.html")
    assert content == b"<p>measured"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"]


def test_names_of_folders():
    assert slug("  Été à la plage! ") == "ete-a-la-plage"
    assert slug("../../etc") == "etc"
    assert slug("花") == ""
    assert len(slug("a" * 200)) == 48


def test_runs_whose_record_is_damaged_are_passed_over(studio: Studio, tmp_path: Path):
    broken = studio.runs.folder / "broken-1"
    broken.mkdir(parents=True)
    (broken / "studio.json").write_text("{")
    assert studio.runs.all() == []


def test_inks_are_colours_of_the_drawing(tmp_path: Path):
    colours = ["#f2efe6", "#c2452d", "#16181d", "#2d5d7c", "#3f7d58"]  # of the last two the mean is neither
    picture = Image.new("RGB", (100, 90))
    for place, colour in enumerate(colours):
        picture.paste(colour, (20 * place, 0, 20 * place + 20, 90))
    path = tmp_path / "drawing.png"
    picture.save(path)
    assert set(inks_of(path, 5)) == set(inks_of(path)) == set(colours)
    assert len(inks_of(path, 3)) == 3
    shaded = tmp_path / "shaded.png"
    Image.linear_gradient("L").convert("RGB").save(shaded)
    assert len(inks_of(shaded)) == 5
    assert set(swatches_of(path)) == set(colours)
    greys = swatches_of(shaded)
    assert 5 <= len(greys) <= 12
    assert all(ink[1:3] == ink[3:5] == ink[5:] for ink in greys), "none that is not in the drawing"


@pytest.fixture(scope="module")
def shown_once() -> Studio:
    """One that has found the face on the portrait, which takes a second."""
    return Studio(Path("nowhere"))


def test_the_portrait_wears_what_is_chosen(shown_once: Studio):
    plain = shown_once.choices({"style": "free"})
    drawn = shown_once.choices({"drawing": "motif", "style": "motif"})
    bare, face = shown_once.shown.bare(shown_once.pictures.path("photo", "portrait"))
    pictures = [shown_once.try_on(each, photo="portrait", as_printed=False) for each in (plain, drawn)]
    assert {picture.size for picture in pictures} == {bare.size}
    x, y = (int(value) for value in face.five[3:].mean(axis=0))  # between the corners of the mouth
    assert len({bare.getpixel((x, y)), *(picture.getpixel((x, y)) for picture in pictures)}) == 3
    assert bare.getpixel((2, 2)) == pictures[0].getpixel((2, 2))
    printed = shown_once.choices({"drawing": "motif", "style": "motif", "printer": "sublimation"})
    assert shown_once.try_on(printed, photo="portrait", as_printed=True) != pictures[1]
    palette = shown_once.choices({"drawing": "motif", "inks": ["#102040", "#f2e8d5"]})
    colours = shown_once.start_of(palette).texels.flatten(1).unique(dim=1)
    assert colours.shape[1] == 2


def test_before_and_after_lie_side_by_side(shown_once: Studio, visitor: Visitor, studio: Studio):
    studio.shown = shown_once.shown
    name = begun(visitor)
    with_states(studio.runs.named(name), 10)
    for shape, size in (("square", (1080, 1080)), ("portrait", (1080, 1350))):
        status, headers, content = visitor.get(f"/runs/{name}/share.jpg?shape={shape}")
        assert status == 200
        assert headers["Content-Disposition"] == f'attachment; filename="{name}-{shape}.jpg"'
        with Image.open(BytesIO(content)) as picture:
            assert picture.size == size
    assert visitor.get(f"/runs/{name}/share.jpg?shape=round")[0] == 422


def test_frames_of_a_camera_come_back_with_the_mask_and_are_kept_nowhere(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    with_states(studio.runs.named(name), 10)
    with Image.open(studio.pictures.path("photo", "portrait")) as portrait:
        frame, nobody = BytesIO(), BytesIO()
        portrait.convert("RGB").crop((100, 0, 400, 300)).save(frame, "JPEG")
        portrait.convert("RGB").crop((0, 350, 100, 450)).save(nobody, "JPEG")
    before = set(studio.folder.rglob("*"))
    covered = []
    for content in (frame, frame, nobody, frame):
        status, _, found = visitor.send("POST", f"/api/frame/{name}?visitor=me", content.getvalue())
        assert status == 200
        with Image.open(content) as was, Image.open(BytesIO(found)) as now:
            change = np.abs(np.asarray(was, dtype=float) - np.asarray(now, dtype=float)).max(axis=2)
        covered.append(float((change > 40).mean()))
    assert covered[2] == 0
    assert min(covered[0], covered[1], covered[3]) > 0.05
    assert set(studio.folder.rglob("*")) == before
    too_large = BytesIO()
    Image.new("RGB", (2000, 10)).save(too_large, "JPEG")
    for wrong in (b"", b"GIF89a", too_large.getvalue(), frame.getvalue()[:300]):
        assert visitor.send("POST", f"/api/frame/{name}", wrong)[0] == 422
    assert visitor.send("POST", f"/api/frame/{name}", b"", Content_Length=str(3 << 20))[0] == 413


def test_a_photo_without_a_face_says_so(visitor: Visitor, png: Callable[..., bytes]):
    status, found = visitor.drop("photo", png((200, 200)))
    assert status == 422
    assert found["error"].startswith("No face was found")
    assert visitor.server.studio.pictures.names("photo") == ["portrait"], "what is refused is not kept"


def test_a_design_made_for_a_printer_that_is_gone_is_shown_and_hides_no_other(
    visitor: Visitor, studio: Studio
):
    name = begun(visitor)
    record = studio.runs.named(name).path / "studio.json"
    record.write_text(record.read_text().replace('"printer": "none"', '"printer": "Epson"'))
    assert json.loads(visitor.get(f"/api/runs/{name}")[2])["choices"]["printer"] == "Epson"
    assert [each["name"] for each in json.loads(visitor.get("/api/runs")[2])] == [name]
    studio.works.stop(studio.runs.named(name).path)
    until(lambda: studio.works.at_work(studio.runs.named(name).path) is None)
    assert "Epson" in visitor.post(f"/api/runs/{name}/go-on")[1]["error"]


def test_print_files_of_a_printer_with_a_capital_letter_and_a_damaged_pdf(visitor: Visitor, studio: Studio):
    name = begun(visitor)
    write_kept(studio.runs.named(name).path / "exports" / "Epson-a4", {"mask.pdf": b"no pdf"})
    assert visitor.get(f"/runs/{name}/prints/Epson-a4.zip")[0] == 200
    (shown,) = json.loads(visitor.get(f"/api/runs/{name}")[2])["prints"]
    assert shown["files"] == [{"name": "mask.pdf", "bytes": 6, "pages": None}]


def test_a_photo_that_is_deleted_lives_on_in_its_designs(visitor: Visitor, studio: Studio):
    with Image.open(portrait_path()) as portrait:
        stream = BytesIO()
        portrait.convert("RGB").resize((256, 256)).save(stream, "JPEG")
    photo = visitor.drop("photo", stream.getvalue(), "me.jpg")[1]["name"]
    name = begun(visitor, photos=["portrait", photo])
    assert visitor.post(f"/api/forget/photo/{photo}") == (200, {})
    run = studio.runs.named(name)
    assert studio.photo_of(run) == portrait_path()
    assert studio.photo_of(run, photo) == run.path / "given" / "photos" / "2.jpg"
    with pytest.raises(PhotoError, match="drop it again"):
        studio.photo_of(run, "0" * 24)


def test_a_disk_that_fails_is_said_and_no_bug(visitor: Visitor, monkeypatch: pytest.MonkeyPatch):
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(visitor.server.studio, "offers", full)
    status, _, content = visitor.get("/api/offers")
    assert status == 422
    assert b"No space left on device" in content
