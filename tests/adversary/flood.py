"""A stranger on the Wi-Fi, in a network namespace with many addresses: ``python -m tests.adversary.flood KIND ...``.

It opens what it can, and does nothing more than keep it open; see ``KINDS``.
"""

import asyncio
import contextlib
import ssl
import sys
import time
import uuid
from collections import Counter

from hub.core.phone import wire
from hub.core.phone.keys import KeyPair

HEAD = b"Host: hikma-hub\r\nContent-Type: application/json\r\n"
_PATIENCE_S = 2.0


def _handshake() -> bytes:
    key = wire.encode(KeyPair().public).encode()
    body = b'{"client_id":"%s","client_public_key":"%s"}' % (str(uuid.uuid4()).encode(), key)
    return b"POST /rpc/handshake HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


KINDS = {
    "idle": lambda: b"",
    "head": lambda: b"GET / HTTP/1.1\r\nHost: x\r\nX-a: ",
    "body": lambda: b"POST /rpc/handshake HTTP/1.1\r\n" + HEAD + b"Content-Length: 200\r\n\r\n{",
    "large": lambda: b"POST /rpc/command HTTP/1.1\r\n" + HEAD + b'Content-Length: 60000000\r\n\r\n{"client_id":"x"' * 9,
    "form": lambda: b"POST /sign-in/form HTTP/1.1\r\n" + HEAD + b"Content-Length: 60000\r\n\r\nname=",
    "events": lambda: b"GET /events HTTP/1.1\r\n" + HEAD + b"\r\n",
    "page": lambda: b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n",
    "readyz": lambda: b"GET /readyz HTTP/1.1\r\n" + HEAD + b"\r\n",
    "pairing": _handshake,
}
"""What each connection sends; what it is answered is not read for long."""


async def _one(kind: str, hub: tuple[str, int], source: str, end_s: float, seen: Counter[str], *, tls: bool) -> None:
    context = ssl._create_unverified_context() if tls else None  # noqa: S323  the certificate is the hub's own
    while time.monotonic() < end_s:
        try:
            reader, writer = await asyncio.open_connection(*hub, local_addr=(source, 0), ssl=context)
            seen["opened"] += 1
            writer.write(KINDS[kind]())
            with contextlib.suppress(TimeoutError):
                while time.monotonic() < end_s:
                    if not await asyncio.wait_for(reader.read(4096), _PATIENCE_S):
                        break
                    if kind in {"pairing", "page", "readyz"}:
                        writer.write(KINDS[kind]())
            writer.close()
        except OSError as error:
            seen[type(error).__name__] += 1
            await asyncio.sleep(0.1)


async def main(kind: str, host: str, port: str, sources: str, count: str, seconds: str) -> None:
    """Attack; sources: addresses of this machine, with commas between."""
    seen: Counter[str] = Counter()
    addresses, end_s = sources.split(","), time.monotonic() + float(seconds)
    attackers = (
        _one(kind, (host, int(port)), addresses[number % len(addresses)], end_s, seen, tls=port == "4443")
        for number in range(int(count))
    )
    await asyncio.gather(*attackers, return_exceptions=True)
    sys.stdout.write(f"{kind} {dict(seen)}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
