"""Updates really installed, tried and taken back; the test is the firmware that starts one of the two systems."""

import os
import random
import time
from pathlib import Path

import pytest

from hub import __version__
from tests.device import bundles, card
from tests.device.bundles import NEWER, STUCK
from tests.device.conftest import Keys, paired, tell, toml
from tests.device.guest import Guest
from tests.simulator.phone import Phone

CUTS = int(os.environ.get("CUTS", "2"))
_SPAN_S = 120.0
"""To install takes about so long, and so does a start until the trial serves."""
_SHELF = "/run/shelf"
_INSTALL_S = 900
_TRIAL_S = 600
_READY = f"""mkdir -p {_SHELF} /run/proc && mount -o ro /dev/vdb {_SHELF}
cp /proc/cmdline /run/proc && echo 301 >/run/proc/uptime"""
"""Nobody waits five minutes in a test: the hub is told that it has been running for so long."""
_UPDATE = "systemd-run --quiet --setenv=HIKMA_UPDATE_PROC=/run/proc /usr/local/bin/hikma-hub update"
_WRITTEN = "awk '{exit $7 < 200000}' /sys/block/vda/vda3/stat"
"""100 MB of the other system are written."""
_TOLD = "cat /run/hikma-hub-update.json"
_IS_FOUND = f"""{_TOLD} | grep -q '"source":"stick","version":"{NEWER}"'"""
_TAP = """runuser -u hikma-hub -- sh -c "umask 077; cd /run/hikma-hub; echo '{wish}' >wish; mv wish update" """
"""What the page writes, by the user and into the folder that it has: systemd sees it, and grants it in its unit."""
_TRY_AGAIN = "hikma-hub update seal B && hikma-hub update backend set-primary B"
"""What was installed lies there still: after a trial that was cut it is only not started any more."""


@pytest.fixture(scope="module")
def shelf(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001  it skips where there is no image
    """Return a disk with updates on it, of which one is for this hub."""
    return bundles.make_shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def stuck(keys: Keys, tmp_path: Path) -> Path:  # noqa: ARG001  it skips where there is no image
    """Return a stick with an update whose hub never gets ready."""
    return bundles.make_stuck(tmp_path)


def stick(made: Path) -> tuple[str, ...]:
    """Return the devices of a board with this stick in it."""
    drive = f"if=none,id=stick,file={made},format=raw,readonly=on"
    return "-device", "qemu-xhci", "-drive", drive, "-device", "usb-storage,drive=stick"


def tap(board: Guest, wish: str) -> None:
    """Ask for something as the page does."""
    board.ssh(_TAP.format(wish=wish.replace('"', '\\"')))


@pytest.fixture(scope="module")
def updated(losing: Guest, shelf: Path) -> Guest:
    """Return the board whose card loses at a cut what was not flushed, with a disk of updates and all that it runs."""
    losing.cut()
    losing.words = ""
    losing.devices = (
        *("-drive", f"if=none,id=shelf,file={shelf},format=raw,readonly=on"),
        *("-device", "virtio-blk-pci,drive=shelf"),
    )
    losing.power_on()
    losing.ssh(_READY)
    return losing


@pytest.fixture(scope="module")
def phone(updated: Guest) -> Phone:
    return paired(updated, 41)


def push(phone: Phone, name: str) -> str:
    """Enter a patient; returns the id, when the hub has promised to keep it."""
    made = phone.create("patients", {"given_name": name, "surname": "B"})
    outcome = phone.sync()
    assert outcome.ok, outcome.error
    return str(made["id"])


def let_run(board: Guest, *, until_trial: bool) -> str:
    """Let an update go on for a while, from its beginning or from where its trial starts; returns how far it is."""
    if until_trial:
        board.restart(_INSTALL_S)
    time.sleep(span_s := random.uniform(0, _SPAN_S))
    return f"{span_s:.0f} s after {'the start on trial' if until_trial else 'it was begun'}"


def status(board: Guest) -> dict[str, str]:
    found: dict[str, str] = board.hub("update status")
    return found


def test_what_is_not_an_update_for_this_hub_is_refused(updated: Guest) -> None:
    for name, words in (("stranger", "not signed"), ("older", "version 0.0.1"), ("short", "only part")):
        told = updated.ssh(f"hikma-hub update check {_SHELF}/{name}.raucb 2>&1", check=False)
        assert words in told, name
    assert updated.hub(f"update check {_SHELF}/good.raucb")["version"] == NEWER


@pytest.mark.long
def test_an_installation_that_is_cut_leaves_the_hub_as_it_was(updated: Guest, phone: Phone) -> None:
    kept = push(phone, "Before")
    updated.ssh(f"{_UPDATE} install {_SHELF}/good.raucb")
    updated.until(_WRITTEN)
    updated.cut()
    updated.power_on()
    assert status(updated) == {"version": __version__, "last": None, "running": "A", "usual": "A", "next": "A"}
    assert phone.sync().ok
    assert phone.store.find("patients", kept)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_an_update_that_is_cut_at_any_moment_loses_nothing_and_can_be_made_again(updated: Guest, phone: Phone) -> None:
    kept: set[str] = set()
    for cut in range(1, CUTS + 1):
        kept.add(push(phone, f"Before {cut}"))
        updated.until(_READY)
        updated.ssh(f"{_UPDATE} install {_SHELF}/good.raucb")
        far = let_run(updated, until_trial=cut % 2 == 0)
        updated.cut()
        updated.power_on()
        tell(f"cut {cut}: {far}; {updated.lost}; {updated.boot_s:.0f} s")
        found = status(updated)
        assert (found["version"], found["running"], found["usual"], found["next"]) == (__version__, "A", "A", "A")
        assert phone.sync().ok
        other = paired(updated, 50 + cut)
        assert other.sync().ok
        assert kept <= {str(row["id"]) for row in other.store.rows("patients")}


def test_a_trial_that_is_cut_goes_back_and_what_was_pushed_to_it_is_there(updated: Guest, phone: Phone) -> None:
    updated.until(_READY)
    begun = time.monotonic()
    updated.ssh(f"{_UPDATE} install {_SHELF}/good.raucb")
    updated.restart(_INSTALL_S)
    tell(f"an update was checked, installed and restarted into after {time.monotonic() - begun:.0f} s")
    updated.wait_until_ready(_TRIAL_S)
    tell(f"the new system served after {time.monotonic() - begun:.0f} s")
    found = status(updated)
    assert (found["version"], found["running"], found["usual"], found["next"]) == (NEWER, "B", "A", "B")
    assert updated.ssh("cat /etc/hostname").strip() == "nord-sud"
    pushed = push(phone, "Trial")
    updated.cut()

    updated.power_on()
    found = status(updated)
    assert (found["version"], found["running"], found["next"]) == (__version__, "A", "A")
    assert f"version {NEWER} did not start" in found["last"]
    other = paired(updated, 42)
    assert other.sync().ok
    assert other.store.find("patients", pushed)


@pytest.mark.long
def test_an_update_that_proves_itself_is_kept_and_a_person_can_go_back(updated: Guest, phone: Phone) -> None:
    updated.until(_READY)
    if NEWER in str(status(updated)["last"]):  # it was tried before
        updated.ssh(_TRY_AGAIN)
        updated.ssh(f"{_UPDATE} try")
    else:
        updated.ssh(f"{_UPDATE} install {_SHELF}/good.raucb")
    updated.restart(_INSTALL_S)
    updated.wait_until_ready(_TRIAL_S)
    begun = time.monotonic()
    updated.until("! test -e /boot/firmware/tried.txt")
    tell(f"it was kept {time.monotonic() - begun:.0f} s after it was ready")
    pushed = push(phone, "Kept")
    updated.cut()

    updated.power_on()
    found = status(updated)
    assert (found["version"], found["running"], found["usual"], found["next"]) == (NEWER, "B", "B", "B")
    assert NEWER in found["last"]
    assert updated.ssh("systemctl --failed --no-legend --plain").strip() == ""
    updated.ssh("hikma-hub update rollback --yes", check=False)
    updated.restart()
    updated.wait_until_ready(_TRIAL_S)
    assert status(updated)["running"] == "A"
    other = paired(updated, 43)
    assert other.sync().ok
    assert other.store.find("patients", pushed)


@pytest.mark.long
def test_an_update_on_a_stick_is_found_by_itself_and_a_tap_installs_it(keys: Keys, shelf: Path, tmp_path: Path) -> None:
    with Guest(card.flash(tmp_path, "card", toml(keys)), keys.private, devices=stick(shelf)) as board:
        board.until("findmnt --options ro,nosuid,nodev,noexec /media/hikma-hub-update")
        board.until(_IS_FOUND)
        board.until("awk '{exit $1 < 301}' /proc/uptime")
        tap(board, '{"type":"install","source":"stick"}')
        board.until(f"""{_TOLD} | grep -q '"doing":"installing"'""")
        board.restart(_INSTALL_S)
        board.wait_until_ready(_TRIAL_S)
        assert status(board)["version"] == NEWER
        board.until("! test -e /boot/firmware/tried.txt")
        tap(board, '{"type":"back"}')
        board.restart()
        board.wait_until_ready(_TRIAL_S)
        assert status(board)["version"] == __version__
        assert board.ssh("systemctl --failed --no-legend --plain").strip() == ""


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_an_update_whose_hub_never_gets_ready_goes_back_by_itself_and_says_why(
    keys: Keys, stuck: Path, tmp_path: Path
) -> None:
    text = toml(keys).replace('language = "ar"', 'language = "en"')
    with Guest(card.flash(tmp_path, "card", text), keys.private, devices=stick(stuck)) as board:
        board.ssh("hikma-hub pairing open --minutes 240")
        kept = push(phone := paired(board, 1), "Before")
        board.until(f"""{_TOLD} | grep -q '"version":"{STUCK}"'""")
        board.ssh("mkdir -p /run/proc && cp /proc/cmdline /run/proc && echo 301 >/run/proc/uptime")
        board.ssh(f"{_UPDATE} install")
        board.restart(_INSTALL_S)
        begun = time.monotonic()
        board.restart(2 * _TRIAL_S)
        tell(f"a hub that never got ready was given up {time.monotonic() - begun:.0f} s after its start began")
        board.wait_until_ready(_TRIAL_S)
        found = status(board)
        assert (found["version"], found["running"], found["next"]) == (__version__, "A", "A")
        assert f"The update to version {STUCK} was not well." in found["last"]
        assert "The hub did not answer." in found["last"]
        board.until(f"""{_TOLD} | grep -q '"missing":\\["READY"'""")
        assert phone.sync().ok
        assert phone.store.find("patients", kept)
