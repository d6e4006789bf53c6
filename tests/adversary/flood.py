"""A stranger on the Wi-Fi, in a network namespace with many addresses: ``python -m tests.adversary.flood KIND ...``.

It opens what it can, and keeps it as busy, or as idle, as its kind says; see ``KINDS``.
"""

import asyncio
import contextlib
import ssl
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from hub.core.phone import wire
from hub.core.phone.keys import KeyPair

_HEAD = b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_PATIENCE_S = 2.0
_DRIP_S = 0.5


class Kind(NamedTuple):
    """What a connection sends: ``first`` once, or after each answer; ``more`` every half second."""

    first: Callable[[], bytes]
    more: bytes = b""
    is_asking: bool = False
    is_reading: bool = True
    is_tls: bool = False
    """It is for the port of TLS, where it does not speak TLS as it should."""


def _handshake() -> bytes:
    key = wire.encode(KeyPair().public).encode()
    body = b'{"client_id":"%s","client_public_key":"%s"}' % (str(uuid.uuid4()).encode(), key)
    return b"POST /rpc/handshake" + _HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _get(path: bytes) -> Callable[[], bytes]:
    return lambda: b"GET " + path + _HEAD + b"\r\n"


def _post(path: bytes, size: int, body: bytes) -> Callable[[], bytes]:
    return lambda: b"POST " + path + _HEAD + b"Content-Length: %d\r\n\r\n" % size + body


_STRANGE = b'{"client_id":"x","payload":"'.ljust(60_000, b"A")
KINDS: Mapping[str, Kind] = {
    "idle": Kind(lambda: b""),
    "head": Kind(lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\nX-a: "),
    "heads": Kind(lambda: b"GET / HTTP/1.1\r\n" + (b"X-a: " + b"a" * 7000 + b"\r\n") * 50, more=b"X-a: a\r\n"),
    "body": Kind(_post(b"/rpc/handshake", 200, b"{")),
    "drip": Kind(_post(b"/rpc/query", 5000, b"{"), more=b" "),
    "large": Kind(_post(b"/rpc/command", 60_000_000, _STRANGE)),
    "small": Kind(_post(b"/rpc/command", 15_100, _STRANGE[:15_000])),
    "chunked": Kind(lambda: b"POST /rpc/command" + _HEAD + b"Transfer-Encoding: chunked\r\n\r\n", more=b"1\r\n{\r\n"),
    "form": Kind(_post(b"/sign-in/form", 15_100, b"name=".ljust(15_000, b"a"))),
    "upgrade": Kind(lambda: b"GET /events" + _HEAD + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
    "events": Kind(_get(b"/events")),
    "page": Kind(_get(b"/"), is_asking=True),
    "pipeline": Kind(lambda: _get(b"/readyz")() * 500, is_asking=True),
    "unread": Kind(lambda: _get(b"/")() * 500, is_reading=False),
    "readyz": Kind(_get(b"/readyz"), is_asking=True),
    "pairing": Kind(_handshake, is_asking=True),
    "hello": Kind(lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", more=b"\0", is_tls=True),
    "tls": Kind(_get(b"/"), is_asking=True, is_tls=True),
}


class _Stranger:
    """One connection, opened again whenever it ends."""

    def __init__(self, kind: str, hub: tuple[str, int], source: str, end_s: float, seen: Counter[str]) -> None:
        self._kind = KINDS[kind]
        self._context = ssl._create_unverified_context() if kind == "tls" else None  # noqa: S323  the hub's own
        self._hub = hub
        self._source = source
        self._end_s = end_s
        self._seen = seen

    async def run(self) -> None:
        while time.monotonic() < self._end_s:
            try:
                reader, writer = await asyncio.open_connection(
                    *self._hub, local_addr=(self._source, 0), ssl=self._context
                )
                self._seen["opened"] += 1
                await self._talk(reader, writer)
                writer.close()
            except OSError as error:
                self._seen[type(error).__name__] += 1
                await asyncio.sleep(0.1)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._kind.first())
        quiet_until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < min(self._end_s, quiet_until if self._kind.is_asking else self._end_s):
            with contextlib.suppress(TimeoutError):
                if not self._kind.is_reading:
                    await asyncio.sleep(_DRIP_S)
                    continue
                said = await asyncio.wait_for(reader.read(4096), _DRIP_S)
                if not said:
                    return
                self._seen.update(word.decode() for word in said.split() if word in _STATUSES)
                quiet_until = time.monotonic() + _PATIENCE_S
                if self._kind.is_asking:
                    writer.write(self._kind.first())
            writer.write(self._kind.more)
            await writer.drain()


_STATUSES = frozenset({b"200", b"303", b"400", b"401", b"403", b"408", b"413", b"421", b"429", b"431", b"503"})


async def main(kind: str, host: str, port: str, sources: str, count: str, seconds: str) -> None:
    """Attack; sources: addresses of this machine, with commas between."""
    seen: Counter[str] = Counter()
    addresses, end_s = sources.split(","), time.monotonic() + float(seconds)
    attackers = (
        _Stranger(kind, (host, int(port)), addresses[number % len(addresses)], end_s, seen).run()
        for number in range(int(count))
    )
    await asyncio.gather(*attackers, return_exceptions=True)
    sys.stdout.write(f"{kind} {dict(seen)}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
