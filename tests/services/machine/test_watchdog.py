import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.services.machine import watchdog


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(0)
        yield listening


def run(prove: Callable[[], bool], environ: dict[str, str], until: Callable[[], bool], *, serve: bool = True) -> None:
    """Run the watchdog beside a server until ``until``, which is asked after every turn of the loop."""

    async def both() -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        if not serve:
            server.close()
            await server.wait_closed()
        task = asyncio.create_task(watchdog.keep(environ, ("0.0.0.0", port), prove))  # noqa: S104  what the setting says
        async with asyncio.timeout(20):
            while not until():  # noqa: ASYNC110  the condition is the test's own
                await asyncio.sleep(0.005)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        server.close()

    asyncio.run(both())


def said(systemd: socket.socket) -> list[str]:
    words = []
    with contextlib.suppress(BlockingIOError):
        while True:
            words.append(systemd.recv(100).decode())
    return words


def environ(systemd: socket.socket, period_us: int = 30_000) -> dict[str, str]:
    return {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": str(period_us)}


def test_systemd_hears_that_the_hub_is_ready_and_then_of_each_proven_write(systemd: socket.socket) -> None:
    proofs: list[bool] = []

    def prove() -> bool:
        proofs.append(True)
        return True

    run(prove, environ(systemd), lambda: len(proofs) > 3)
    words = said(systemd)
    assert words[0] == "READY=1"
    assert words[1:4] == ["WATCHDOG=1"] * 3


def test_a_write_that_does_not_reach_the_card_does_not_feed_the_watchdog(systemd: socket.socket) -> None:
    tries: list[bool] = []

    def prove() -> bool:
        tries.append(False)
        return False

    run(prove, environ(systemd), lambda: len(tries) > 3)
    assert said(systemd) == ["READY=1"]


def test_a_hub_that_does_not_answer_is_not_ready(systemd: socket.socket) -> None:
    turns = iter(range(50))
    run(lambda: True, environ(systemd), lambda: next(turns, None) is None, serve=False)
    assert said(systemd) == []


def test_without_systemd_nothing_is_written() -> None:
    asyncio.run(watchdog.keep({}, ("127.0.0.1", 9), lambda: pytest.fail("wrote for nobody")))
