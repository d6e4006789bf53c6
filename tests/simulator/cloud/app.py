"""The stand-in's routes and answers over HTTP (CLOUD.md 0-4), and the one route of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Litestar, Request, delete, get, post
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.response import Stream

from tests.simulator.cloud import callers
from tests.simulator.cloud.callers import Caller
from tests.simulator.cloud.faults import PATH as FAULTS_PATH
from tests.simulator.cloud.faults import Fault, Faults, faulty
from tests.simulator.cloud.later import LaterTables
from tests.simulator.cloud.limits import RateLimit, client_key
from tests.simulator.cloud.pull import last_pulled, pull
from tests.simulator.cloud.push import PushOutcome, push
from tests.simulator.cloud.store import CloudStore
from tests.simulator.cloud.values import Refused

_CHUNK_BYTES = 64 * 1024
_PAGE = b"<!DOCTYPE html><html><head><title>Hikma Health</title></head><body></body></html>"
_GENERIC_500 = b'{"status":500,"unhandled":true,"message":"HTTPError"}'
_LOOPBACK = ("127.0.0.1", "::1", "testclient")

AnyRequest = Request[Any, Any, Any]


class Cloud:
    """The server's state: its database, its zone, its limits and what is to go wrong."""

    def __init__(self, store: CloudStore, zone: ZoneInfo, limit: RateLimit, history_days: int | None) -> None:
        self.store = store
        self.zone = zone
        self.limit = limit
        self.history_days = history_days
        self.faults = Faults()
        self.later = LaterTables()


def create_app(
    store: CloudStore,
    *,
    time_zone: str = "UTC",
    rate_limit: int = 60,
    max_history_days: int | None = None,
    now_s: Callable[[], float] | None = None,
) -> Litestar:
    """Make a cloud over ``store``, whose process runs in ``time_zone``; its ``Cloud`` is ``app.state.cloud``.

    ``rate_limit`` counts requests per 60 s and client; ``now_s`` is the clock that it counts by.
    """
    limit = RateLimit(rate_limit, now_s) if now_s else RateLimit(rate_limit)
    cloud = Cloud(store, ZoneInfo(time_zone), limit, max_history_days)
    app = Litestar(
        [_verify_key, _pull, _push, _show_faults, _set_fault, _clear_faults],
        middleware=[partial(faulty, faults=cloud.faults)],
        exception_handlers={
            Refused: _generic_error,
            MethodNotAllowedException: partial(_page, status=HTTPStatus.OK),
            NotFoundException: partial(_page, status=HTTPStatus.NOT_FOUND),
        },
        request_max_body_size=None,
        openapi_config=None,
        logging_config=None,
    )
    app.state.cloud = cloud
    return app


@post("/api/hub/verify-key")
async def _verify_key(request: AnyRequest) -> Stream:
    """CLOUD.md 1."""
    try:
        asked = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError):
        asked = None
    if asked is None:
        return _json({"error": "Internal server error"}, HTTPStatus.INTERNAL_SERVER_ERROR)
    api_key = asked.get("api_key") if isinstance(asked, dict) else None
    if not isinstance(api_key, str) or not api_key:
        return _json({"error": "Missing or invalid api_key"}, HTTPStatus.BAD_REQUEST)
    row = await asyncio.to_thread(callers.device, _cloud(request).store, api_key)
    if row is None:
        return _json({"error": "Invalid API key"}, HTTPStatus.UNAUTHORIZED)
    return _json({name: value for name, value in row.items() if name != "api_key_hash"})


@get("/api/v2/sync")
async def _pull(request: AnyRequest) -> Stream:
    """CLOUD.md 2."""
    cloud = _cloud(request)
    caller = await _admit(request)
    if not isinstance(caller, Caller):
        return caller
    query = request.query_params
    last_ms = last_pulled(query.get("last_pulled_at", query.get("lastPulledAt", "")))
    answer = await asyncio.to_thread(pull, cloud.store, caller, last_ms, cloud.zone, cloud.history_days)
    return _answer(cloud.later.shown(answer))


@post("/api/v2/sync")
async def _push(request: AnyRequest) -> Stream:
    """CLOUD.md 4; goes on to the end when the client has left, because a thread cannot be cancelled."""
    cloud = _cloud(request)
    caller = await _admit(request)
    if not isinstance(caller, Caller):
        return caller
    outcome = await asyncio.to_thread(push, cloud.store, caller, await request.body(), cloud.zone)
    if outcome is PushOutcome.ITEM_FAILED:
        return _answer(b"[object Object]", content_type="text/plain")
    cloud.later.take(await request.body())
    return _json({"success": True})


@get(FAULTS_PATH)
async def _show_faults(request: AnyRequest) -> Stream:
    """List what is still to go wrong."""
    return _own(request)


@post(FAULTS_PATH)
async def _set_fault(request: AnyRequest) -> Stream:
    """Add a fault, as JSON of ``Fault``."""
    fault = msgspec.json.decode(await request.body(), type=Fault)
    return _own(request, lambda faults: faults.add(fault))


@delete(FAULTS_PATH, status_code=HTTPStatus.OK)
async def _clear_faults(request: AnyRequest) -> Stream:
    """Forget all faults."""
    return _own(request, Faults.clear)


def _own(request: AnyRequest, change: Callable[[Faults], None] = lambda _: None) -> Stream:
    """Serve a route that the real cloud does not have, to this machine only."""
    if request.client is None or request.client.host not in _LOOPBACK:
        raise NotFoundException
    faults = _cloud(request).faults
    change(faults)
    return _json(faults.waiting)


async def _admit(request: AnyRequest) -> Caller | Stream:
    """Return who calls, or the refusal: the limit comes first, so that failed sign-ins count too (CLOUD.md 2.4)."""
    cloud = _cloud(request)
    wait_s = cloud.limit.retry_after_s(client_key(request.headers.get("x-forwarded-for", "")))
    if wait_s:
        error = {"error": "Too many requests. Please try again later."}
        return _json(error, HTTPStatus.TOO_MANY_REQUESTS, {"retry-after": str(wait_s)})
    authorization = request.headers.get("authorization", "")
    peer_type = request.query_params.get("peerType", "")
    caller = await asyncio.to_thread(callers.caller, cloud.store, authorization, peer_type)
    return caller or _json({"error": "Unauthorized"}, HTTPStatus.UNAUTHORIZED)


def _cloud(request: AnyRequest) -> Cloud:
    cloud = request.app.state.cloud
    assert isinstance(cloud, Cloud)
    return cloud


def _json(value: object, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Stream:
    return _answer(msgspec.json.encode(value), status, headers=headers)


def _answer(
    body: bytes,
    status: HTTPStatus = HTTPStatus.OK,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Stream:
    """Answer in chunks, without Content-Length (CLOUD.md 0)."""
    headers = {"keep-alive": "timeout=5", **(headers or {})}
    return Stream(_chunks(body), status_code=status, media_type=content_type, headers=headers)


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), _CHUNK_BYTES):
        yield body[at : at + _CHUNK_BYTES]


def _generic_error(_: AnyRequest, __: Refused) -> Stream:
    return _answer(_GENERIC_500, HTTPStatus.INTERNAL_SERVER_ERROR, "application/json;charset=UTF-8")


def _page(_: AnyRequest, __: HTTPException, status: HTTPStatus) -> Stream:
    return _answer(_PAGE, status, "text/html")
