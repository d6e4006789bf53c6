"""Ends connections of whoever holds too many: the server itself takes what comes, from anywhere, until it is full (S8).

Source: proc(5) /proc/net/tcp; a socket's inode leads to its descriptor, and shutting that down ends the connection.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path

import structlog

from hub.core import crowd
from hub.core.crowd import Connection
from hub.core.log_events import LogEvent

_EVERY_S = 0.25
_TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")
_ESTABLISHED = "01"
log = structlog.get_logger()


class Connections:
    """The connections to some ports of this process. ``known`` gives the addresses from which phones were heard."""

    def __init__(self, ports: Collection[int], known: Callable[[], Collection[str]]) -> None:
        self._ports = ports
        self._known = known
        self._nums: dict[int, int] = {}
        """By inode: a number that rises; of those that came between two looks nobody knows which came first."""
        self._last = 0

    async def keep(self) -> None:
        """Look after them until cancelled, in a thread of its own."""
        with ThreadPoolExecutor(1, thread_name_prefix="connections") as pool:
            while True:
                ended = await asyncio.get_running_loop().run_in_executor(pool, self.look)
                if ended:
                    log.info(LogEvent.CONNECTIONS_ENDED, count=ended)
                await asyncio.sleep(_EVERY_S)

    def look(self) -> int:
        """End what is too much; returns how many."""
        there = dict(_established(self._ports))
        self._nums = {inode: self._nums.get(inode) or self._next() for inode in there}
        local = {inode for inode, address in there.items() if ip_address(address).is_loopback}
        held = {self._nums[inode]: inode for inode in there if inode not in local}
        connections = [Connection(num, there[inode]) for num, inode in held.items()]
        too_many = crowd.ending(connections, self._known())
        if too_many:
            _shut_down({held[one.num] for one in too_many})
        return len(too_many)

    def _next(self) -> int:
        self._last += 1
        return self._last


def _established(ports: Collection[int]) -> Iterator[tuple[int, str]]:
    """Yield inode and far address of each connection to these ports that was accepted."""
    for table in _TABLES:
        with contextlib.suppress(OSError):  # a kernel without IPv6
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                _, local, remote, state, *_, inode = line.split()[:10]
                if state == _ESTABLISHED and int(local.split(":")[1], 16) in ports and inode != "0":
                    yield int(inode), _address(remote.split(":")[0])


def _address(text: str) -> str:
    """Read an address as the kernel writes it: words of four bytes in the byte order of the machine."""
    raw = b"".join(bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8))
    found = ip_address(raw)
    return str(getattr(found, "ipv4_mapped", None) or found)


def _shut_down(inodes: Collection[int]) -> None:
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError, ValueError):  # others open and close meanwhile
            if _inode(entry) not in inodes:
                continue
            with socket.fromfd(int(entry.name), socket.AF_INET, socket.SOCK_STREAM) as ours:
                if _inode(entry.with_name(str(ours.fileno()))) in inodes:  # the number may stand for another one by now
                    ours.shutdown(socket.SHUT_RDWR)


def _inode(descriptor: Path) -> int:
    return int(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
