"""Figures at a glance: the match meter of a stage, and of a camera's frame."""

import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from studio_visitor import Visitor, begun, with_states

from advmask.photos.loading import portrait_path
from advmask.studio.choices import Choices
from advmask.studio.glance import Glances
from advmask.studio.live import Seen
from advmask.studio.match_meter import as_meters
from advmask.studio.studio import Studio


@pytest.fixture(scope="module")
def shown_once() -> Studio:
    """One that has found the face on the portrait."""
    return Studio(Path("nowhere"))


@pytest.fixture
def name(shown_once: Studio, visitor: Visitor, studio: Studio) -> str:
    studio.glances = shown_once.glances
    studio.shown = shown_once.shown
    made = begun(visitor)
    with_states(studio.runs.named(made), 10, 20)
    return made


def test_each_recognizer_is_asked_about_bare_plain_and_designed(
    name: str, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
):
    status, _, content = visitor.get(f"/api/runs/{name}/glance")
    assert status == 200
    found = json.loads(content)
    assert found["alone"] is True
    (dlib,) = found["meters"]
    assert dlib["recognizer"] == "dlib"
    assert list(dlib["confidence"]) == ["bare", "white", "surgical_blue", "black", "design"]
    assert dlib["confidence"]["bare"] > 0.99, "a photo compared with itself"
    assert all(0 <= value < 0.99 for name, value in dlib["confidence"].items() if name != "bare")
    looks: list[object] = []
    studio = visitor.server.studio
    monkeypatch.setattr(
        studio.glances.meter, "sure", lambda *given, **more: looks.append(given) or {"dlib": 0.5}
    )
    assert json.loads(visitor.get(f"/api/runs/{name}/glance")[2]) == found, "what was looked at is kept"
    assert looks == []
    other = json.loads(visitor.get(f"/api/runs/{name}/glance?state=10")[2])["meters"][0]["confidence"]
    assert (other["design"], other["white"]) == (0.5, dlib["confidence"]["white"])
    assert len(looks) == 1
    assert visitor.get(f"/api/runs/{name}/glance?state=11")[0] == 422


def test_a_frame_of_a_camera_brings_its_figures_with_it(name: str, visitor: Visitor):
    with Image.open(portrait_path()) as portrait:
        frame, nobody = BytesIO(), BytesIO()
        portrait.convert("RGB").crop((100, 0, 400, 300)).save(frame, "JPEG")
        portrait.convert("RGB").crop((0, 350, 100, 450)).save(nobody, "JPEG")
    place = f"/api/frame/{name}?visitor=me"
    _, headers, _ = visitor.send("POST", f"{place}&meters=1", frame.getvalue())
    (dlib,) = json.loads(headers["X-Advmask-Meters"])
    assert list(dlib["confidence"]) == ["bare", "design"]
    assert dlib["confidence"]["bare"] > 0.99, "enrolled by the first frame"
    _, headers, _ = visitor.send("POST", f"{place}&meters=1", nobody.getvalue())
    assert headers["X-Advmask-Meters"] == "[]"
    assert "X-Advmask-Meters" not in visitor.send("POST", place, frame.getvalue())[1]


def test_a_new_design_is_looked_at_though_a_deleted_one_had_its_name(
    studio: Studio, shown_once: Studio, monkeypatch: pytest.MonkeyPatch
):
    glances = studio.glances = Glances(shown_once.shown)
    enrolled, looks = [], []
    enrol = glances.meter.enrol
    monkeypatch.setattr(
        glances.meter, "enrol", lambda names, faces: enrolled.append(faces) or enrol(names, faces)
    )
    monkeypatch.setattr(
        glances.meter, "sure", lambda *given, **more: looks.append(given) or {"dlib": 1 / len(looks)}
    )
    picture, face = shown_once.shown.bare(portrait_path())
    figures = []
    for turn in (1, 2):
        run = studio.runs.begin("Flowers", Choices())
        with_states(run, 10)
        own = run.given / "photos" / "1.jpg"
        own.parent.mkdir(parents=True)
        own.write_bytes(portrait_path().read_bytes())
        found = glances.of_run(run, [own], None)["meters"][0]["confidence"]
        figures.append({found["bare"], found["design"]})
        glances.of_frame(run, None, Seen(picture, picture, face), "me")
        assert len(enrolled) == 2 * turn, "by the photo, and by the camera's first frame"
        # The first is deleted by another studio with the same folder, which this one is not told of.
        (Studio(studio.folder) if turn == 1 else studio).forget(run)
    assert not figures[0] & figures[1]
    left = [key for kept in (glances._sure, glances._enrolled, glances._visitors) for key in kept]
    assert [key for key in left if str(run.path) in str(key)] == []


def test_a_face_that_is_not_found_has_no_figure(shown_once: Studio):
    meter = shown_once.glances.meter
    picture, face = shown_once.shown.bare(portrait_path())
    enrolled = meter.enrol(["dlib"], [(picture, face)])
    sure = meter.sure(enrolled, Image.new("RGB", picture.size, "#887766"), near=face)
    assert sure == {"dlib": None}
    assert as_meters({"design": sure})[0]["undetected"] == {"design": 1}
    assert enrolled.templates[0].isfinite().all()


def test_a_design_turns_on_a_head(name: str, visitor: Visitor):
    pictures = []
    for yaw in ("0", "30", "none"):
        status, headers, content = visitor.get(f"/runs/{name}/turned.jpg?yaw={yaw}")
        assert (status, headers["Content-Type"]) == (200, "image/jpeg")
        pictures.append(content)
    assert pictures[0] == pictures[2] != pictures[1]
    given = {"choices": {"drawing": "motif"}, "as_printed": True}
    status, _, content = visitor.send("POST", "/api/turned?yaw=30", json.dumps(given).encode())
    assert status == 200
    assert content not in pictures
