"""A line between a hub and the cloud that carries few bytes a second and breaks now and then: a TCP proxy."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_PIECE = 512
_CONNECT_S = 10.0


class Line:
    """Counts what went through, and how often it broke."""

    def __init__(self, target: str, *, bytes_per_s: int, breaks_after: int, seed: int) -> None:
        """Lead to ``target``; on average a connection breaks when it has carried ``breaks_after`` bytes."""
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._rate = bytes_per_s
        self._breaks_after = breaks_after
        self._rng = random.Random(seed)
        self._lock = threading.Lock()
        self._free_s = 0.0
        self.carried = 0
        self.broken = 0

    def serve(self, listener: socket.socket) -> None:
        """Carry connections until the listener is closed."""
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._target, _CONNECT_S) as far:
            far.settimeout(None)
            life = self._rng.expovariate(1 / self._breaks_after)
            left = [life]
            ways = [
                threading.Thread(target=self._one_way, args=way, daemon=True)
                for way in ((near, far, left), (far, near, left))
            ]
            for way in ways:
                way.start()
            for way in ways:
                way.join()

    def _one_way(self, source: socket.socket, sink: socket.socket, left: list[float]) -> None:
        try:
            while piece := source.recv(_PIECE):
                self._wait(len(piece))
                left[0] -= len(piece)
                if left[0] < 0:
                    self.broken += 1
                    break
                sink.sendall(piece)
                self.carried += len(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _wait(self, size: int) -> None:
        """Take the line for as long as these bytes need; both ways share it."""
        with self._lock:
            now = time.monotonic()
            self._free_s = max(self._free_s, now) + size / self._rate
            until = self._free_s
        threading.Event().wait(max(0.0, until - now))


@contextmanager
def slow_line(target: str, *, bytes_per_s: int, breaks_after: int, seed: int = 1) -> Iterator[tuple[str, Line]]:
    """Open a slow line to ``target``; returns its URL and what it counts."""
    line = Line(target, bytes_per_s=bytes_per_s, breaks_after=breaks_after, seed=seed)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=line.serve, args=(listener,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", line
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
