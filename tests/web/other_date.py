"""A cloud whose clock is another one: hands requests on, and puts another date on the answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


@contextmanager
def other_date(url: str, *, hours: int) -> Iterator[str]:
    """Return the address of a cloud in front of the one at ``url``; its Date headers are so many hours on."""

    class Handler(BaseHTTPRequestHandler):
        """Hands one request on."""

        def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002  the library's
            return format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)

        def do_GET(self) -> None:
            self._hand_on()

        def do_POST(self) -> None:
            self._hand_on()

        def log_message(self, *_: object) -> None:
            pass

        def _hand_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            kept = {name: value for name, value in self.headers.items() if name.lower() in _KEPT}
            answer = httpx.request(self.command, url + self.path, content=body, headers=kept, trust_env=False)
            self.send_response(answer.status_code)
            self.send_header("content-type", answer.headers["content-type"])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_KEPT = frozenset({"authorization", "content-type", "accept"})
