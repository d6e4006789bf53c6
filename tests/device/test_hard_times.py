"""The board without a network, without a right clock, and switched off and on."""

import base64
import io
import tarfile

from tests.device.conftest import EMAIL, PASSWORD, paired
from tests.device.guest import Guest
from tests.outside import PROJECT

_INSIDE = """
import random, sys
from tests.simulator.phone import Phone
from tests.simulator.transport import HttpTransport
phone = Phone(rng=random.Random(77), now_ms=lambda: 1800000000000, connect=lambda _: HttpTransport("http://127.0.0.1:4001"))
phone.pair({"type": "sync_hub", "url": "http://127.0.0.1:4001"})
phone.login(*sys.argv[1:])
phone.create("patients", {"given_name": "In", "surname": "Side"})
print("synced" if phone.sync().ok else "failed")
"""


_ALONE = f"""
ip link set eth0 down
PYTHONPATH=/run /opt/hikma-hub/bin/python3 /run/phone.py {EMAIL} {PASSWORD} >/run/phone.out 2>&1
systemctl is-active hikma-hub >>/run/phone.out
ip link set eth0 up
mv /run/phone.out /run/phone.done
"""


_ON_THE_FAT = """
from pathlib import Path
from hub import files
at = Path("/boot/firmware")
files.replace(at / "moved.txt", [b"x" * 5000], mode=0o700)
files.exchange(at / "changed.txt", [b"old"], mode=0o700)
files.exchange(at / "changed.txt", [b"x" * 5000], mode=0o700)
"""
_TAKEN_AWAY = """
cd /boot/firmware && wc -c <moved.txt && wc -c <changed.txt
mount -o remount,rw . && rm moved.txt changed.txt && mount -o remount,ro .
"""


def _model_phone() -> str:
    """Return the simulator's modules as an archive in base64."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for module in sorted((PROJECT / "tests/simulator").glob("*.py")):
            archive.add(module, module.relative_to(PROJECT))
    return base64.b64encode(packed.getvalue()).decode()


def test_with_the_network_gone_it_still_serves(board: Guest) -> None:
    board.ssh("base64 -d | tar -xz -C /run", stdin=_model_phone())  # it is not on the card
    board.ssh("cat >/run/phone.py", stdin=_INSIDE)
    board.ssh("cat >/run/alone.sh", stdin=_ALONE)
    board.ssh("systemd-run --quiet sh /run/alone.sh")
    told = board.until("cat /run/phone.done")
    assert told.split() == ["synced", "active"]


def test_with_the_clock_at_1970_it_still_serves_also_after_a_restart(board: Guest) -> None:
    phone = paired(board, 3)
    phone.create("patients", {"given_name": "Before", "surname": "Midnight"})
    assert phone.sync().ok
    board.ssh("systemctl stop chrony; date --utc --set @86400 && systemctl restart hikma-hub")
    board.wait_until_ready()
    patient = phone.create("patients", {"given_name": "After", "surname": "Midnight"})
    outcome = phone.sync()
    assert outcome.ok, outcome.error
    other = paired(board, 4)
    assert other.sync().ok
    assert other.store.find("patients", str(patient["id"]))
    assert board.ssh("date +%Y").strip() == "1970"


def test_after_a_power_cut_the_last_known_time_is_taken_up_and_nothing_is_drawn_anew(board: Guest) -> None:
    phone = paired(board, 5)  # when the clock jumps, every timer of the system runs at once
    board.ssh("date --utc --set '2031-05-05 05:05:05' && systemctl start hikma-hub-clock && sync")
    before = board.ssh("cat /run/hikma-hub-firstboot.json")
    board.ssh("mount -o remount,rw /boot/firmware && /opt/hikma-hub/bin/python3 -", stdin=_ON_THE_FAT)
    board.cut()
    board.power_on()
    print(f"\na boot that is not the first: {board.boot_s:.1f} s")  # noqa: T201  a measure for the log
    assert board.ssh("date +%Y-%m").strip() == "2031-05"
    assert board.ssh("cat /sys/class/rtc/rtc0/date").startswith("2031-05"), "a clock chip goes on from there"
    assert board.ssh("cat /run/hikma-hub-firstboot.json") == before
    assert board.ssh(_TAKEN_AWAY).split() == ["5000", "5000"], "what was put on the FAT was waited for"
    assert phone.sync().ok or phone.sync().ok, "neither pairing nor signing in again"
