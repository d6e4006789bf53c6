"""What ``hikma-hub doctor`` looks at beside the database: card, supply, radio, clock and encryption of the box."""

import hashlib
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from os import cpu_count
from pathlib import Path

from hub.core import clock
from hub.core.status.card import CardShape
from hub.core.status.facts import HOT_C
from hub.firstboot.report import REPORT, first_boot
from hub.services.machine import card, measures

Check = tuple[str, str, str]
"""Name, result, detail."""

PASS, FAIL, UNKNOWN = "pass", "fail", "not measured"
_WRITE_MB_S_MIN = 5.0
"""What an SD card of class 10 promises is 10; half of it, for the encryption takes its share on a Pi 3."""
_COMMIT_MS_MAX = 120.0
_LOAD_S = 5.0
_PHONES_MIN = 8


def checks(data: Path, *, capacity: bool = False) -> Iterator[Check]:
    """Return the checks of the box, one after the other; ``capacity`` tries the whole card, which takes long."""
    yield _card_speed(data)
    if capacity:
        yield _card_capacity(data)
    yield _card_errors()
    yield from _under_load()
    yield _radio(_iw())
    yield _clock(data)
    yield _shape(Path(REPORT))
    yield _encryption(Path(REPORT))


def _card_speed(data: Path) -> Check:
    found = card.speed(data)
    fit = found.write_mb_s >= _WRITE_MB_S_MIN and found.commit_ms <= _COMMIT_MS_MAX
    return "card speed", PASS if fit else FAIL, f"{found.write_mb_s:.1f} MB/s, {found.commit_ms:.0f} ms until safe"


def _card_capacity(data: Path) -> Check:
    wrong = card.wrong_blocks(data)
    return (
        "card capacity",
        FAIL if wrong else PASS,
        f"{wrong} MB were read back wrong" if wrong else "all of it is usable",
    )


def _card_errors() -> Check:
    found = card.errors()
    if found is None:
        return "card errors", UNKNOWN, "this file system does not count them"
    return "card errors", FAIL if found else PASS, f"{found} since the file system was created"


def _under_load() -> Iterator[Check]:
    """Let all cores work for some seconds: a weak supply and a box without air show themselves then."""
    stop = threading.Event()
    workers = [threading.Thread(target=_work, args=(stop,)) for _ in range(cpu_count() or 1)]
    for worker in workers:
        worker.start()
    weak = None
    until = time.monotonic() + _LOAD_S
    while time.monotonic() < until:
        seen = measures.power_weak()
        weak = seen if weak is None else weak or seen
        stop.wait(0.2)
    temperature = measures.temperature_c()
    stop.set()
    for worker in workers:
        worker.join()
    if weak is None:
        yield "supply under load", UNKNOWN, "this board does not report it"
    else:
        yield "supply under load", FAIL if weak else PASS, "the voltage drops" if weak else "the voltage is stable"
    if temperature is None:
        yield "temperature under load", UNKNOWN, "this board does not report it"
    else:
        yield "temperature under load", FAIL if temperature >= HOT_C else PASS, f"{temperature:.0f} °C"


def _work(stop: threading.Event) -> None:
    """Keep a core busy, outside Python's lock."""
    block = bytes(1024 * 1024)
    while not stop.is_set():
        hashlib.sha256(block)


def _iw() -> str:
    """Ask the radio what it can; "" where there is no radio or no iw."""
    try:
        return subprocess.run(["/usr/sbin/iw", "list"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _radio(printed: str) -> Check:
    """Read ``iw list``: whether it can be an access point, and for how many phones."""
    if not printed.strip():
        return "radio", UNKNOWN, "no Wi-Fi in this device; phones need the clinic's own network"
    if not re.search(r"^\s+\* AP$", printed, re.MULTILINE):
        return "radio", FAIL, "it cannot be an access point"
    most = re.search(r"[Mm]aximum associated stations in AP mode: (\d+)", printed)
    if most is None:
        return "radio", PASS, "it can be an access point; it does not report for how many phones (about ten on a Pi)"
    return "radio", PASS if int(most[1]) >= _PHONES_MIN else FAIL, f"as an access point it takes {most[1]} phones"


def _clock(data: Path) -> Check:
    wall_ms = measures.measure(data).clock_ms
    known_ms = int(max((path.stat().st_mtime for path in data.glob("hub.db*")), default=0) * 1000)
    wrong = clock.is_wrong(wall_ms=wall_ms, hub_ms=known_ms)
    return "clock", FAIL if wrong else PASS, time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(wall_ms / 1000))


def _shape(path: Path) -> Check:
    report = first_boot(path)
    if report.card is CardShape.SOUND:
        return "data partition", PASS, "sound when the hub started"
    return "data partition", FAIL, f"{_SHAPES[report.card]} ({report.card_why})"


_SHAPES = {
    CardShape.MENDED: "mended by a full check at the start; replace the card",
    CardShape.FAILED: "it takes nothing in; what is on it is read, and what is written now is lost. Replace the card",
    CardShape.PARTLY: "a part of the hub's data cannot be read, and the rest is given; image/GUIDE.md page 2",
    CardShape.GONE: "the hub's data cannot be found on it; image/GUIDE.md page 2",
}


def _encryption(path: Path) -> Check:
    report = first_boot(path)
    if not report.key_place:
        return "encryption", FAIL, "this storage is not encrypted (not set up by first boot)"
    return "encryption", PASS, f"the key is {report.key_place}. {report.key_protects}"
