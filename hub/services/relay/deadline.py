"""Ends an exchange that takes too long, however busily a byte comes now and then.

A timeout of httpx is for silence: whoever sends one byte a minute never runs into it.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Deadline:
    """Cuts the connection of one client; ``sees`` is its trace (httpx's extension of that name)."""

    def __init__(self) -> None:
        self._stream: Any = None

    def sees(self, event: str, info: dict[str, Any]) -> None:
        """Keep which connection is in use."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._stream = info["return_value"]

    @contextmanager
    def within(self, seconds: float) -> Iterator[threading.Event]:
        """Cut the connection after so long; the event says that it was cut."""
        cut = threading.Event()
        timer = threading.Timer(seconds, self._cut, [cut])
        timer.daemon = True
        timer.start()
        try:
            yield cut
        finally:
            timer.cancel()

    def _cut(self, cut: threading.Event) -> None:
        cut.set()
        connection = self._stream.get_extra_info("socket") if self._stream else None
        with suppress(OSError):  # it has gone already
            if connection is not None:
                connection.shutdown(socket.SHUT_RDWR)
