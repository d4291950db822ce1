"""A studio that is open, whose commands are stand-ins, and a browser that knows its address."""

import io
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from studio_visitor import SLEEPS, Visitor

from advmask.studio.server import StudioServer
from advmask.studio.studio import Studio
from advmask.studio.work import Works


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path / "studio", works=Works([sys.executable, "-c", SLEEPS]))
    yield made
    for run in made.runs.all():
        made.works.stop(run.path)


@pytest.fixture
def visitor(studio: Studio) -> Iterator[Visitor]:
    with StudioServer(studio) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Visitor(server)
        server.shutdown()
        thread.join()


@pytest.fixture
def png() -> Callable[..., bytes]:
    def draw(size: tuple[int, int] = (40, 30), colour: str = "#c2452d", **about: Any) -> bytes:
        stream = io.BytesIO()
        Image.new("RGB", size, colour).save(stream, "PNG", **about)
        return stream.getvalue()

    return draw
