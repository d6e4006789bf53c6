"""The phones' endpoints (PROTOCOL.md "Transport"): reads, hands over to a worker thread, streams the sealed answer."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPResponseBodyEvent, Receive, Scope, Send

from hub.core.errors import Forbidden, TooLarge, Unavailable
from hub.core.log_events import LogEvent
from hub.core.phone import wire
from hub.services.rpc.dispatch import Buffer, Opened, Reply, Rpc
from hub.services.rpc.procedures.registry import Work
from hub.web import body
from hub.web.body import AnyRequest
from hub.web.byte_budget import ByteBudget
from hub.web.metrics import ANSWER_BYTES, CALLS, SECONDS
from hub.web.passwords import Passwords
from hub.web.spool import Spool

_T = TypeVar("_T")
_PATIENCE_S = 60
"""How long a phone may take none of its answer."""
_BODIES = 16
"""So many of the largest pushes find room on disk at once."""
_LIGHT_BYTES = 64 * 1024
"""A push of so much waits for no turn."""
_PUSH_PATIENCE_S = 600
"""How long a push that is here waits for its turn: the app waits as long as it takes, and would send it all again."""

log = structlog.get_logger()


class Phones:
    """The handlers of ``/rpc``, with what they share."""

    def __init__(
        self,
        rpc: Rpc,
        passwords: Passwords,
        *,
        folder: Path,
        workers: int,
        budget: ByteBudget,
        payload_max: int,
        page_bytes: int,
    ) -> None:
        self._rpc = rpc
        self._passwords = passwords
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="rpc")
        self._budget = budget
        self._body_max = wire.body_bytes(payload_max)
        self._spool = Spool(folder, _BODIES * self._body_max)
        self._pushes = ByteBudget(self._body_max, patience_s=_PUSH_PATIENCE_S)
        self._page_bytes = page_bytes

    def close(self) -> None:
        """Let the worker threads end."""
        self._pool.shutdown()
        self._spool.close()

    async def handshake(self, request: AnyRequest) -> ASGIApp:
        """Agree on a session key."""
        raw = await body.read(request, wire.HANDSHAKE_BYTES_MAX)
        answer = await self._work(self._rpc.handshake, raw, _address(request), request.headers.get("host", ""))
        return Plain(msgspec.json.encode(answer))

    async def query(self, request: AnyRequest) -> ASGIApp:
        """Answer a sealed query."""
        return await self._sealed(request, self._rpc.open_query)

    async def command(self, request: AnyRequest) -> ASGIApp:
        """Carry out a sealed command."""
        return await self._sealed(request, self._rpc.open_command)

    async def _sealed(self, request: AnyRequest, call: Callable[[Buffer, str], Opened]) -> ASGIApp:
        head, address = bytearray(), _address(request)
        try:
            async with self._spool.receive(request, self._body_max, self._admit_large, head, address) as raw:
                size = len(raw)
                # Nobody takes memory before all of the request is here: strangers would do it for ever.
                async with self._pushes.held(size if size > _LIGHT_BYTES else 0):
                    return await self._answered(await self._work(call, raw, address), size)
        except (TooLarge, Unavailable) as error:
            await self._work(self._rpc.note_unread, bytes(head), error)
            raise

    async def _answered(self, opened: Opened, up: int) -> ASGIApp:
        ticket = await self._budget.reserve(self._page_bytes if opened.procedure.work is Work.PAGE else 0)
        started = time.monotonic()
        try:
            outcome = await self._carried_out(opened)
        except BaseException:
            self._budget.release(ticket)
            raise
        SECONDS.labels(outcome.procedure).observe(time.monotonic() - started)
        CALLS.labels(outcome.procedure).inc()
        ANSWER_BYTES.inc(wire.answer_size(outcome.sealed))
        log.info(
            LogEvent.RPC,
            procedure=outcome.procedure,
            device=outcome.device,
            ms=round((time.monotonic() - started) * 1000),
            up=up,
            down=wire.answer_size(outcome.sealed),
        )
        return Sealed(outcome.sealed, lambda: self._budget.release(ticket))

    async def _carried_out(self, opened: Opened) -> Reply:
        if opened.procedure.work is Work.PASSWORD:
            return await self._passwords.check(opened.call.address, self._rpc.answer, opened)
        return await self._work(self._rpc.answer, opened)

    async def _admit_large(self, head: bytes) -> None:
        await self._work(self._rpc.admit_large, head)

    async def _work(self, call: Callable[..., _T], *args: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *args)


class Plain:
    """An ASGI answer of JSON that is ready."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await _start(send, len(self._content))
        await send({"type": "http.response.body", "body": self._content, "more_body": False})


class Sealed:
    """An ASGI answer that becomes text while it is sent."""

    def __init__(self, sealed: bytes, done: Callable[[], None]) -> None:
        self._sealed = sealed
        self._done = done

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it, then say that it is done, whether or not it arrived."""
        try:
            await _start(send, wire.answer_size(self._sealed))
            for piece in wire.answer_pieces(self._sealed):
                message: HTTPResponseBodyEvent = {"type": "http.response.body", "body": piece, "more_body": True}
                await asyncio.wait_for(send(message), _PATIENCE_S)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            log.info(LogEvent.REQUEST_ABANDONED, reason="the phone stopped reading")
        finally:
            self._done()


async def _start(send: Send, size: int) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


def handlers(phones: Phones) -> list[HTTPRouteHandler]:
    """Return the phones' routes."""

    @get("/rpc/heartbeat")
    async def heartbeat() -> dict[str, str]:
        return {"status": "ok"}

    @post("/rpc/handshake")
    async def handshake(request: AnyRequest) -> ASGIApp:
        return await phones.handshake(request)

    @post("/rpc/query")
    async def query(request: AnyRequest) -> ASGIApp:
        return await phones.query(request)

    @post("/rpc/command")
    async def command(request: AnyRequest) -> ASGIApp:
        return await phones.command(request)

    @post(["/api/login", "/api/auth/sign-in"])
    async def cloud_login() -> dict[str, Any]:
        """Refuse, without reading the body: without a fresh QR scan the app sends email and password in clear."""
        raise Forbidden("a hub takes no password in clear; scan its QR code to sign in")

    return [heartbeat, handshake, query, command, cloud_login]


def _address(request: AnyRequest) -> str:
    return request.client.host if request.client else ""
