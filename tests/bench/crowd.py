"""Many phones at once on a real hub process, and what that process takes of memory, processor and time to start.

PHONES says how many, 50 without it; MORNING, how many more come one after the other, eight at a time.
"""

import http.client
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.bench.material import LeanPhone, events, hub
from tests.bench.rows import Row, quantiles
from tests.outside import PROJECT
from tests.simulator import processes

_RECORDS = 100_000
_PHONES = int(os.environ.get("PHONES", "50"))
_MORNING = int(os.environ.get("MORNING", "0"))
_ABREAST = 8
_PHONES_OF_A_CLINIC = 100
_SITE = PROJECT / "ansible/roles/server/files/hub.toml"
_ONE_ADDRESS = {"HIKMA_HUB_LIMITS_HANDSHAKES_PER_MINUTE": "100000"}
"""All phones of the benchmark come from one."""
_UP = 20
_PORT = 4901
_BIG_PUSH = 10_000
_MEMORY_MB = 256


def run() -> Iterator[Row]:
    """Measure start, a crowd, a large push, and the peak through all of it."""
    with tempfile.TemporaryDirectory() as folder:
        store, _ = hub(Path(folder), _RECORDS)
        store.close()
        started = time.perf_counter()
        with _serving(Path(folder)) as process:
            ready_ms = (time.perf_counter() - started) * 1000
            yield Row("start until ready", ready_ms, note=f"{_RECORDS:,} records, quick check")
            phones = [LeanPhone(_poster(), f"phone-{number}") for number in range(_PHONES)]
            for phone in phones:
                phone.handshake()
                phone.login()
            times, failed, why = _all_at_once(phones)
            p50, p95, p99 = quantiles(times)
            yield Row(f"{_PHONES} phones at once: sync of 20 up, 4 MB down, p50", p50, note=f"{failed} failures {why}")
            yield Row(f"{_PHONES} phones at once: p95", p95)
            yield Row(f"{_PHONES} phones at once: p99", p99)
            yield Row(f"{_PHONES} phones at once: failures", failed, unit="", limit=0)
            cpu = process.cpu_times()
            yield Row("processor so far", cpu.user + cpu.system, unit="s")
            if _MORNING:
                yield from _morning()
            phones[0]._post = _poster()
            _push_many(phones[0])
            yield Row("memory, peak through all of it", _peak_mib(process.pid), unit="MiB", limit=_MEMORY_MB)


@contextmanager
def _serving(folder: Path) -> Iterator[psutil.Process]:
    where = ["--data", str(folder), "--host", "127.0.0.1", "--port", str(_PORT)]
    command = [*processes.HUB, "serve", *where]
    environ = processes.environ(_ONE_ADDRESS)
    if _PHONES + _MORNING > _PHONES_OF_A_CLINIC:
        command += ["--config", str(_SITE)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environ) as process:
        try:
            _wait_ready(process)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


def _wait_ready(process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        try:
            _request("GET", "/readyz", None, http.client.HTTPConnection("127.0.0.1", _PORT))
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError("the hub did not start")


def _poster() -> Callable[[str, bytes], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", _PORT, timeout=120)
    return lambda path, body: _request("POST", path, body, connection)


def _request(method: str, path: str, body: bytes | None, connection: http.client.HTTPConnection) -> bytes:
    connection.request(method, path, body, {"Content-Type": "application/json"})
    with connection.getresponse() as answer:
        content = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise ConnectionError(answer.status, content[:200])
    return content


def _all_at_once(phones: list[LeanPhone]) -> tuple[list[float], int, str]:
    times: list[float] = []
    failures: list[Exception] = []
    gate = threading.Barrier(len(phones))

    def sync(number: int, phone: LeanPhone) -> None:
        rows = list(events(_UP, seed=90_000 + number))
        phone._post = _poster()  # the hub closed the one of its sign-in meanwhile
        gate.wait()
        started = time.perf_counter()
        try:
            phone.handshake()
            # The page is not opened here: fifty phones' work on two cores would be measured, not the hub's.
            phone._post("/rpc/query", phone.body("query", "sync_pull", {"lastPulledAt": 0}))
            phone.call("command", "sync_push", {"changes": {"events": {"created": rows}}})
        except (OSError, http.client.HTTPException) as error:
            failures.append(error)
        times.append((time.perf_counter() - started) * 1000)

    threads = [threading.Thread(target=sync, args=entry) for entry in enumerate(phones)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, len(failures), str(failures[0])[:100] if failures else ""


def _morning() -> Iterator[Row]:
    """Let phones come one after the other, which are new, bring 20 records and take the newest 4 MB."""
    started, times, failures = time.perf_counter(), [], 0
    with ThreadPoolExecutor(_ABREAST) as pool:
        for took_ms in pool.map(_visit, range(_MORNING)):
            times.append(took_ms or 0)
            failures += took_ms is None
    p50, p95, _ = quantiles(times)
    note = f"{failures} failures, {time.perf_counter() - started:.0f} s in all"
    yield Row(f"{_MORNING} new phones, {_ABREAST} abreast: sign-in and sync, p50", p50, note=note)
    yield Row(f"{_MORNING} new phones: p95", p95)


def _visit(number: int) -> float | None:
    """Sign in and sync; returns how many ms that took, None where it failed."""
    phone = LeanPhone(_poster(), f"morning-{number}")
    rows = list(events(_UP, seed=200_000 + number))
    started = time.perf_counter()
    try:
        phone.handshake()
        phone.login()
        phone._post("/rpc/query", phone.body("query", "sync_pull", {"lastPulledAt": 0}))
        phone.call("command", "sync_push", {"changes": {"events": {"created": rows}}})
    except (OSError, http.client.HTTPException):
        return None
    return (time.perf_counter() - started) * 1000


def _push_many(phone: LeanPhone) -> None:
    phone.handshake()
    phone.call("command", "sync_push", {"changes": {"events": {"created": list(events(_BIG_PUSH, seed=99_999))}}})


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
