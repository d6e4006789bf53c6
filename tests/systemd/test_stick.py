import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.services.update.places import Places
from hub.settings import Settings
from tests.outside import PROJECT, run, tool

SCRIPT = PROJECT / "ansible/roles/storage/files/hikma-hub-stick"
RULES = PROJECT / "ansible/roles/storage/files/hikma-hub-stick.rules"
USER, UID = "nobody", 65534
MAKE = {"ext4": ("mkfs.ext4", "-q", "-F"), "vfat": ("mkfs.vfat",)}

Plugged = Callable[[str, Path | None], Path]


def script(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return run("/bin/sh", SCRIPT, *words)


@pytest.fixture
def where(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "where"
    folder.mkdir()
    yield folder
    run("umount", "--lazy", folder)


@pytest.fixture
def update(tmp_path: Path) -> Iterator[Path]:
    (folder := tmp_path / "update").mkdir()
    yield folder
    run("umount", "--lazy", folder)


@pytest.fixture
def plugged(tmp_path: Path, where: Path) -> Iterator[Plugged]:
    """Return what makes a file system with the files of a folder, and its device."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    devices: list[str] = []

    def make(kind: str, files: Path | None = None) -> Path:
        image = tmp_path / f"{len(devices)}.img"
        with image.open("wb") as file:
            file.truncate(16 * 1024 * 1024)
        done = run(tool(MAKE[kind][0], kind), *MAKE[kind][1:], *(("-d", files) if files else ()), image)
        assert done.returncode == 0, done.stderr
        done = run(tool("losetup", "apt install mount"), "--find", "--show", image)
        if done.returncode != 0:
            pytest.skip(f"no loop device: {done.stderr}")
        devices.append(done.stdout.strip())
        return Path(devices[-1])

    yield make
    run("umount", "--lazy", where)
    for device in devices:
        run("losetup", "--detach", device)


@pytest.mark.parametrize("kind", MAKE)
def test_a_stick_is_mounted_for_the_hubs_user_and_for_nothing_else(
    kind: str, plugged: Plugged, where: Path, update: Path
) -> None:
    device = plugged(kind, None)
    assert script("fits", device).returncode == 0
    done = script("mount", device, where, update, USER)
    if "unknown filesystem type" in done.stderr:
        pytest.skip(f"this kernel has no {kind}")
    assert done.returncode == 0, done.stderr
    assert {"rw", "nosuid", "nodev", "noexec", "nosymfollow"} <= options(where)
    folder = where / "hikma-hub-copy" if kind == "ext4" else where
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (UID, 0o700)
    assert not update.is_mount()
    assert script("leave", device).returncode == 0
    assert not where.is_mount()


def options(where: Path) -> set[str]:
    return set(run("findmnt", "--noheadings", "--output", "OPTIONS", where).stdout.strip().split(","))


def test_a_stick_with_an_update_is_mounted_read_only_beside_that_of_the_copy(
    plugged: Plugged, where: Path, update: Path, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/hikma-hub.raucb").write_text("bundle")
    copy, device = plugged("ext4", None), plugged("ext4", tmp_path / "files")
    assert script("mount", copy, where, update, USER).returncode == 0
    done = script("mount", device, where, update, USER)
    assert done.returncode == 0, done.stderr
    assert {"ro", "nosuid", "nodev", "noexec", "nosymfollow"} <= options(update)
    assert (update / "hikma-hub.raucb").read_text() == "bundle"
    assert where.is_mount()
    assert script("leave", device).returncode == 0
    assert (where.is_mount(), update.is_mount()) == (True, False)


def test_a_stick_with_an_update_beside_the_copy_is_that_of_the_copy(
    plugged: Plugged, where: Path, update: Path, tmp_path: Path
) -> None:
    (tmp_path / "files/hikma-hub-copy").mkdir(parents=True)
    (tmp_path / "files/hikma-hub.raucb").write_text("bundle")
    assert script("mount", plugged("ext4", tmp_path / "files"), where, update, USER).returncode == 0
    assert "rw" in options(where)
    assert not update.is_mount()


def test_while_one_stick_is_mounted_no_other_is_mounted_there(plugged: Plugged, where: Path, update: Path) -> None:
    first, second = plugged("ext4", None), plugged("ext4", None)
    assert script("mount", first, where, update, USER).returncode == 0
    assert script("mount", second, where, update, USER).returncode != 0
    assert script("fits", first).returncode != 0, "its disk is in use"
    assert script("fits", second).returncode == 0


def test_a_link_on_a_stick_leads_nowhere(plugged: Plugged, where: Path, update: Path, tmp_path: Path) -> None:
    (bait := tmp_path / "bait").mkdir()
    (files := tmp_path / "files").mkdir()
    (files / "hikma-hub-copy").symlink_to(bait)
    (files / "update.raucb").symlink_to(SCRIPT)
    assert script("mount", plugged("ext4", files), where, update, USER).returncode != 0
    assert bait.stat().st_uid == os.geteuid()
    assert not where.is_mount()
    assert not update.is_mount()


@pytest.mark.parametrize("update_on_it", [True, False])
def test_a_damaged_stick_that_asks_for_the_kernels_end_is_not_granted_it(
    plugged: Plugged, where: Path, update: Path, tmp_path: Path, *, update_on_it: bool
) -> None:
    (tmp_path / "files").mkdir()
    if update_on_it:
        (tmp_path / "files/hikma-hub.raucb").write_text("bundle")
    device = plugged("ext4", tmp_path / "files")
    assert run(tool("tune2fs", "apt install e2fsprogs"), "-e", "panic", device).returncode == 0
    assert script("mount", device, where, update, USER).returncode == 0
    assert "errors=remount-ro" in options(update if update_on_it else where)


def test_what_an_earlier_box_wrote_belongs_to_this_one(
    plugged: Plugged, where: Path, update: Path, tmp_path: Path
) -> None:
    (tmp_path / "files/hikma-hub-copy/one").mkdir(parents=True)
    assert script("mount", plugged("ext4", tmp_path / "files"), where, update, USER).returncode == 0
    assert (where / "hikma-hub-copy/one").stat().st_uid == UID


def test_an_unknown_file_system_is_left_alone(plugged: Plugged, where: Path, update: Path) -> None:
    device = plugged("ext4", None)
    device.write_bytes(bytes(8192))
    done = script("mount", device, where, update, USER)
    assert done.returncode != 0
    assert not where.is_mount()


def test_the_rule_takes_usb_sticks_alone() -> None:
    text = RULES.read_text("utf-8")
    for line in (
        'ENV{ID_BUS}!="usb"',
        'ENV{ID_FS_TYPE}!="vfat|exfat|ext4"',
        'ENV{ID_FS_LABEL}=="HIKMA-*|hikma-*"',
    ):
        assert f'\n{line}, GOTO="hikma_hub_stick_end"\n' in text
    assert 'ENV{SYSTEMD_WANTS}+="hikma-hub-stick@%k.service"' in text


def test_nothing_waits_for_a_stick() -> None:
    for unit in (PROJECT / "systemd").glob("hikma-hub*"):
        assert "hikma-hub-stick@" not in "".join(
            line for line in unit.read_text("utf-8").splitlines() if not line.startswith("#")
        ), unit.name
    text = (PROJECT / "systemd/hikma-hub-stick@.service").read_text("utf-8")
    assert "Before=" not in text
    assert "[Install]" not in text


def test_the_hub_may_write_where_sticks_are_mounted_and_starts_without() -> None:
    assert Path(Settings().copy.folder).parent == Path("/media")
    update, copy = Places().sticks
    assert copy == Path(Settings().copy.folder)
    assert f"ExecStart=/bin/sh /usr/local/lib/hikma-hub-stick mount /dev/%I {copy} {update} hikma-hub" in (
        PROJECT / "systemd/hikma-hub-stick@.service"
    ).read_text("utf-8")
    assert "\nReadWritePaths=-/media\n" in (PROJECT / "systemd/hikma-hub.service").read_text("utf-8")
