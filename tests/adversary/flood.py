"""Strangers on the Wi-Fi, in a network namespace with many addresses: ``python -m tests.adversary.flood KIND,... ...``.

Each connection is kept as busy, or as idle, as its kind says, and opened again whenever it ends; see ``KINDS``.
"""

import asyncio
import contextlib
import ssl
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from itertools import repeat
from typing import NamedTuple

import msgspec

from hub.core.phone import keys, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import KeyPair
from tests.simulator import rpc

VICTIM = "nurse"
"""The id of a phone that strangers have heard."""
_HEAD = b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_DRIP_S = 0.5
_STATUSES = frozenset(
    b"HTTP/1.1 %d" % status for status in (101, 200, 303, 400, 401, 403, 408, 413, 421, 429, 431, 503)
)

Talk = Generator[bytes, bytes, None]
"""What a connection sends, each time that it was answered something."""


class Kind(NamedTuple):
    """What a connection does: it sends ``more`` every half second beside what it says."""

    talk: Callable[[], Talk]
    more: bytes = b""
    is_reading: bool = True
    is_tls: bool = False
    """It is for the port of TLS."""


def _once(said: bytes) -> Callable[[], Talk]:
    def talk() -> Talk:
        yield said
        while True:
            yield b""

    return talk


def _again(said: bytes) -> Callable[[], Talk]:
    def talk() -> Talk:
        yield from repeat(said)

    return talk


def _get(path: bytes, head: bytes = b"") -> bytes:
    return b"GET " + path + _HEAD + head + b"\r\n"


def _post(path: bytes, body: bytes, size: int | None = None) -> bytes:
    return b"POST " + path + _HEAD + b"Content-Length: %d\r\n\r\n" % (size or len(body)) + body


def _handshake(client_id: str, pair: KeyPair) -> bytes:
    asked = {"client_id": client_id, "client_public_key": wire.encode(pair.public)}
    return _post(b"/rpc/handshake", msgspec.json.encode(asked))


def _pairing() -> Talk:
    while True:
        yield _handshake(str(uuid.uuid4()), KeyPair())


def _flushing() -> Talk:
    while True:
        yield _handshake(VICTIM, KeyPair())


def _guessing() -> Talk:
    client_id, pair = str(uuid.uuid4()), KeyPair()
    answer = yield _handshake(client_id, pair)
    hub_public = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])["hub_public_key"]
    key = keys.client_session_key(pair, wire.public_key(hub_public))
    while True:
        guess = {"email": "amal@clinic.example", "password": str(uuid.uuid4())}
        inside = msgspec.json.encode({"command": "login", "data": guess, "token": None})
        yield _post(b"/rpc/command", rpc.envelope(key, client_id, inside, Direction.COMMAND))


_STRANGE = b'{"client_id":"x","payload":"'.ljust(60_000, b"A")
_VICTIMS = b'{"client_id":"%s","payload":"' % VICTIM.encode()
KINDS: Mapping[str, Kind] = {
    "idle": Kind(_once(b"")),
    "head": Kind(_once(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-a: ")),
    "heads": Kind(_once(b"GET / HTTP/1.1\r\n" + (b"X-a: " + b"a" * 7000 + b"\r\n") * 50), more=b"X-a: a\r\n"),
    "body": Kind(_once(_post(b"/rpc/handshake", b"{", 200))),
    "small": Kind(_once(_post(b"/rpc/command", _STRANGE[:15_000], 15_100))),
    "large": Kind(_once(_post(b"/rpc/command", _STRANGE, 60_000_000))),
    "victim": Kind(_once(_post(b"/rpc/command", _VICTIMS.ljust(200_000, b"A"), 60_000_000)), more=b"A" * 50_000),
    "drip": Kind(_once(_post(b"/rpc/query", b"{", 5000)), more=b" "),
    "chunked": Kind(_once(b"POST /rpc/command" + _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"), more=b"1\r\n{\r\n"),
    "form": Kind(_once(_post(b"/sign-in/form", b"name=".ljust(15_000, b"a"), 15_100))),
    "upgrade": Kind(
        _again(_get(b"/events", b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"))
    ),
    "events": Kind(_once(_get(b"/events"))),
    "page": Kind(_again(_get(b"/"))),
    "pipeline": Kind(_again(_get(b"/readyz") * 100)),
    "unread": Kind(_once(_get(b"/") * 500), is_reading=False),
    "readyz": Kind(_again(_get(b"/readyz"))),
    "pairing": Kind(_pairing),
    "flush": Kind(_flushing),
    "guess": Kind(_guessing),
    "hello": Kind(_once(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), more=b"\0", is_tls=True),
    "tls": Kind(_again(_get(b"/")), is_tls=True),
}


class _Stranger:
    """One connection, opened again whenever it ends."""

    def __init__(self, name: str, hub: tuple[str, int], source: str, end_s: float, seen: Counter[str]) -> None:
        self._name = name
        self._context = ssl._create_unverified_context() if name == "tls" else None  # noqa: S323  the hub's own
        self._hub = hub
        self._source = source
        self._end_s = end_s
        self._seen = seen

    async def run(self) -> None:
        while time.monotonic() < self._end_s:
            try:
                there = await asyncio.open_connection(*self._hub, local_addr=(self._source, 0), ssl=self._context)
                self._seen[f"{self._name} opened"] += 1
                await self._talk(*there)
                there[1].close()
            except (OSError, LookupError, msgspec.DecodeError) as error:
                self._seen[f"{self._name} {type(error).__name__}"] += 1
                await asyncio.sleep(0.1)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind = KINDS[self._name]
        talk = kind.talk()
        writer.write(next(talk))
        while time.monotonic() < self._end_s:
            said = await self._heard(reader, is_reading=kind.is_reading)
            if said == b"":
                return
            if said:
                self._seen.update(f"{self._name} {word[-3:].decode()}" for word in _STATUSES if word in said)
                writer.write(talk.send(said))
            writer.write(kind.more)
            await writer.drain()

    async def _heard(self, reader: asyncio.StreamReader, *, is_reading: bool) -> bytes | None:
        """Return what came within half a second; None if nothing did, b"" at the end."""
        if not is_reading:
            await asyncio.sleep(_DRIP_S)
            return None
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(reader.read(16_384), _DRIP_S)
        return None


async def main(kinds: str, host: str, port: str, tls_port: str, sources: str, count: str, seconds: str) -> None:
    """Attack in some kinds at once, with so many connections of each; sources: addresses of this machine."""
    seen: Counter[str] = Counter()
    addresses, end_s = sources.split(","), time.monotonic() + float(seconds)
    attackers = (
        _Stranger(
            name,
            (host, int(tls_port if KINDS[name].is_tls else port)),
            addresses[number % len(addresses)],
            end_s,
            seen,
        ).run()
        for number in range(int(count))
        for name in kinds.split(",")
    )
    await asyncio.gather(*attackers, return_exceptions=True)
    sys.stdout.write(f"{dict(sorted(seen.items()))}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
