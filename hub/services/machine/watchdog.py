"""Tell systemd that the hub is up, and feed its watchdog only after a write that reached the storage.

Source: sd_notify(3) and sd_watchdog_enabled(3). Without systemd it does nothing.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping

import structlog

from hub.core.log_events import LogEvent

_READY_POLL_S = 0.05
_PROOFS_PER_PERIOD = 3
"""One slow write in three does not end the hub."""

log = structlog.get_logger()


async def keep(environ: Mapping[str, str], address: tuple[str, int], prove: Callable[[], bool]) -> None:
    """Say READY when the hub answers at ``address``, then feed the watchdog as long as ``prove`` gives True.

    prove: makes a write and waits for the disk; it may block. Runs until it is cancelled.
    """
    if not environ.get("NOTIFY_SOCKET"):
        return
    await _answering(address)
    notify(environ, "READY=1")
    period_us = int(environ.get("WATCHDOG_USEC", "0"))
    while period_us:
        if await asyncio.to_thread(prove):
            notify(environ, "WATCHDOG=1")
        else:
            log.error(LogEvent.WATCHDOG_NOT_FED, reason="a write did not reach the card")
        await asyncio.sleep(period_us / 1_000_000 / _PROOFS_PER_PERIOD)


def notify(environ: Mapping[str, str], state: str) -> None:
    """Send one state to systemd, if it listens."""
    path = environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect("\0" + path[1:] if path.startswith("@") else path)
        out.send(state.encode())


async def _answering(address: tuple[str, int]) -> None:
    host, port = address
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1" if host == "0.0.0.0" else host, port)  # noqa: S104  compared
        except OSError:
            await asyncio.sleep(_READY_POLL_S)
            continue
        writer.close()
        return
