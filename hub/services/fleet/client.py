"""Speaks to a fleet server: VictoriaMetrics' import endpoint, behind what checks the hub's token."""

import contextlib
import ipaddress
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from hub.core import answer_headers
from hub.core.errors import OperatorError
from hub.core.fleet import reporting
from hub.core.fleet.reporting import ReportOutcome
from hub.late import Late

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

IMPORT = "/api/v1/import/prometheus"
CONNECTION_BYTES = 5_000
"""What a connection costs beside what is sent: 2 KB measured with a short certificate, and 3 KB for a chain."""
_TIMEOUTS_S = {"timeout": 30.0, "connect": 20.0}
_ANSWER_BYTES = 4096
_RETRY_AFTER_S_MAX = 86_400.0
_TOKEN_CHARS = (16, 512)


class FleetServer(msgspec.Struct, frozen=True):
    """Where to report, and as whom; ``ca``: a file with the organisation's own certificate authority, if any."""

    url: str
    token: str
    ca: Path | None = None


class Reply(msgspec.Struct, frozen=True):
    """What became of a request; ``server_ms`` is the server's clock."""

    outcome: ReportOutcome
    sent_bytes: int = 0
    retry_after_s: float = 0
    server_ms: int | None = None
    detail: str = ""


class Client:
    """A connection to a server, to be closed; raises OperatorError for a server that cannot be one."""

    def __init__(self, server: FleetServer) -> None:
        self._url = checked_url(server.url) + IMPORT
        headers = {"Authorization": f"Bearer {checked_token(server.token)}", "Content-Encoding": "gzip"}
        self._http = httpx.Client(timeout=httpx.Timeout(**_TIMEOUTS_S), headers=headers, verify=_verify(server.ca))
        self._is_new = True

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._http.close()

    def post(self, body: bytes) -> Reply:
        """Send a body, gzip; never raises for what happens on the way."""
        request = self._http.build_request("POST", self._url, content=body)
        size = len(body) + sum(len(name) + len(value) + 4 for name, value in request.headers.raw)
        size += CONNECTION_BYTES if self._is_new else 0
        self._is_new = False
        try:
            response = self._http.send(request, stream=True)
        except httpx.TransportError as error:
            return Reply(ReportOutcome.NO_LINE, size, detail=type(error).__name__)
        with contextlib.closing(response):
            said = _first_line(response)
        headers = response.headers
        date_ms = answer_headers.date_ms(headers.get("date"))
        return Reply(
            reporting.outcome_of(response.status_code),
            size,
            answer_headers.retry_after_s(headers.get("retry-after"), unsaid=0.0, most=_RETRY_AFTER_S_MAX),
            None if date_ms is None else date_ms + 999,  # the latest that it can be
            "" if response.status_code == httpx.codes.NO_CONTENT else f"status {response.status_code} {said}".strip(),
        )


def checked_url(url: str) -> str:
    """Return the address without a slash at its end; raises OperatorError unless it is HTTPS or on this machine."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise OperatorError(f"{url} is not an address: {error}") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.query or parsed.userinfo:
        raise OperatorError(f"{url} is not the address of a fleet server; it looks like https://fleet.example.org")
    if parsed.scheme != "https" and not _is_loopback(parsed.host):
        raise OperatorError(f"{url} is not encrypted; a fleet server's address begins with https://")
    return str(parsed).rstrip("/")


def checked_token(token: str) -> str:
    """Return the token without blanks around it; raises OperatorError unless it can be one."""
    found = token.strip().removeprefix("\ufeff").strip()
    if not _TOKEN_CHARS[0] <= len(found) <= _TOKEN_CHARS[1] or not found.isascii() or not found.isprintable():
        raise OperatorError("a fleet token is one line of 16 to 512 letters and digits")
    return found


def _verify(ca: Path | None) -> ssl.SSLContext | bool:
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(f"{ca} cannot be read as a certificate: {error}") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first_line(response: "httpx.Response") -> str:
    """Return the begin of what was answered, for a technician; whatever more comes is not read."""
    said = b""
    try:
        for piece in response.iter_bytes(_ANSWER_BYTES):
            said = piece
            break
    except httpx.HTTPError:
        return ""
    line = said[:200].decode("utf-8", "replace").split("\n")[0]
    return "".join(char for char in line if char.isprintable()).strip()
