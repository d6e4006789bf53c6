"""Calls the hub's ASGI application with bodies that no HTTP client would send."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from litestar import Litestar

from hub import app
from hub.settings import Settings
from hub.store.database import Store
from tests.hubs import prepare


class Asgi:
    """The whole application on its own data, in this process; a ``tests.hubs`` transport."""

    def __init__(self, data: Path, settings: Settings | None = None) -> None:
        prepare(data)
        self.store = Store(data)
        self.app: Litestar = app.create(self.store, settings or Settings())
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self.app.on_shutdown[0]()) if asyncio.iscoroutinefunction(
            self.app.on_shutdown[0]
        ) else self.app.on_shutdown[0]()  # type: ignore[call-arg]
        self._runner.close()
        self.store.close()

    def get(self, path: str) -> tuple[int, bytes]:
        return self.send("GET", path, [])

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        return self.send("POST", path, [body], {"content-length": str(len(body))})

    def send(
        self, method: str, path: str, body: Iterable[bytes], headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a request whose body comes in these pieces."""
        return self._runner.run(self._send(method, path, list(body), headers or {}))

    async def _send(self, method: str, path: str, body: list[bytes], headers: Mapping[str, str]) -> tuple[int, bytes]:
        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "surrogatepass"),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("192.0.2.7", 40_000),
            "server": ("192.0.2.1", 4001),
            "state": {},
        }
        pieces = iter(body)
        answer = [0, b""]

        async def receive() -> Any:  # noqa: ANN401  whatever ASGI says
            piece = next(pieces, None)
            return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

        async def send(event: Any) -> None:  # noqa: ANN401  whatever ASGI says
            if event["type"] == "http.response.start":
                answer[0] = event["status"]
            else:
                answer[1] += event.get("body", b"")

        await self.app(scope, receive, send)
        return answer[0], answer[1]  # type: ignore[return-value]
