"""Pushes with and without a copy on a second medium, against two files that are written and waited for together."""

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hub.app import copying
from tests.bench.material import LeanPhone, events, hub, signed_in
from tests.bench.rows import Row, median_ms, quantiles, times_ms

_SECRET = "four words are enough"
_FEW = 1_000
_WAIT_S = 60.0


def run() -> Iterator[Row]:
    """Measure pushes of 1 and of 10,000 records, first without a copy and then with one."""
    with tempfile.TemporaryDirectory() as folder:
        store, served = hub(Path(folder, "hub"), _FEW)
        phone, stick = signed_in(served, "copied"), Path(folder, "stick")
        stick.mkdir()
        pushes = {1: 40, 10_000: 3}
        alone = {count: _push(phone, count, times, seed=count) for count, times in pushes.items()}
        copying.start(store, stick, _SECRET, hub_name="Bench")
        writer = copying.writer(store, Path(folder, "hub.toml"), hub_name="Bench")
        writer.start()
        _wait(lambda: writer.is_safe)
        for count, times in pushes.items():
            before = _bytes(stick)
            measured = _push(phone, count, times, seed=50_000 + count)
            written = (_bytes(stick) - before) // (times + 1)
            size = len(str(list(events(count, seed=1)))) if count > 1 else 800
            floor = (
                statistics.median(alone[count])
                - _synced(Path(folder), size, media=1)
                + _synced(Path(folder), size, media=2)
            )
            note = f"{_told(measured)} with, {_told(alone[count])} without; {written:,} bytes to the stick"
            what = f"push of {count:,} with a copy, against without and a second file"
            yield Row(what, statistics.median(measured), floor=floor, note=note)
        writer.close()
        store.close()


def _told(taken: list[float]) -> str:
    p50, _, p99 = quantiles(taken)
    return f"p50 {p50:,.1f} and p99 {p99:,.1f} ms"


def _push(phone: LeanPhone, count: int, times: int, *, seed: int) -> list[float]:
    seeds, body = iter(range(seed, seed + 1000)), [b""]

    def ask() -> None:
        rows = list(events(count, seed=next(seeds)))
        body[0] = phone.body("command", "sync_push", {"changes": {"events": {"created": rows}}})

    return times_ms(lambda: phone._post("/rpc/command", body[0]), times=times, before=ask)


def _synced(folder: Path, size: int, *, media: int) -> float:
    """Return how long it takes to append so much to some files at once and wait for all."""
    paths = [folder / f"raw-{number}" for number in range(media)]

    def append(path: Path) -> None:
        with path.open("ab") as file:
            file.write(os.urandom(size))
            file.flush()
            os.fdatasync(file.fileno())

    def both() -> None:
        threads = [threading.Thread(target=partial(append, path)) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return median_ms(both, times=15)


def _wait(is_true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + _WAIT_S
    while not is_true():
        if time.monotonic() > end_s:
            raise TimeoutError
        time.sleep(0.01)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("journal-*"))
