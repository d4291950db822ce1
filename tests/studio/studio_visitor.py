"""A browser that knows the studio's address, and a stand-in for its commands."""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from advmask.studio.server import StudioServer

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
