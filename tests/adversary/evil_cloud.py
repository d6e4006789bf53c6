"""A server in the cloud's place that answers what it is told to, in whatever pieces, for a hub to withstand."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

CLINIC = "11111111-1111-4111-8111-111111111111"
DEVICE: dict[str, Any] = {
    "id": CLINIC,
    "name": "hub",
    "device_type": "sync_hub",
    "status": "active",
    "clinic_ids": [CLINIC],
}
JSON = (("content-type", "application/json"),)
Answer = tuple[int, tuple[tuple[str, str], ...], Callable[[], Iterator[bytes]]]


class EvilCloud:
    """What it answers next; ``url`` is its address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.verify: Answer = said(DEVICE)
        self.pull: Answer = said(pulled({}))


def said(value: object, status: int = 200) -> Answer:
    """Return an honest answer."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return status, JSON, lambda: iter([content])


def pulled(changes: object, **others: object) -> dict[str, Any]:
    """Return a pull's answer."""
    return {"success": True, "changes": changes, "timestamp": 1_790_000_000_000, **others}


def patients(*rows: bytes) -> bytes:
    """Return a pull's answer with rows that are not JSON of Python's."""
    return b'{"success":true,"changes":{"patients":{"created":[' + b",".join(rows) + b']}},"timestamp":1790000000000}'


@contextmanager
def evil_cloud() -> Iterator[EvilCloud]:
    """Run one, on a thread."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        cloud: ClassVar[EvilCloud]

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
            """Say nothing."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self._send(self.cloud.verify)

        def do_GET(self) -> None:
            self._send(self.cloud.pull)

        def _send(self, answer: Answer) -> None:
            status, headers, content = answer
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.close_connection = True
            with suppress(OSError):  # the hub has had enough
                for piece in filter(None, content()):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Handler.cloud = EvilCloud(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield Handler.cloud
    finally:
        server.shutdown()
        server.server_close()
