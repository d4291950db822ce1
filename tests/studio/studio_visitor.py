"""A browser that knows the studio's address, and a stand-in for its commands."""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.studio.runs import Run
from advmask.studio.server import StudioServer
from advmask.textures.design_files import Design, write_design

SLEEPS = "import time, sys; print('asked', *sys.argv[1:], flush=True); time.sleep(60)"


def until(true: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@dataclass
class Visitor:
    """Sends requests as the page does, unless a header says otherwise."""

    server: StudioServer
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server.access.port}"

    def send(
        self, method: str, path: str, body: bytes | None = None, **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        own = {
            "Host": self.place,
            "Cookie": self.server.access.cookie.split(";")[0],
            "Origin": f"http://{self.place}" if method == "POST" else None,
            "X-Advmask-Studio": "1" if method == "POST" else None,
        }
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.access.port, timeout=30)
        connection.putrequest(method, path, skip_host=True)
        for name, value in (own | named).items():
            if value is not None:
                connection.putheader(name, value)
        if body is not None and "Content-Length" not in named:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def get(self, path: str, **headers: str | None) -> tuple[int, dict[str, str], bytes]:
        return self.send("GET", path, **headers)

    def post(self, path: str, given: Any = None, **headers: str | None) -> tuple[int, Any]:
        status, _, content = self.send("POST", path, json.dumps(given or {}).encode(), **headers)
        return status, json.loads(content)

    def drop(self, kind: str, content: bytes, name: str = "a.png") -> tuple[int, Any]:
        status, _, found = self.send("POST", f"/api/pictures/{kind}?name={name}", content)
        return status, json.loads(found)


def begun(visitor: Visitor, title: str = "Flowers", **choices: object) -> str:
    status, found = visitor.post("/api/runs", {"title": title, "choices": choices})
    assert status == 200, found
    return str(found["name"])


def with_states(run: Run, *steps: int) -> None:
    """Leave what a run leaves on its way, each state in another grey."""
    height, width = build_mask(MaskSettings()).texture_size(1.0)
    for step in steps:
        design = Design(torch.full((3, height, width), step / 255), pattern="contour", texels_per_mm=1.0)
        write_design(run.path / "previews" / f"design_{step:06d}.png", design)
    rows = "".join(f"{step},{1 - step / 10}\n" for step in range(4))
    (run.path / "metrics.csv").write_text("step,match_confidence/dlib\n" + rows + "4,0.")
