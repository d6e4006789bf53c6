"""Faults on demand: what goes wrong between a hub and the cloud, for the next so many requests."""

import asyncio
import os
import socket
import stat
from enum import Enum
from pathlib import Path
from typing import Any, cast

import msgspec
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPRequestEvent, HTTPScope, Message, Receive, Scope, Send

PATH = "/_stand-in/faults"

_PIECES = 20  # a slow body comes in so many parts
_ROUTES = {("GET", "/api/v2/sync"): "pull", ("POST", "/api/v2/sync"): "push", ("POST", "/api/hub/verify-key"): "verify"}
_GENERIC_500 = b'{"status":500,"unhandled":true,"message":"HTTPError"}'
_TOO_MANY = b'{"error":"Too many requests. Please try again later."}'


class Kind(Enum):
    """What goes wrong."""

    ERROR_500 = "500"
    TOO_MANY = "429"  # with Retry-After: seconds
    HTML = "html"  # a proxy's or the web app's page, status 200
    DROP = "drop"  # the line is cut before the request is taken in
    LOSE = "lose"  # everything is stored, but no answer comes
    CUT = "cut"  # the answer ends in the middle
    DELAY = "delay"  # the answer begins ``seconds`` late
    SLOW = "slow"  # the answer takes ``seconds`` to come


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault for the next ``times`` requests, only those ``on`` pull, push or verify when given."""

    kind: Kind
    times: int = 1
    seconds: float = 0
    on: str = ""


class Faults:
    """The faults that are still to happen, first set first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let ``fault`` happen to the next requests that it is meant for."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._waiting.clear()

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """What has not happened yet."""
        return tuple(self._waiting)

    def take(self, method: str, path: str, query: str = "") -> Fault | None:
        """Return the fault that this request meets and count it down; the stand-in's own paths meet none.

        A pull from the start is met by what waits for a ``full`` one, too.
        """
        route = _ROUTES.get((method, path))
        if route is None:
            return None
        routes = {"", route, "full" if "lastPulledAt=1" in query.split("&") else route}
        for position, fault in enumerate(self._waiting):
            if fault.on in routes:
                left = [msgspec.structs.replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                self._waiting[position : position + 1] = left
                return fault
        return None


def faulty(app: ASGIApp, faults: Faults) -> ASGIApp:
    """Wrap ``app`` so that ``faults`` happen to its requests."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        request = cast("HTTPScope", scope)  # there are no WebSockets here
        fault = faults.take(request["method"], request["path"], request["query_string"].decode("latin-1"))
        if fault is None:
            await app(scope, receive, send)
        else:
            await _happen(fault, app, request, receive, send)

    return wrapped


async def _happen(fault: Fault, app: ASGIApp, scope: HTTPScope, receive: Receive, send: Send) -> None:
    match fault.kind:
        case Kind.ERROR_500:
            await _answer(send, 500, b"application/json;charset=UTF-8", _GENERIC_500)
        case Kind.TOO_MANY:
            await _answer(send, 429, b"application/json", _TOO_MANY, (b"retry-after", b"%d" % fault.seconds))
        case Kind.HTML:
            await _answer(send, 200, b"text/html; charset=utf-8", b"<!DOCTYPE html><html></html>")
        case Kind.DROP:
            _sever(scope)
        case Kind.LOSE:
            await _answered(app, scope, receive)
            _sever(scope)
        case Kind.CUT | Kind.SLOW:
            await _torn(fault, app, scope, receive, send)
        case Kind.DELAY:
            await asyncio.sleep(fault.seconds)
            await app(scope, receive, send)


async def _torn(fault: Fault, app: ASGIApp, scope: HTTPScope, receive: Receive, send: Send) -> None:
    start, body = await _answered(app, scope, receive)
    await send(start)
    if fault.kind is Kind.CUT:
        # Returning without the last chunk makes the server close the connection.
        await send(_chunk(body[: len(body) // 2], more=True))
        return
    size = len(body) // _PIECES + 1
    for at in range(0, len(body), size):
        await asyncio.sleep(fault.seconds / _PIECES)
        await send(_chunk(body[at : at + size], more=True))
    await send(_chunk(b"", more=False))


async def _answered(app: ASGIApp, scope: HTTPScope, receive: Receive) -> tuple[Message, bytes]:
    """Run ``app`` with nobody at the other end and return its answer's start and whole body."""
    starts: list[Message] = []
    body = bytearray()
    asked, complete = False, asyncio.Event()

    async def read() -> HTTPReceiveMessage:
        nonlocal asked
        if asked:
            # Litestar waits for a disconnect after its last chunk, and Granian sees none before it has sent one.
            await complete.wait()
            return {"type": "http.disconnect"}
        message = cast("HTTPRequestEvent", await receive())
        asked = not message["more_body"]
        return message

    async def keep(message: Message) -> None:
        if message["type"] != "http.response.body":
            starts.append(message)
            return
        body.extend(message["body"])
        if not message["more_body"]:
            complete.set()

    await app(scope, read, keep)
    return starts[0], bytes(body)


async def _answer(send: Send, status: int, content_type: bytes, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers: list[tuple[bytes, bytes]] = [(b"content-type", content_type), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send(_chunk(body, more=True))
    await send(_chunk(b"", more=False))


def _chunk(body: bytes, *, more: bool) -> Any:  # noqa: ANN401
    return {"type": "http.response.body", "body": body, "more_body": more}


def _sever(scope: HTTPScope) -> None:
    """Shut the client's connection down below the HTTP server, which knows no way to give no answer at all."""
    client = [str(part) for part in scope["client"] or ()]  # Granian gives the port as text
    for path in Path("/proc/self/fd").iterdir():
        number = int(path.name)
        try:
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with socket.socket(fileno=os.dup(number)) as connection:
                if connection.family == socket.AF_INET and [*map(str, connection.getpeername())] == client:
                    connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue  # closed meanwhile, or not connected
