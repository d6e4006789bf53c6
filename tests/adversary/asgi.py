"""Calls the phones' endpoints as an ASGI application, with bodies that no HTTP client would send."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from litestar import Litestar

from hub.actions.people import failures
from hub.web import refusals, rpc
from hub.web.byte_budget import ByteBudget
from hub.web.passwords import Passwords
from tests.hubs import InProcessHub

MIB = 1024 * 1024


class Asgi:
    """The endpoints of a hub in this process, all on one event loop."""

    def __init__(self, hub: InProcessHub) -> None:
        self._phones = rpc.Phones(
            hub.rpc,
            Passwords(partial(failures.was_here, hub.store)),
            folder=hub.data,
            workers=2,
            budget=ByteBudget(16 * MIB),
            payload_max=MIB,
            page_bytes=hub.policy.page_bytes,
        )
        self._app = Litestar(
            route_handlers=rpc.handlers(self._phones),
            exception_handlers={Exception: refusals.refuse},
            openapi_config=None,
            logging_config=None,
            request_max_body_size=None,
        )
        self._runner = asyncio.Runner()

    def close(self) -> None:
        """Let its threads end."""
        self._phones.close()
        self._runner.close()

    def send(
        self, method: str, path: str, body: Iterable[bytes] = (), headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a request whose body comes in these pieces; returns status and body of the answer."""
        return self._runner.run(self._send(method, path, list(body), headers or {}))

    async def _send(self, method: str, path: str, body: list[bytes], headers: Mapping[str, str]) -> tuple[int, bytes]:
        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("192.0.2.7", 40_000),
            "server": ("192.0.2.1", 4001),
            "state": {},
        }
        pieces = iter(body)
        statuses: list[int] = []
        answer = bytearray()

        async def receive() -> Any:  # noqa: ANN401  an event is a dict of anything
            piece = next(pieces, None)
            return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

        async def send(event: Any) -> None:  # noqa: ANN401  as above
            if event["type"] == "http.response.start":
                statuses.append(event["status"])
            else:
                answer.extend(event.get("body", b""))

        await self._app(scope, receive, send)
        return statuses[0], bytes(answer)
