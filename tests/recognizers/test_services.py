"""A service on loopback as a recognizer: consent, budget, interruptions, failures and nonsense."""

import io
import json
import re
import sqlite3
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.core.errors import ConfigError, RunError, WeightsError
from advmask.evaluation.evaluate import evaluate, evaluate_design
from advmask.evaluation.findings import Evaluation
from advmask.evaluation.settings import ScoringSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet, load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.asked_answers import services_allowed
from advmask.recognizers.recognizer_names import build_recognizer, recorded_names
from advmask.recognizers.services import AskedNetwork, ComparingNetwork, _png, _pngs
from advmask.recognizers.settings import ServiceSettings
from advmask.wearing.opened_design import as_design

_MODULE = """\
import json
import urllib.request


class Mine:
    name = "loopback {port}"
    embedding = 48
    calibration = {{"fmr": 0.01, "threshold": 0.9, "scale": 20}}

    def embed(self, png):
        request = urllib.request.Request("http://127.0.0.1:{port}/embed", data=png)
        with urllib.request.urlopen(request, timeout={timeout}) as answer:
            return json.load(answer)


class Pairs:
    name = "loopback pairs {port}"
    calibration = {{"fmr": 0.01, "threshold": 0.9, "scale": 20}}

    def compare(self, enrolled, probe):
        body = len(enrolled).to_bytes(4, "big") + enrolled + probe
        request = urllib.request.Request("http://127.0.0.1:{port}/compare", data=body)
        with urllib.request.urlopen(request, timeout={timeout}) as answer:
            return json.load(answer)
"""


def grey(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L").resize((8, 6)), dtype=float).ravel() - 100


def dark(png: bytes) -> bool:
    return bool(np.mean(np.asarray(Image.open(io.BytesIO(png)).convert("L"))) < 20)


class Handler(BaseHTTPRequestHandler):
    """Answers with a small grey version of the picture; of dark pictures says that there is no face."""

    seen: ClassVar[list[bytes]] = []
    behaves: ClassVar[str] = ""  # or `busy`, `slow`, `page`
    go_on: ClassVar[threading.Event] = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Handler.seen.append(body)
        if Handler.behaves == "busy":
            self.send_error(503)
            return
        if Handler.behaves == "slow":
            Handler.go_on.wait(20)
            return
        found: Any
        if self.path == "/compare":
            cut = 4 + int.from_bytes(body[:4], "big")
            two = [body[4:cut], body[cut:]]
            one, other = (each / np.linalg.norm(each) for each in map(grey, two))
            found = None if any(map(dark, two)) else float(one @ other)
        else:
            found = None if dark(body) else grey(body).tolist()
        answer = b"<html>Sign in" if Handler.behaves == "page" else json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running service's recognizer; what it answers is kept in the test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Handler.seen, Handler.behaves = [], ""
    Handler.go_on.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        for file, timeout in (("mine.py", 5), ("hasty.py", 0.05)):
            (tmp_path / file).write_text(_MODULE.format(port=server.server_port, timeout=timeout))
        yield f"service:{tmp_path / 'mine.py'}:Mine"
        Handler.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def faces() -> FaceSet:
    """Two people with two photos each; one of bob's is too dark."""
    found = load_faces(FacesSettings(size=112, cache=False))
    (crop,) = found.crops
    crops = tuple(
        replace(crop, person=who, source=Path(f"{who}{number}.png"), picture=(crop.picture * gain).byte())
        for who, number, gain in (("ann", 0, 1.0), ("ann", 1, 0.8), ("bob", 0, 0.6), ("bob", 1, 0.1))
    )
    return replace(found, crops=crops, people=("ann", "bob"))


def pictures(count: int) -> torch.Tensor:
    return torch.rand(count, 3, 24, 32, generator=torch.Generator().manual_seed(0))


def allowed(calls: int) -> ServiceSettings:
    return ServiceSettings(send=True, calls=calls, per_second=1e6)


def test_nothing_is_sent_unless_the_command_says_so(name: str) -> None:
    recognizer = build_recognizer(name)
    with pytest.raises(ConfigError, match=r"does not say that it may: add services\.send=true"):
        recognizer(pictures(1), torch.zeros(1, 5, 2))
    with services_allowed(allowed(0)), pytest.raises(ConfigError, match=r"services\.calls=0 allows"):
        recognizer(pictures(1), torch.zeros(1, 5, 2))
    assert Handler.seen == []


def test_an_interrupted_job_goes_on_and_no_picture_is_sent_twice(name: str) -> None:
    given = pictures(1000)
    with (
        services_allowed(allowed(600)),
        pytest.raises(ConfigError, match="called 600 times, as often as"),
    ):
        build_recognizer(name)(given, torch.zeros(1000, 5, 2))
    with services_allowed(allowed(400)):
        found = build_recognizer(name)(given, torch.zeros(1000, 5, 2))
    assert len(Handler.seen) == len(set(Handler.seen)) == 1000
    bytes_ = (given[7] * 255).round().byte().permute(1, 2, 0).numpy()
    assert (np.asarray(Image.open(io.BytesIO(Handler.seen[7]))) == bytes_).all()
    by_hand = np.asarray(Image.fromarray(bytes_).convert("L").resize((8, 6)), dtype=float).ravel() - 100
    assert found[7].numpy() == pytest.approx(by_hand)
    again = build_recognizer(name)(
        given, torch.zeros(1000, 5, 2)
    )  # nothing is sent, so nothing need be allowed
    assert torch.equal(again, found)
    assert len(Handler.seen) == 1000


def test_a_whole_evaluation(name: str, faces: FaceSet, caplog: pytest.LogCaptureFixture) -> None:
    design = torch.rand(3, *build_mask(MaskSettings()).texture_size(1.0))
    protocol = {"draws": 1, "people": "all", "progress": False, "aligners": ["bare"]}
    # What another command allows: evaluate goes by its own settings.
    with services_allowed(allowed(999)), pytest.raises(ConfigError, match="does not say that it may"):
        evaluate(design, faces, [name], effects="none", protocol=protocol, controls=["white"])
    assert Handler.seen == []
    assert "is asked about 16 pictures at most" in caplog.text
    settings = ScoringSettings.build(
        {"protocol": protocol, "effects": {}, "services": allowed(16).model_dump()}
    )
    found = evaluate_design(
        as_design(design, mask=None),
        settings,
        faces=faces,
        recognizers=[build_recognizer(name)],
        controls=["white"],
    )
    (one,) = found.main
    # A dark photo has no face for the service in any condition, and the other one of its person no template.
    assert one.conditions["bare"].undetected == 2
    assert (one.probes, one.left_out) == (2, 2)
    assert len(Handler.seen) <= 16
    with pytest.raises(ConfigError, match="was given as an object or is a service"):
        evaluate(
            design, faces, [name], effects="none", protocol=protocol | {"processes": 2}, controls=["white"]
        )


def test_pairs_are_compared_once_each_and_no_face_is_not_detected(
    name: str, faces: FaceSet, caplog: pytest.LogCaptureFixture
) -> None:
    name = name.replace(":Mine", ":Pairs")
    design = torch.rand(3, *build_mask(MaskSettings()).texture_size(1.0))
    protocol = {"draws": 1, "people": "all", "progress": False, "aligners": ["bare"]}

    def evaluated(calls: int) -> Evaluation:
        settings = {"protocol": protocol, "effects": {}, "services": allowed(calls).model_dump()}
        return evaluate_design(
            as_design(design, mask=None),
            ScoringSettings.build(settings),
            faces=faces,
            recognizers=[build_recognizer(name)],
            controls=["white"],
        )

    with pytest.raises(ConfigError, match="was called 5 times, as often as"):
        evaluated(5)
    assert len(Handler.seen) == 5
    found = evaluated(200)
    stated = int(re.findall(r"asked about (\d+) pairs of pictures at most", caplog.text)[0])
    assert len(Handler.seen) == len(set(Handler.seen)) <= stated
    (one,) = found.main
    assert (one.probes, one.left_out, one.conditions["bare"].undetected) == (2, 2, 2)
    pngs = [_png((crop.as_float() * 255).round().byte().permute(1, 2, 0).numpy()) for crop in faces.crops[:2]]
    first, second = (each / np.linalg.norm(each) for each in map(grey, pngs))
    assert one.conditions["bare"].similarity == pytest.approx(float(first @ second), abs=1e-6)
    before = len(Handler.seen)
    again = evaluated(0)  # all is known
    assert len(Handler.seen) == before
    assert again.main[0].conditions == one.conditions


def test_pairs_are_asked_with_the_enrolled_photo_first(pauses: list[float]) -> None:
    class Ordered:
        name = "ordered"

        def compare(self, enrolled: bytes, probe: bytes) -> float:
            return len(enrolled) - 2 * len(probe)

    network = ComparingNetwork(Ordered(), label="ordered", pause=pauses.append)
    given = pictures(3)
    given[1:, :, 8:] = 0.5  # of another size as a file
    given[2, :, 4:] = 0.5
    sizes = [len(each) for each in _pngs(given)]
    rows = network(given)
    assert rows.shape == (3, 16)
    with services_allowed(allowed(6)):
        found = network.similarity(rows[:, None], rows[None, :2])
    assert found.tolist() == [[enrolled - 2 * probe for enrolled in sizes[:2]] for probe in sizes]


class Wayward:
    """Fails or answers as it is told."""

    name, embedding = "wayward", 3

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def embed(self, png: bytes) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return []


def test_a_service_that_fails_for_a_while_is_asked_again(pauses: list[float]) -> None:
    service = Wayward(TimeoutError("slow"), OSError("gone"), [1, 2, 3.5], None)
    network = AskedNetwork(service, label="wayward", pause=pauses.append)
    with services_allowed(allowed(4)):
        found = network(pictures(2))
    assert found[0].tolist() == [1, 2, 3.5]
    assert found[1].isnan().all()
    assert [pause for pause in pauses if pause > 0.5] == [1.0, 2.0]
    assert network.answers.calls == 4


def test_answers_are_for_the_owner_alone_and_a_full_disk_is_a_sentence(
    pauses: list[float], tmp_path: Path
) -> None:
    network = AskedNetwork(Wayward([1, 2, 3], [1, 2, 3]), label="wayward", pause=pauses.append)
    with services_allowed(allowed(9)):
        network(pictures(1))
        (path,) = tmp_path.rglob("*.sqlite")
        assert path.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
        with sqlite3.connect(path) as kept:
            kept.execute("drop table answers")
            kept.execute("create view answers as select 1 as picture, 2 as answer")  # which takes nothing
        kept.close()
        with pytest.raises(RunError, match="cannot be kept any more"):
            network(pictures(1))


def test_a_service_that_fails_for_good(pauses: list[float]) -> None:
    network = AskedNetwork(Wayward(*[TimeoutError("slow")] * 9), label="wayward", pause=pauses.append)
    with (
        services_allowed(allowed(99)),
        pytest.raises(WeightsError, match=r"failed 4 times in a row \(TimeoutErr"),
    ):
        network(pictures(1))


@pytest.mark.parametrize("answer", [[1, 2], [1, 2, float("nan")], "face", {"a": 1}, 7])
def test_nonsense_is_said_and_not_kept(answer: Any, pauses: list[float]) -> None:
    network = AskedNetwork(Wayward(answer, [1, 2, 3]), label="wayward", pause=pauses.append)
    with services_allowed(allowed(9)):
        with pytest.raises(WeightsError, match="3 finite numbers were expected, or None"):
            network(pictures(1))
        assert network(pictures(1)).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("answer", ["alike", float("inf"), [0.5], {"score": 1}])
def test_a_score_that_is_none_is_said(answer: Any, pauses: list[float]) -> None:
    class Odd:
        name = "odd"

        def compare(self, enrolled: bytes, probe: bytes) -> Any:
            return answer

    network = ComparingNetwork(Odd(), label="odd", pause=pauses.append)
    rows = network(pictures(2))
    with (
        services_allowed(allowed(9)),
        pytest.raises(WeightsError, match="a finite number was expected, or None"),
    ):
        network.similarity(rows[:1], rows[1:])


@pytest.mark.parametrize(
    ("behaves", "file", "says"),
    [
        ("busy", "mine", r"failed 4 times in a row \(HTTPError: .*503"),
        ("slow", "hasty", r"failed 4 times in a row \(TimeoutError: timed out"),
        ("page", "mine", r"failed 4 times in a row \(JSONDecodeError"),
    ],
)
@pytest.mark.parametrize("kind", ["Mine", "Pairs"])
def test_a_server_that_is_busy_slow_or_answers_with_a_page(
    kind: str, behaves: str, file: str, says: str, name: str, pauses: list[float]
) -> None:
    recognizer = build_recognizer(name.replace("mine", file).replace("Mine", kind))
    network = recognizer.network
    assert isinstance(network, AskedNetwork | ComparingNetwork)
    network.answers._pause = pauses.append
    Handler.behaves = behaves
    with services_allowed(allowed(9)):
        with pytest.raises(WeightsError, match=says):
            recognizer.similarity(*(recognizer(each[None], torch.zeros(1, 5, 2)) for each in pictures(2)))
        assert network.answers.calls == 4
        assert pauses == [1.0, 2.0, 4.0]
        Handler.behaves = ""
        Handler.go_on.set()
        recognizer.similarity(*(recognizer(each[None], torch.zeros(1, 5, 2)) for each in pictures(2)))


def test_calls_are_spread_over_time(pauses: list[float]) -> None:
    network = AskedNetwork(Wayward(*[[1, 2, 3]] * 3), label="wayward", pause=pauses.append)
    with services_allowed(ServiceSettings(send=True, calls=3, per_second=0.5)):
        network(pictures(3))
    assert len(pauses) == 2
    assert all(1.5 < pause <= 2.0 for pause in pauses)


def test_what_is_no_service(tmp_path: Path) -> None:
    (tmp_path / "no.py").write_text("def build():\n    return 7\n")
    with pytest.raises(ConfigError, match="gives int, which is no service"):
        build_recognizer(f"service:{tmp_path / 'no.py'}:build")
    (tmp_path / "sees.py").write_text("class All:\n    name, embedding, embed = 'all', 3, print\n")
    with pytest.raises(ConfigError, match="sees whole pictures, not the eye region"):
        build_recognizer(f"eyes:service:{tmp_path / 'sees.py'}:All")
    assert recorded_names(["service:mine.py:Mine"]) == [f"service:{Path('mine.py').absolute()}:Mine"]
