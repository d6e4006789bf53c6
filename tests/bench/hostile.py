"""What an honest phone meets while strangers attack: ``python -m tests.bench.hostile``, as root.

Prints, for each attack: the phone's syncs (a connection, a handshake, a push and a pull each), the hub's peak of
memory, and whether it was restarted. The hub runs under the limits of its unit where this machine has control groups.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.adversary import strangers
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
    "nothing": (0, 0),
    "idle": (40, 2400),
    "head": (40, 2400),
    "body": (40, 2400),
    "large": (40, 2400),
    "form": (40, 600),
    "events": (40, 600),
    "page": (40, 80),
    "readyz": (40, 80),
    "pairing": (40, 80),
}
"""Addresses and connections of each; what they do is in tests.adversary.flood."""
_SECONDS = 6


def main() -> None:
    """Attack a hub in each way, and print the table."""
    if why := strangers.missing():
        sys.exit(why)
    with strangers.wired() as crowd, tempfile.TemporaryDirectory() as folder:
        _print("attack", "addresses", "connections", "p50 s", "p95 s", "peak MB", "restarts")
        for kind, (addresses, count) in ATTACKS.items():
            if sys.argv[1:] and kind not in sys.argv:
                continue
            with _hub(Path(folder) / kind, crowd.host) as hub:
                if count:
                    crowd.attack(kind, hub.port, addresses=addresses, count=count, seconds=_SECONDS)
                took = _synced(hub)
                crowd.end()
                _row(hub, kind, addresses, count, took)
        with _hub(Path(folder) / "held", "127.0.0.1") as hub:
            sync(hub, "honest")
            with ExitStack() as held:
                for _ in range(20):
                    held.enter_context(unfinished(hub, "honest", 60 * MIB, MIB))
                _row(hub, "20 large bodies with a phone's id", 1, 20, _synced(hub))
        with _hub(Path(folder) / "three", "127.0.0.1") as hub:
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
    _row(hub, "three pushes of 64 MB (pulls beside)", 3, 3, took)


def _synced(hub: ServedHub) -> list[float]:
    _, token = sync(hub, "nurse")
    end, took = time.monotonic() + _SECONDS, []
    while time.monotonic() < end:
        took.append(sync(hub, "nurse", token)[0])
    return took


def _row(hub: ServedHub, kind: str, addresses: int, count: int, took: list[float]) -> None:
    cut = statistics.quantiles(took, n=20, method="inclusive")[-1] if len(took) > 1 else took[0]
    restarts = int(hub._child is None or hub._child.poll() is not None)
    peak = rss_bytes(hub, peak=True) // MIB
    _print(kind, addresses, count, f"{statistics.median(took):.2f}", f"{cut:.2f}", peak, restarts)


def _print(*cells: object) -> None:
    sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _hub(data: Path, host: str) -> Iterator[ServedHub]:
    prepare(data)
    limited = ("prlimit", "--nofile=4096", *processes.HUB)
    hub = ServedHub(data, {"MALLOC_ARENA_MAX": "2"}, host=host, program=limited)
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
