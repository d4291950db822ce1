"""The server behind the page: one request after the other is let in or refused, and answered."""

import json
import socket
import sys
import traceback
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from advmask.core.errors import RunError
from advmask.studio.access import ADDRESS, HEADERS, Access
from advmask.studio.answers import Answer, trouble
from advmask.studio.asked import Asked, is_upload, most_bytes
from advmask.studio.routes import answer
from advmask.studio.studio import Studio

_SILENT_S = 60.0  # a connection on which nothing comes is closed


class StudioServer(ThreadingHTTPServer):
    """Listens at this machine's own address.

    Args:
        studio: What is asked.
        port: 0 takes one that is free.

    Raises:
        RunError: The port is taken.
    """

    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"  # where it would let two listen at one port

    def __init__(self, studio: Studio, *, port: int = 0) -> None:
        self.studio = studio
        try:
            super().__init__((ADDRESS, port), _Requests)
        except OSError as error:
            raise RunError(
                f"Port {port} cannot be had ({error.strerror}); give another, or port=0."
            ) from error
        self.access = Access(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no error."""
        if not isinstance(sys.exception(), ConnectionError | socket.timeout):
            super().handle_error(request, client_address)


class _Requests(BaseHTTPRequestHandler):
    """Reads requests and writes answers."""

    server: StudioServer
    protocol_version = "HTTP/1.1"
    timeout = _SILENT_S
    server_version, sys_version = "advmask", ""

    def do_GET(self) -> None:
        """Answer a request that changes nothing."""
        self._answer("GET")

    def do_POST(self) -> None:
        """Answer a request that brings something."""
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests are nobody's business."""

    def _answer(self, method: str) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        headers = {name.title(): value for name, value in self.headers.items()}
        refusal = self.server.access.refusal(method, headers, token=query.get("token", ""))
        if refusal is not None:
            self.close_connection = True
            self._send(trouble(refusal, status=403))
        elif method == "GET" and "token" in query:
            home = {"Location": "/", "Set-Cookie": self.server.access.cookie}  # the secret leaves the address
            self._send(Answer(b"", "text/plain", 303, home))
        else:
            asked = self._asked(method, unquote(address.path)[1:], query)
            self._send(asked if isinstance(asked, Answer) else self._found(asked))

    def _asked(self, method: str, path: str, query: dict[str, str]) -> Asked | Answer:
        """The request with what it brings, or the answer by which that is refused."""
        if method == "GET":
            return Asked(method, path, query, part=self.headers.get("Range", ""))
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            return self._refuse("A request says how much it brings.", 411)
        if int(length) > most_bytes(path):
            most = most_bytes(path) / (1 << 20)
            return self._refuse(f"That is too large; it may have {most:.0f} MB.", 413)
        if is_upload(path):
            # What is left unread of a file that is refused would be taken for the next request.
            self.close_connection = True
            return Asked(method, path, query, stream=self.rfile, length=int(length))
        try:
            given = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            return self._refuse("The request is not understood.", 400)
        return Asked(method, path, query, given)

    def _refuse(self, sentence: str, status: int) -> Answer:
        self.close_connection = True
        return trouble(sentence, status=status)

    def _found(self, asked: Asked) -> Answer:
        try:
            return answer(self.server.studio, asked)
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            print("This is a bug in advmask studio; please report it with the lines below.", file=sys.stderr)
            traceback.print_exc()
            return trouble("That is a bug in advmask; the terminal says more.", status=500)

    def _send(self, made: Answer) -> None:
        if isinstance(made.body, bytes):
            self._send_pieces(made, len(made.body), [made.body])
        else:
            with made.body.opened:
                self._send_pieces(made, made.body.length, made.body.pieces())

    def _send_pieces(self, made: Answer, length: int, pieces: Iterable[bytes]) -> None:
        self.send_response(made.status)
        headers = HEADERS | made.headers
        headers |= {"Content-Type": made.kind, "Content-Length": str(length)}
        if self.close_connection:
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
            length -= len(piece)
        self.close_connection |= length > 0  # the file became shorter on its way
