"""Speaks to the cloud over HTTP, and tells its real successes from what only looks like one (CLOUD.md 0-4)."""

import ipaddress
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from hub.core import answer_headers
from hub.core.errors import CloudBusy, CloudFailing, KeyRefused, NoLine, NotTheCloud, OperatorError, TooSlow, Unreadable
from hub.late import Late
from hub.services.relay.body import ENCODING, Body, line
from hub.services.relay.deadline import Deadline
from hub.services.relay.rate_limit import RateLimit

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

SYNC = "/api/v2/sync"
VERIFY = "/api/hub/verify-key"

_KEEP_ALIVE_S = 3.0
"""The cloud closes an idle connection after 5 s (CLOUD.md 0)."""
_TIMEOUTS_S = {"timeout": 60.0, "connect": 20.0, "read": 180.0}
"""Seconds without any byte. Before the first one the cloud may query for 60 s, and store a batch for as long."""
_ANSWER_BYTES = 1024 * 1024
_ANSWER_S = 600.0
"""Until an answer has begun, and a small one has ended; and as long again for each of so many bytes sent:"""
_SENT_BYTES_PER_S = 100
PULL_BYTES = 1024**3
"""The cloud itself cannot answer with more than half of it (CLOUD.md 2.4)."""
_RETRY_AFTER_S = 60.0
_RETRY_AFTER_S_MAX = 3600.0
"""When the cloud wants less and does not say when again."""


_Word = Annotated[str, msgspec.Meta(max_length=255)]


class CloudDevice(msgspec.Struct, frozen=True):
    """What the cloud says of this hub (CLOUD.md 1)."""

    id: _Word
    name: _Word
    device_type: _Word
    status: _Word
    clinic_ids: Annotated[tuple[_Word, ...], msgspec.Meta(max_length=1000)] = ()


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


class Cloud:
    """The cloud at ``url``, spoken to with an API key. Everything may raise CloudError."""

    def __init__(self, url: str, api_key: str, limit: RateLimit) -> None:
        self.traffic = Traffic()
        self._url = check_url(url)
        self._api_key = api_key
        self._limit = limit
        self._clock: tuple[int, float] | None = None
        self._deadline = Deadline()
        self._http = httpx.Client(
            timeout=httpx.Timeout(**_TIMEOUTS_S),
            limits=httpx.Limits(max_keepalive_connections=1, keepalive_expiry=_KEEP_ALIVE_S),
            headers={"Accept-Encoding": ENCODING},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
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
            raise Unreadable(f"verify-key answered otherwise than expected: {error}") from None

    @contextmanager
    def pull(self, last_ms: int) -> Iterator[Body]:
        """Ask for what changed since ``last_ms`` of the cloud's clock; returns the answer's JSON, piece by piece."""
        params = {"lastPulledAt": str(last_ms), "peerType": "sync_hub"}
        request = self._http.build_request("GET", self._url + SYNC, params=params, headers=self._bearer())
        with self._in_time():
            response = self._send(request)
        try:
            _check(response)
            yield Body(response, PULL_BYTES)
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
            case HTTPStatus.OK if response.content.strip() == b"[object Object]":
                return Verdict.REFUSED
            case HTTPStatus.BAD_REQUEST:
                return Verdict.REFUSED
            case HTTPStatus.INTERNAL_SERVER_ERROR if _is_json(response):
                return Verdict.REFUSED
            case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                return Verdict.TOO_LARGE
            case _:
                _check(response)
                raise Unreadable("the cloud answered a push with something else than JSON")

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._api_key}"}

    def _ask(
        self, method: str, path: str, content: bytes, *, repeatable: bool = True, **options: Mapping[str, str]
    ) -> "httpx.Response":
        headers = {"Content-Type": "application/json", **options.get("headers", {})}
        request = self._http.build_request(
            method, self._url + path, content=content, params=options.get("params"), headers=headers
        )
        with self._in_time(len(content)):
            response = self._send(request, repeatable=repeatable)
            try:
                body = Body(response, _ANSWER_BYTES).all()
            finally:
                self.traffic.down += response.num_bytes_downloaded
                response.close()
        return httpx.Response(response.status_code, headers=_plain(response.headers), content=body)

    @contextmanager
    def _in_time(self, sent_bytes: int = 0) -> Iterator[None]:
        """Ask in our turn, and end what takes longer than any line does, for which a byte now and then is enough."""
        self._limit.wait()
        seconds = _ANSWER_S + sent_bytes / _SENT_BYTES_PER_S
        with self._deadline.within(seconds) as cut:
            try:
                yield
            except NoLine:
                if cut.is_set():
                    raise TooSlow(f"an answer that takes more than {seconds:.0f} s") from None
                raise

    def _send(self, request: "httpx.Request", *, repeatable: bool = True) -> "httpx.Response":
        """Send; once more if a connection that was kept had been closed meanwhile (CLOUD.md 0)."""
        self.traffic.requests += 1
        request.extensions["trace"] = self._deadline.sees
        self.traffic.up += len(request.content) if request.method == "POST" else 0
        with line():
            try:
                response = self._http.send(request, stream=True)
            except httpx.RemoteProtocolError:
                if not repeatable:
                    raise
                response = self._http.send(request, stream=True)
        self._hear_clock(response)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._limit.hold(_retry_after_s(response))
        return response

    def _hear_clock(self, response: "httpx.Response") -> None:
        date_ms = answer_headers.date_ms(response.headers.get("date"))
        if date_ms is not None:
            self.told(date_ms)


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


def _check(response: "httpx.Response") -> None:
    """Raise what an answer says unless it is a JSON answer with 200."""
    match response.status_code:
        case HTTPStatus.OK if _is_json(response):
            return
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise KeyRefused("the cloud does not accept this hub's key")
        case HTTPStatus.TOO_MANY_REQUESTS:
            raise CloudBusy(_retry_after_s(response))
        case HTTPStatus.OK:
            raise NotTheCloud("a web page answered instead of the cloud")
        case status if 300 <= status < 400:  # noqa: PLR2004  HTTP's redirections
            raise NotTheCloud("the request was sent on to another address")
        case status:
            raise CloudFailing(f"the cloud answered with status {status}")


def _retry_after_s(response: "httpx.Response") -> float:
    return answer_headers.retry_after_s(
        response.headers.get("retry-after"), unsaid=_RETRY_AFTER_S, most=_RETRY_AFTER_S_MAX
    )


def _is_json(response: "httpx.Response") -> bool:
    kind = str(response.headers.get("content-type", "")).partition(";")[0]
    return kind.strip().lower() == "application/json"


def _json(response: "httpx.Response") -> dict[str, Any]:
    try:
        found = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unreadable("the cloud's answer is not the JSON that it should be")
    return found


def _plain(headers: "httpx.Headers") -> dict[str, str]:
    """Leave out what speaks of the body's transfer, which is over."""
    return {name: value for name, value in headers.items() if name in {"content-type", "retry-after", "date"}}
