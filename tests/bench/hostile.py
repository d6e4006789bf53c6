"""What an honest phone meets while strangers attack: ``python -m tests.bench.hostile``, as root.

Prints, for each attack: the phone's syncs (a connection, a handshake, a push and a pull each), how long the hub waited
for a core that others had, its peak of memory, and whether it was restarted. It runs under the limits of its unit where
this machine has control groups.
"""

import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.adversary import strangers
from tests.adversary.flood import KINDS, VICTIM
from tests.adversary.insider import Insider
from tests.adversary.test_connections import sync
from tests.adversary.test_large_bodies import unfinished
from tests.adversary.test_memory import PAYLOAD, rss_bytes, sealed_push
from tests.hubs import EMAIL, Client, ServedHub, joined, prepare
from tests.simulator import processes
from tests.simulator.transport import HttpTransport

MIB = 1024 * 1024
MEMORY_MAX = 352 * MIB
"""MemoryMax of hikma-hub.service."""
ATTACKS = {
    "nothing": 0,
    "idle": 2400,
    "head": 2400,
    "heads": 2400,
    "body": 2400,
    "small": 2400,
    "large": 2400,
    "victim": 200,
    "drip": 2400,
    "chunked": 2400,
    "form": 2400,
    "upgrade": 80,
    "events": 600,
    "page": 80,
    "pipeline": 80,
    "unread": 600,
    "readyz": 80,
    "pairing": 80,
    "flush": 80,
    "guess": 80,
    "hello": 2400,
    "tls": 80,
    "together": 60,
}
"""Connections of each kind; what they do is in tests.adversary.flood, and "together" is all of it, and an insider."""
_ADDRESSES = 40
_SECONDS = 12
"""Longer than what any address may do at once lasts."""
_PAUSE_S = 0.15
"""Between two syncs: an address may shake hands so often a minute."""


def main() -> None:
    """Attack a hub in each way, or in those that are named, and print the table."""
    if why := strangers.missing():
        sys.exit(why)
    tls_port = processes.free_port()
    with strangers.wired() as crowd, tempfile.TemporaryDirectory() as folder:
        _print("attack", "connections", "syncs", "p50 s", "p95 s", "waited for a core", "peak MB", "restarts")
        for kind, count in ATTACKS.items():
            if sys.argv[1:] and kind not in sys.argv:
                continue
            with _hub(Path(folder) / kind, crowd.host, tls_port) as hub, ExitStack() as beside:
                if kind == "together":
                    beside.enter_context(Insider(hub))
                kinds = ",".join(KINDS) if kind == "together" else kind
                if count:
                    crowd.attack(
                        kinds, hub.port, tls_port=tls_port, addresses=_ADDRESSES, count=count, seconds=_SECONDS
                    )
                took = _synced(hub)
                sys.stderr.write(crowd.end())
                _row(hub, kind, count * (kinds.count(",") + 1), took)
        if not sys.argv[1:]:
            _of_phones(Path(folder))


def _of_phones(folder: Path) -> None:
    with _hub(folder / "held", "127.0.0.1") as hub:
        sync(hub, "honest")
        with ExitStack() as held:
            for _ in range(20):
                held.enter_context(unfinished(hub, "honest", 60 * MIB, MIB))
            _row(hub, "20 large bodies with a phone's id", 20, _synced(hub))
    with _hub(folder / "three", "127.0.0.1") as hub:
        _three(hub)


def _three(hub: ServedHub) -> None:
    phones = [joined(Client(HttpTransport(hub.url, timeout_s=None), f"phone-{number}"), EMAIL) for number in range(3)]
    bodies = [sealed_push(phone, PAYLOAD).replace(b"@", b"%d" % number) for number, phone in enumerate(phones)]
    with ThreadPoolExecutor(3) as pool:
        sent = [
            pool.submit(phone.transport.post, "/rpc/command", body) for phone, body in zip(phones, bodies, strict=True)
        ]
        took = []
        while not all(each.done() for each in sent):
            started = time.monotonic()
            assert hub.client("other").pull().status == 200
            took.append(time.monotonic() - started)
    assert [each.result()[0] for each in sent] == [200] * 3
    _row(hub, "three pushes of 64 MB (pulls beside)", 3, took)


def _synced(hub: ServedHub) -> list[float]:
    _, token = sync(hub, VICTIM)
    end, took = time.monotonic() + _SECONDS, []
    while time.monotonic() < end:
        took.append(sync(hub, VICTIM, token)[0])
        time.sleep(_PAUSE_S)
    return took


def _row(hub: ServedHub, kind: str, count: int, took: list[float]) -> None:
    cut = statistics.quantiles(took, n=20, method="inclusive")[-1] if len(took) > 1 else took[0]
    restarts = int(hub._child is None or hub._child.poll() is not None)
    peak = rss_bytes(hub, peak=True) // MIB
    waited = f"{_waited(hub.pid):.0%}"
    _print(kind, count, len(took), f"{statistics.median(took):.2f}", f"{cut:.2f}", waited, peak, restarts)


def _waited(pid: int) -> float:
    """Return for how much of its life the hub's event loop could run and had no core: other programs had them.

    Source: proc(5) schedstat, the times on a core and waiting for one.
    """
    loop = max(Path(f"/proc/{pid}/task").glob("*/schedstat"), key=lambda task: int(task.read_text().split()[0]))
    _, waited, _ = map(int, loop.read_text("ascii").split())
    return waited / (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - _started_ns(pid))


def _started_ns(pid: int) -> int:
    ticks = int(Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[19])
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _print(*cells: object) -> None:
    sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _hub(data: Path, host: str, tls_port: int = 0) -> Iterator[ServedHub]:
    prepare(data)
    limited = ("prlimit", "--nofile=4096", *processes.HUB)
    settings = {"MALLOC_ARENA_MAX": "2", "HIKMA_HUB_WEB_HTTPS_PORT": str(tls_port)}
    hub = ServedHub(data, settings, host=host, program=limited)
    hub.start()
    group = (
        Path("/sys/fs/cgroup/memory" if Path("/sys/fs/cgroup/memory").exists() else "/sys/fs/cgroup") / f"hk{hub.pid}"
    )
    try:
        group.mkdir()
        limit = "memory.limit_in_bytes" if "memory" in group.parts else "memory.max"
        (group / limit).write_text(str(MEMORY_MAX))
        (group / "cgroup.procs").write_text(str(hub.pid))
    except OSError as error:
        sys.stderr.write(f"no memory limit here: {error}\n")
    try:
        yield hub
    finally:
        hub.close()
        with contextlib.suppress(OSError):
            group.rmdir()


if __name__ == "__main__":
    main()
