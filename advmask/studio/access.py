"""Who may ask the studio for anything: the page that it opened itself, and nobody else.

Other programs and pages on this machine can reach the port too. So each start has a secret, which stands in
the address that is printed and then in a cookie that no script can read. `Host` is checked, or a name on
the net that is pointed at this machine could speak for us (DNS rebinding); and `Origin`, or a page from
elsewhere could send forms (cross-site request forgery).
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

ADDRESS = "127.0.0.1"
_NAMES = (ADDRESS, "localhost")
MARK = "X-Advmask-Studio"
"""A header that only a script of our own page can set on a request that changes something."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; media-src 'self' blob:; frame-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer: nothing is loaded from elsewhere, shown elsewhere or kept by the browser."""


@dataclass(frozen=True)
class Access:
    """The secret of this start, and where it is asked for.

    Attributes:
        port: That the studio listens at.
        token: The secret.
        once: Serves once only: other users of this machine can read what a browser was started with.
    """

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    once: set[str] = field(default_factory=lambda: {secrets.token_urlsafe(24)}, repr=False)

    @property
    def address(self) -> str:
        """What is printed, and opens the page as often as one likes."""
        return f"http://{ADDRESS}:{self.port}/?token={self.token}"

    @property
    def first_address(self) -> str:
        """What a browser is started with."""
        return f"http://{ADDRESS}:{self.port}/?token={''.join(self.once)}"

    @property
    def cookie(self) -> str:
        """What the browser keeps of the address. A cookie knows no port, so its name does."""
        return f"{self._cookie_name}={self.token}; HttpOnly; SameSite=Strict; Path=/"

    @property
    def _cookie_name(self) -> str:
        return f"advmask-studio-{self.port}"

    def fits(self, token: str) -> bool:
        """Whether somebody knows the secret."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def refusal(self, method: str, headers: Mapping[str, str], *, token: str = "") -> str | None:
        """Why a request is not answered, in a sentence; None where it is.

        Args:
            method: GET or POST.
            headers: Of the request.
            token: From its address, if it has one.
        """
        places = [f"{name}:{self.port}" for name in _NAMES]
        if headers.get("Host", "") not in places:
            return "The studio answers at its own address only."
        origin = headers.get("Origin")
        if origin is not None and origin not in [f"http://{place}" for place in places]:
            return "Another page may not speak to the studio."
        if headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            return "Another page may not speak to the studio."
        if not self._fits_once(token) and not any(
            self.fits(one) for one in (token, self._of_cookie(headers.get("Cookie", "")))
        ):
            return "Open the address that `advmask studio` printed when it was started."
        if method == "POST" and (origin is None or headers.get(MARK) != "1"):
            return "Only the studio's own page may change something."
        return None

    def _fits_once(self, token: str) -> bool:
        fits = any(hmac.compare_digest(token.encode(), one.encode()) for one in self.once)
        if fits:
            self.once.clear()
        return fits

    def _of_cookie(self, text: str) -> str:
        # Those of all ports come together, and http.cookies reads none where another's is odd.
        found = dict(one.strip().partition("=")[::2] for one in text.split(";"))
        return found.get(self._cookie_name, "")
