"""Pushes with and without a copy on a second medium, on two hubs that are alike, in turns.

The floor is the same push without a copy, to which writing and waiting for a second file beside the first adds what it
adds: what a copy would cost if it cost nothing but its medium. Both media are on one disk here, so the two waits share
it; a stick has its own.
"""

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

from hub.app import copying
from tests.bench.material import LeanPhone, events, hub, signed_in
from tests.bench.rows import Row, median_ms, quantiles, times_ms

_SECRET = "four words are enough"
_RECORDS = 10_000
_WAIT_S = 60.0
_PUSHES = {1: 100, 10_000: 7}
_LIMIT = 1.3
_seeds = count(1_000)


def run() -> Iterator[Row]:
    """Measure pushes of 1 and of 10,000 records, in turns without a copy and with one."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        plain, served = hub(folder / "plain", _RECORDS)
        store, copied = hub(folder / "copied", _RECORDS)
        phones = signed_in(served, "plain"), signed_in(copied, "copied")
        stick = folder / "stick"
        stick.mkdir()
        copying.start(store, stick, _SECRET, hub_name="Bench")
        writer = copying.writer(store, folder / "hub.toml", hub_name="Bench")
        writer.start()
        _wait(lambda: writer.is_safe)
        for records, times in _PUSHES.items():
            before = _bytes(stick)
            alone, both = _in_turns(phones, records, times)
            written = (_bytes(stick) - before) // (times + 1)
            yield from _rows(folder, records, alone, both, written)
        writer.close()
        store.close()
        plain.close()


def _rows(folder: Path, records: int, alone: list[float], both: list[float], written: int) -> Iterator[Row]:
    size = max(written, 1)
    second = _synced(folder, size, media=2) - _synced(folder, size, media=1)
    without = statistics.median(alone)
    note = f"{_told(both)} with, {_told(alone)} without; {written:,} bytes and 1 fdatasync to the stick"
    what = f"push of {records:,} with a copy"
    measured = statistics.median(both)
    yield Row(f"{what}, against without, and a second file", measured, floor=without + second, limit=_LIMIT, note=note)
    yield Row(f"{what}, against without", measured, floor=without)


def _told(taken: list[float]) -> str:
    p50, _, p99 = quantiles(taken)
    return f"p50 {p50:,.1f} and p99 {p99:,.1f} ms"


def _in_turns(phones: tuple[LeanPhone, LeanPhone], records: int, times: int) -> tuple[list[float], list[float]]:
    """Push the same to both hubs, one after the other; the first time of each is not counted."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(times + 1):
        rows = list(events(records, seed=next(_seeds)))
        for phone, own in zip(phones, taken, strict=True):
            body = phone.body("command", "sync_push", {"changes": {"events": {"created": rows}}})
            own.extend(times_ms(partial(phone._post, "/rpc/command", body), times=1))
    return taken[0][1:], taken[1][1:]


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
