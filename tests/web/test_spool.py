"""Large bodies lie on disk while they come (S10)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Request

from hub.core.errors import Unavailable
from hub.web import body, spool
from hub.web.spool import Buffer, Spool

MIB = 1024 * 1024
STEP_BYTES = 32 * 1024
"""Times a thousand connections it is a tenth of the memory that the hub may have."""


async def admit(_: bytes) -> None:
    """Let anybody send more than a stranger."""


@asynccontextmanager
async def sent(kept: Spool, content: bytes, piece_bytes: int, address: str = "a") -> AsyncIterator[Buffer]:
    """Send a body in such pieces."""
    events = [
        {"type": "http.request", "body": content[at : at + piece_bytes], "more_body": True}
        for at in range(0, len(content), piece_bytes)
    ] + [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:  # noqa: ANN401  an event of ASGI
        return events.pop(0)

    handler = SimpleNamespace(resolve_request_max_body_size=lambda: None)
    scope: Any = {"type": "http", "method": "POST", "headers": [], "path": "/", "route_handler": handler}
    request: Request[Any, Any, Any] = Request(scope, receive)
    async with kept.receive(request, 64 * MIB, admit, bytearray(), address) as raw:
        yield raw


@given(st.integers(0, 400_000), st.sampled_from([700, 8 * 1024, 65_536, 300_000]))
def test_a_body_arrives_as_it_was_sent_whatever_its_pieces(tmp_path_factory: Any, size: int, piece_bytes: int) -> None:  # noqa: ANN401
    content = bytes(number % 251 for number in range(size))

    async def received() -> bytes:
        async with sent(kept, content, piece_bytes) as raw:
            assert isinstance(raw, bytearray) is (size <= body.SMALL_BYTES)
            return bytes(raw)

    with closing(Spool(tmp_path_factory.getbasetemp(), 64 * MIB)) as kept:
        assert asyncio.run(received()) == content
        assert not kept._taken


def test_no_more_than_a_step_of_a_body_is_in_memory_while_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, write = list[int](), spool._write

    def noted(file: IO[bytes], piece: bytearray) -> None:
        steps.append(len(piece))
        write(file, piece)

    monkeypatch.setattr(spool, "_write", noted)

    async def receive() -> None:
        async with sent(kept, bytes(MIB), 8 * 1024):
            assert sum(steps) == MIB

    with closing(Spool(tmp_path, 64 * MIB)) as kept:
        asyncio.run(receive())
    assert max(steps) <= STEP_BYTES


def test_one_address_leaves_others_as_much_room_as_it_has_and_gives_back_what_it_took(tmp_path: Path) -> None:
    async def receive() -> None:
        async with sent(kept, bytes(MIB), 65_536):
            with pytest.raises(Unavailable, match="too many large messages"):
                async with sent(kept, bytes(MIB), 65_536):
                    """Not reached."""
            async with sent(kept, bytes(MIB), 65_536, "b") as raw:
                assert len(raw) == MIB

    with closing(Spool(tmp_path, 3 * MIB)) as kept:
        asyncio.run(receive())
        assert not kept._taken
    assert not list(tmp_path.iterdir())
