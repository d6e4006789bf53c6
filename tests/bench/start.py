"""What a start costs: processor until a new hub is ready, and memory when idle, against what imports its libraries."""

import http.client
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.bench.material import MIB
from tests.bench.rows import Row
from tests.image.card import WITHOUT
from tests.simulator import processes

_LIBRARIES = (
    "litestar, granian.server.embed, sqlite_utils, structlog, zeroconf.asyncio, apscheduler.schedulers.background,"
    " cryptography.hazmat.primitives.ciphers.aead"
)
_TIMES = 5
_IDLE_S = 3.0
_FLOOR = "floor: its libraries"


def run() -> Iterator[Row]:
    """Measure starts, the first of which makes the database."""
    with tempfile.TemporaryDirectory() as folder:
        started = [_started(Path(folder)) for _ in range(_TIMES)]
    floors = [_imported() for _ in range(_TIMES)]
    yield Row(
        "start until ready, processor",
        min(cpu for cpu, _ in started),
        floor=min(cpu for cpu, _ in floors),
        limit=2,
        note=_FLOOR,
    )
    yield Row(
        "memory, idle",
        min(rss for _, rss in started),
        unit="MiB",
        floor=min(rss for _, rss in floors),
        limit=1.6,
        note=_FLOOR,
    )


def _started(data: Path) -> tuple[float, float]:
    """Return the processor time until a hub was ready in ms, and its memory a little later in MiB."""
    port = processes.free_port()
    program = (sys.executable, "-P", "-c", f"{WITHOUT}from hub.cli import main; main()")
    words = ("serve", "--data", str(data), "--host", "127.0.0.1", "--port", str(port))
    with subprocess.Popen((*program, *words), stderr=subprocess.DEVNULL, env=processes.environ()) as child:
        process = psutil.Process(child.pid)
        while not _is_ready(port):
            time.sleep(0.01)
        taken = process.cpu_times()
        time.sleep(_IDLE_S)
        rss = process.memory_info().rss
        processes.end(child)
    return (taken.user + taken.system) * 1000, rss / MIB


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _imported() -> tuple[float, float]:
    """Return the processor time in ms, and the memory in MiB, of a program that only imports them."""
    code = (
        f"{WITHOUT}import {_LIBRARIES}; import time; print(time.process_time() * 1000);"
        f" print(int(open('/proc/self/statm').read().split()[1]) * {resource.getpagesize() / MIB})"
    )
    done = subprocess.run((sys.executable, "-P", "-c", code), env=processes.environ(), capture_output=True, check=True)
    cpu, rss = map(float, done.stdout.split())
    return cpu, rss
