"""A line between two network namespaces that is slow and loses packets: two TUN devices and what lies between them.

Each way carries so many bits a second, keeps a short queue and loses packets by chance, so that the kernel's own TCP
has to fight for every byte. The far end is reached at 127.0.0.1, the only address to which the hub speaks without
encryption: the near namespace has no loopback device of its own and routes that address into the line.
"""

import contextlib
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TUN = Path("/dev/net/tun")
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
"""linux/if_tun.h."""
_PACKET_BYTES = 2048
_NEAR, _FAR = "10.99.0.1", "10.99.0.2"


@dataclass
class Way:
    """One way of the line, and what it counts in bytes of IP packets."""

    sink: int
    sent: int = 0
    """What was given to it."""
    lost: int = 0
    """Of that, what it dropped by chance or for want of room."""
    queue: list[tuple[float, int, bytes]] = field(default_factory=list)
    free_s: float = 0.0


class LossyLine:
    """The line; ``near`` and ``far`` are the names of its namespaces.

    bits_per_s: of each way.
    loss: share of packets that get lost, 0 to 1.
    delay_s: how long a packet travels, beside waiting its turn.
    queue_s: a packet that would wait its turn longer is dropped.
    """

    def __init__(self, *, bits_per_s: int, loss: float, delay_s: float = 0.1, queue_s: float = 3.0) -> None:
        self.near, self.far = (f"hikma{os.getpid()}-{end}" for end in ("near", "far"))
        self._rate = bits_per_s / 8
        self._loss = loss
        self._delay_s = delay_s
        self._queue_s = queue_s
        self._rng = random.Random(1)
        self._ends = (_tun("hikma-near"), _tun("hikma-far"))
        self.up, self.down = Way(self._ends[1]), Way(self._ends[0])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def open(self) -> None:
        """Make the namespaces and begin to carry."""
        for end, name, own, other in (
            ("hikma-near", self.near, _NEAR, _FAR),
            ("hikma-far", self.far, _FAR, _NEAR),
        ):
            _run("ip", "netns", "add", name)
            _run("ip", "link", "set", end, "netns", name)
            _run("ip", "-n", name, "address", "add", own, "peer", other, "dev", end)
            _run("ip", "-n", name, "link", "set", end, "up")
            _run("ip", "netns", "exec", name, "sysctl", "-qw", f"net.ipv4.conf.{end}.route_localnet=1")
        _run("ip", "-n", self.far, "link", "set", "lo", "up")
        _run("ip", "-n", self.near, "route", "add", "127.0.0.1", "dev", "hikma-near", "src", _NEAR)
        self._thread.start()

    def close(self) -> None:
        """End it, and remove the namespaces with whatever is in them."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        for end in self._ends:
            os.close(end)
        for name in (self.near, self.far):
            with contextlib.suppress(subprocess.CalledProcessError):
                _run("ip", "netns", "delete", name)

    def _carry(self) -> None:
        ways = {self._ends[0]: self.up, self._ends[1]: self.down}
        while not self._over.is_set():
            due = [way.queue[0][0] for way in ways.values() if way.queue]
            wait_s = min(max(0.0, min(due, default=1.0) - time.monotonic()), 0.1)
            readable, _, _ = select.select(list(ways), [], [], wait_s)
            now_s = time.monotonic()
            for end in readable:
                self._take(ways[end], os.read(end, _PACKET_BYTES), now_s)
            for way in ways.values():
                while way.queue and way.queue[0][0] <= now_s:
                    with contextlib.suppress(OSError):
                        os.write(way.sink, heapq.heappop(way.queue)[2])

    def _take(self, way: Way, packet: bytes, now_s: float) -> None:
        way.sent += len(packet)
        if way.free_s > now_s + self._queue_s or self._rng.random() < self._loss:
            way.lost += len(packet)
            return
        way.free_s = max(way.free_s, now_s) + len(packet) / self._rate
        heapq.heappush(way.queue, (way.free_s + self._delay_s, way.sent, packet))


@contextlib.contextmanager
def lossy_line(*, bits_per_s: int, loss: float) -> Iterator[LossyLine]:
    """Open a line, and take everything away at the end."""
    line = LossyLine(bits_per_s=bits_per_s, loss=loss)
    try:
        line.open()
        yield line
    finally:
        line.close()


def missing() -> str:
    """Say why there can be no such line on this machine; nothing if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None or shutil.which("sysctl") is None:
        return "apt install iproute2 procps"
    try:
        name = f"hub-try{os.getpid()}"  # tests that run beside each other try too
        os.close(_tun(name))
        _run("ip", "netns", "add", name)
        _run("ip", "netns", "delete", name)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"this machine gives no TUN device or network namespace: {error}"
    return ""


def _tun(name: str) -> int:
    """Make a TUN device, which lives as long as its descriptor; raises OSError."""
    descriptor = os.open(_TUN, os.O_RDWR)
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=20)
