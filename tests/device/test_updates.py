"""Updates really installed, tried and taken back; the test is the firmware that starts one of the two systems."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import __version__
from tests.device import card
from tests.device.conftest import Keys, paired, tell, toml
from tests.device.guest import Guest
from tests.outside import PROJECT, run
from tests.simulator.phone import Phone

NEWER = "99.0.0"
_TREE = card.IMAGE.parent / "work/root"
_KEY = card.IMAGE.parent / "update"
_HUB = "opt/hikma-hub/lib/python3.13/site-packages/hub/__init__.py"
_SHELF = "/run/shelf"
_INSTALL_S = 900
_TRIAL_S = 600
_READY = f"""mkdir -p {_SHELF} /run/proc && mount -o ro /dev/vdb {_SHELF}
cp /proc/cmdline /run/proc && echo 301 >/run/proc/uptime"""
"""Nobody waits five minutes in a test: the hub is told that it has been running for so long."""
_UPDATE = "systemd-run --quiet --setenv=HIKMA_UPDATE_PROC=/run/proc /usr/local/bin/hikma-hub update"
_WRITTEN = "awk '{exit $7 < 200000}' /sys/block/vda/vda3/stat"
"""100 MB of the other system are written."""
_TRY_AGAIN = "hikma-hub update seal B && hikma-hub update backend set-primary B"
"""What was installed lies there still: after a trial that was cut it is only not started any more."""


def bundle(root: Path, out: Path, key: Path) -> None:
    done = run(PROJECT / "image/bundle", root, out, key, SQUASH="-comp zstd -Xcompression-level 1")
    assert done.returncode == 0, done.stderr


def tiny(folder: Path, version: str) -> Path:
    """Return a tree that holds nothing but its version: it is refused before anything of it is looked at."""
    (folder / _HUB).parent.mkdir(parents=True)
    (folder / _HUB).write_text(f'__version__ = "{version}"\n')
    return folder


@pytest.fixture(scope="module")
def shelf(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001  it skips where there is no image
    """Return a disk with updates on it: a good one of the image's own tree, whose version is another, and bad ones."""
    folder = tmp_path_factory.mktemp("shelf")
    (stock := folder / "stock").mkdir()
    card.run("cp", "-al", str(_TREE), str(folder / "tree"))
    (named := folder / "tree" / _HUB).unlink()
    named.write_text((_TREE / _HUB).read_text().replace(__version__, NEWER))
    shutil.rmtree(named.with_name("__pycache__"))
    bundle(folder / "tree", stock / "good.raucb", _KEY)
    assert run(PROJECT / "image/update-key", folder / "stranger").returncode == 0
    bundle(tiny(folder / "small", NEWER), stock / "stranger.raucb", folder / "stranger")
    bundle(tiny(folder / "old", "0.0.1"), stock / "older.raucb", _KEY)
    shutil.copy(stock / "good.raucb", stock / "short.raucb")
    os.truncate(stock / "short.raucb", 100_000_000)
    made = folder / "shelf.img"
    with made.open("wb") as file:
        file.truncate(1024**3)
    card.run("mke2fs", "-q", "-t", "ext4", "-d", str(stock), str(made))
    shutil.rmtree(stock)
    return made


@pytest.fixture(scope="module")
def updated(keys: Keys, shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """Return a board with a disk of updates beside its card."""
    text = toml(keys).replace('language = "ar"', 'language = "en"')
    made = card.flash(tmp_path_factory.mktemp("updated"), "card", text)
    disk = ("-drive", f"if=none,id=shelf,file={shelf},format=raw,readonly=on", "-device", "virtio-blk-pci,drive=shelf")
    with Guest(made, keys.private, devices=disk) as board:
        board.ssh("hikma-hub pairing open --minutes 240")
        board.ssh(_READY)
        yield board


@pytest.fixture(scope="module")
def phone(updated: Guest) -> Phone:
    return paired(updated, 1)


def push(phone: Phone, name: str) -> str:
    """Enter a patient; returns the id, when the hub has promised to keep it."""
    made = phone.create("patients", {"given_name": name, "surname": "B"})
    outcome = phone.sync()
    assert outcome.ok, outcome.error
    return str(made["id"])


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
    other = paired(updated, 2)
    assert other.sync().ok
    assert other.store.find("patients", pushed)


@pytest.mark.long
def test_an_update_that_proves_itself_is_kept_and_a_person_can_go_back(updated: Guest, phone: Phone) -> None:
    updated.until(_READY)
    updated.ssh(_TRY_AGAIN)
    updated.ssh(f"{_UPDATE} try")
    updated.restart()
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
    other = paired(updated, 3)
    assert other.sync().ok
    assert other.store.find("patients", pushed)
