"""Speaks to the cloud over HTTP, and tells its real successes from what only looks like one (CLOUD.md 0-4)."""

import ipaddress
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from hub.core.errors import CloudBusy, CloudFailing, KeyRefused, NoLine, OperatorError
from hub.services.relay.rate_limit import RateLimit

SYNC = "/api/v2/sync"
VERIFY = "/api/hub/verify-key"

_KEEP_ALIVE_S = 3.0
"""The cloud closes an idle connection after 5 s (CLOUD.md 0)."""
_TIMEOUT = httpx.Timeout(60.0, connect=20.0, read=180.0)
"""Seconds without any byte. Before the first one the cloud may query for 60 s, and store a batch for as long."""
_ANSWER_BYTES = 1024 * 1024
PULL_BYTES = 1024**3
"""The cloud itself cannot answer with more than half of it (CLOUD.md 2.4)."""
_RETRY_AFTER_S = 60.0
"""When the cloud wants less and does not say when again."""


class CloudDevice(msgspec.Struct, frozen=True):
    """What the cloud says of this hub (CLOUD.md 1)."""

    id: str
    name: str
    device_type: str
    status: str
    clinic_ids: tuple[str, ...] = ()


class Verdict(Enum):
    """What became of a push."""

    STORED = auto()
    REFUSED = auto()
    """Some record in it fails; what stood before that one may be stored."""
    TOO_LARGE = auto()


class Traffic(msgspec.Struct):
    """What was sent and received, in requests and bytes of their bodies."""

    requests: int = 0
    up: int = 0
    down: int = 0


class Body:
    """The body of a pull, read piece by piece; a file to a parser."""

    def __init__(self, response: httpx.Response) -> None:
        self._pieces = response.iter_bytes()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next piece, whatever its size, b'' at the end; raises NoLine when the connection breaks."""
        if size == 0:  # a parser asks for nothing to see whether it gets bytes or text
            return b""
        with _line():
            piece = next(self._pieces, b"")
        self.size += len(piece)
        if self.size > PULL_BYTES:
            raise CloudFailing(f"a pull of more than {PULL_BYTES} bytes")
        return piece


class Cloud:
    """The cloud at ``url``, spoken to with an API key. Everything may raise CloudError."""

    def __init__(self, url: str, api_key: str, limit: RateLimit) -> None:
        self.traffic = Traffic()
        self._url = check_url(url)
        self._api_key = api_key
        self._limit = limit
        self._clock: tuple[int, float] | None = None
        self._http = httpx.Client(
            timeout=_TIMEOUT, limits=httpx.Limits(max_keepalive_connections=1, keepalive_expiry=_KEEP_ALIVE_S)
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def now_ms(self) -> int | None:
        """Return the cloud's clock, from its answers; None before the first."""
        if self._clock is None:
            return None
        then_ms, at_s = self._clock
        return then_ms + int((time.monotonic() - at_s) * 1000)

    def told(self, cloud_ms: int) -> None:
        """Take a timestamp of the cloud's, older than now by however long its answer took."""
        if cloud_ms > (self.now_ms() or 0):
            self._clock = (cloud_ms, time.monotonic())

    def verify(self) -> CloudDevice:
        """Ask who this hub is (CLOUD.md 1)."""
        content = msgspec.json.encode({"api_key": self._api_key})
        response = self._ask("POST", VERIFY, content)
        if response.status_code == HTTPStatus.BAD_REQUEST:
            raise KeyRefused("the cloud does not accept this as an API key")
        _check(response)
        try:
            return msgspec.convert(_json(response), CloudDevice)
        except msgspec.ValidationError as error:
            raise CloudFailing(f"verify-key answered otherwise than expected: {error}") from None

    @contextmanager
    def pull(self, last_ms: int) -> Iterator[Body]:
        """Ask for what changed since ``last_ms`` of the cloud's clock; returns the answer's JSON, piece by piece."""
        params = {"lastPulledAt": str(last_ms), "peerType": "sync_hub"}
        request = self._http.build_request("GET", self._url + SYNC, params=params, headers=self._bearer())
        response = self._send(request)
        try:
            if not _is_json(response) or response.status_code != HTTPStatus.OK:
                with _line():
                    response.read()
                _check(response)
            yield Body(response)
        finally:
            self.traffic.down += response.num_bytes_downloaded
            response.close()

    def push(self, content: bytes, *, repeatable: bool = True) -> Verdict:
        """Push tables. Success is status 200 and JSON that says success, nothing else (CLOUD.md 4, 4.3).

        Not ``repeatable``: the cloud would do more with it at every repetition.
        """
        params = {"lastPulledAt": "0", "peerType": "sync_hub"}
        response = self._ask("POST", SYNC, content, repeatable=repeatable, params=params, headers=self._bearer())
        match response.status_code:
            case HTTPStatus.OK if _is_json(response):
                stored = _json(response).get("success") is True
                return Verdict.STORED if stored else Verdict.REFUSED
            case HTTPStatus.OK if response.text.strip() == "[object Object]":
                return Verdict.REFUSED
            case HTTPStatus.BAD_REQUEST:
                return Verdict.REFUSED
            case HTTPStatus.INTERNAL_SERVER_ERROR if _is_json(response):
                return Verdict.REFUSED
            case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                return Verdict.TOO_LARGE
            case _:
                _check(response)
                raise CloudFailing("the cloud answered a push with something else than JSON")

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._api_key}"}

    def _ask(
        self, method: str, path: str, content: bytes, *, repeatable: bool = True, **options: Mapping[str, str]
    ) -> httpx.Response:
        headers = {"Content-Type": "application/json", **options.get("headers", {})}
        request = self._http.build_request(
            method, self._url + path, content=content, params=options.get("params"), headers=headers
        )
        response = self._send(request, repeatable=repeatable)
        try:
            with _line():
                pieces, size = [], 0
                for piece in response.iter_bytes():
                    pieces.append(piece)
                    size += len(piece)
                    if size > _ANSWER_BYTES:
                        raise CloudFailing("an answer of more than a megabyte where a few bytes were due")
        finally:
            self.traffic.down += response.num_bytes_downloaded
            response.close()
        return httpx.Response(response.status_code, headers=_plain(response.headers), content=b"".join(pieces))

    def _send(self, request: httpx.Request, *, repeatable: bool = True) -> httpx.Response:
        """Send in our turn; once more if a connection that was kept had been closed meanwhile (CLOUD.md 0)."""
        self._limit.wait()
        self.traffic.requests += 1
        self.traffic.up += len(request.content) if request.method == "POST" else 0
        with _line():
            try:
                response = self._http.send(request, stream=True)
            except httpx.RemoteProtocolError:
                if not repeatable:
                    raise
                response = self._http.send(request, stream=True)
        self._hear_clock(response)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._limit.hold(_retry_after_s(response.headers))
        return response

    def _hear_clock(self, response: httpx.Response) -> None:
        try:
            date = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError):
            return
        self.told(int(date.timestamp() * 1000))


def check_url(url: str) -> str:
    """Return the address without a slash at its end; raises OperatorError unless it is HTTPS or on this machine."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise OperatorError(f"{url} is not an address: {error}") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.query or parsed.userinfo:
        raise OperatorError(f"{url} is not the address of a cloud; it looks like https://hikma.example.org")
    if parsed.scheme != "https" and not _is_loopback(parsed.host):
        raise OperatorError(f"{url} is not encrypted; a cloud's address begins with https://")
    return str(parsed).rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _line() -> Iterator[None]:
    """Translate what happened to the connection into our errors."""
    try:
        yield
    except httpx.TimeoutException:
        raise NoLine("the cloud did not answer in time") from None
    except httpx.ConnectError as error:
        raise NoLine(f"no connection to the cloud: {error}") from None
    except httpx.TransportError as error:
        raise NoLine(f"the connection to the cloud broke: {error}") from None


def _check(response: httpx.Response) -> None:
    """Raise what an answer says unless it is a JSON answer with 200."""
    match response.status_code:
        case HTTPStatus.OK if _is_json(response):
            return
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise KeyRefused("the cloud does not accept this hub's key")
        case HTTPStatus.TOO_MANY_REQUESTS:
            raise CloudBusy(_retry_after_s(response.headers))
        case HTTPStatus.OK:
            raise CloudFailing("a web page answered instead of the cloud")
        case status:
            raise CloudFailing(f"the cloud answered with status {status}")


def _retry_after_s(headers: Mapping[str, str]) -> float:
    try:
        return min(max(float(headers.get("retry-after", "")), 1.0), 3600.0)
    except ValueError:
        return _RETRY_AFTER_S


def _is_json(response: httpx.Response) -> bool:
    kind = str(response.headers.get("content-type", "")).partition(";")[0]
    return kind.strip().lower() == "application/json"


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    if not isinstance(found, dict):
        raise CloudFailing("the cloud's answer is not the JSON that it should be")
    return found


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Leave out what speaks of the body's transfer, which is over."""
    return {name: value for name, value in headers.items() if name in {"content-type", "retry-after", "date"}}
