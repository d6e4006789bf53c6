"""An update as the image makes it, installed by a real RAUC over a file that stands for the partition."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core.update.slots import Slot
from hub.services.update import boot_partition
from tests.firmware import started
from tests.outside import PROJECT, run, tool
from tests.updates import TwoSystems

pytestmark = pytest.mark.slow

TREE = {
    "etc/fstab": "LABEL=hikma-root / ext4 ro 0 1\nLABEL=HIKMA-BOOT /boot/firmware vfat ro 0 2\n",
    "etc/hostname": "hikma-hub\n",
    "etc/machine-id": "",
    "etc/hikma-hub/README": "of the image\n",
    "opt/hikma-hub/program": "new\n",
    "opt/hikma-hub/lib/python3.13/site-packages/hub/__init__.py": '__version__ = "99.0.0"\n',
    "boot/firmware/config.txt": "kernel=vmlinuz-2\ninitramfs initrd-2\n",
    "boot/firmware/cmdline.txt": "console=tty0 root=LABEL=hikma-root ro quiet \n",
    "boot/firmware/vmlinuz-2": "kernel",
    "boot/firmware/initrd-2": "initramfs",
    "boot/firmware/overlays/vc4.dtbo": "overlay",
    "boot/firmware/start4.elf": "firmware",
    "boot/firmware/bcm2711.dtb": "d" * 40_000,
}
OLD = {
    "etc/hostname": "north-clinic\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/hikma-hub/data.key": "secret",
    "etc/hikma-hub/hub": "id\n",
    "etc/ssh/hub/ssh_host_ed25519_key": "key",
}


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def box(tmp_path: Path) -> Iterator[TwoSystems]:
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    made = TwoSystems(tmp_path / "box", compatible="hikma-hub-debian", slot_mib=256)
    made.root.mkdir()
    made.prepare()
    key = plant(made.root / "old", OLD) / "etc/hikma-hub/data.key"
    key.chmod(0o600)
    (made.root / "old/etc/localtime").symlink_to("/usr/share/zoneinfo/Africa/Kampala")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def bundle(tmp_path: Path, box: TwoSystems) -> Path:
    tool("rauc", "apt install rauc squashfs-tools")
    made = tmp_path / "update.raucb"
    key = box.root / "update"
    done = run(PROJECT / "image/bundle", plant(tmp_path / "tree", TREE), made, key, FORMAT="plain")
    assert done.returncode == 0, done.stderr
    return made


def mounted(image: Path, to: Path) -> Path:
    """Copy what is in a file system; without mounting it, so that nothing stays behind."""
    to.mkdir()
    assert run("debugfs", "-R", f"rdump / {to}", image).returncode == 0
    return to


def test_an_update_becomes_this_hubs_and_starts_from_its_own_folder(
    box: TwoSystems, bundle: Path, tmp_path: Path
) -> None:
    done = box.hub("install", bundle)
    assert done.refused == "", (box.root / "log").read_text()
    boot = {path.relative_to(box.boot).as_posix(): path.read_bytes() for path in box.boot.rglob("*") if path.is_file()}
    assert (started(boot), started(boot, tryboot=True)) == ("slot-A", "slot-B")
    assert boot["slot-B/cmdline.txt"] == b"console=tty0 root=LABEL=hikma-root-B ro quiet panic=10 rauc.slot=B\n"
    assert {"slot-B/overlays/README", "slot-B/overlays/vc4.dtbo", "slot-B/initrd-2"} <= boot.keys()
    assert "slot-B/start4.elf" not in boot
    assert boot_partition.is_whole(box.boot, Slot.B, thoroughly=True)

    new = mounted(box.root / "b.img", tmp_path / "new")
    assert {name: (new / name).read_text() for name in OLD} == OLD
    assert (new / "etc/hikma-hub/data.key").stat().st_mode & 0o777 == 0o600
    assert str((new / "etc/localtime").readlink()) == "/usr/share/zoneinfo/Africa/Kampala"
    assert (new / "opt/hikma-hub/program").read_text() == "new\n"
    assert (new / "etc/fstab").read_text() == TREE["etc/fstab"].replace("hikma-root", "hikma-root-B")
    assert box.restarts == ["reboot --reboot-argument=0 tryboot"]


def test_an_update_for_which_the_boot_partition_has_no_room_leaves_the_hub_as_it_is(
    box: TwoSystems, bundle: Path
) -> None:
    full = run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", box.boot)
    if full.returncode != 0:
        pytest.skip("no file system in memory")
    try:
        for name in ("config.txt", "slot-A/config.txt"):
            plant(box.boot, {name: "kernel=vmlinuz-1\n[all]\nos_prefix=slot-A/\n"})
        plant(box.boot, {"slot-A/cmdline.txt": "rauc.slot=A", "slot-A/vmlinuz-1": "k", "other": "x" * 30_000})
        boot_partition.seal(box.boot, Slot.A)
        done = box.hub("install", "--older", bundle)
        assert "could not be installed" in done.refused
        assert "No space left on device" in (box.root / "log").read_text()
        boot = {name: (box.boot / name).read_bytes() for name in ("config.txt", "slot-A/vmlinuz-1")}
        assert started(boot) == "slot-A"
        assert boot_partition.read(box.boot).on_trial is None
        assert boot_partition.is_whole(box.boot, Slot.A, thoroughly=True)
        assert box.restarts == []
    finally:
        run("umount", box.boot)


def test_a_key_is_not_drawn_over_another(tmp_path: Path) -> None:
    draw = PROJECT / "image/update-key"
    assert run(draw, "key", cwd=tmp_path).returncode == 0
    key = (tmp_path / "key.key.pem").read_bytes()
    assert (tmp_path / "key.key.pem").stat().st_mode & 0o777 == 0o600
    assert "there already" in run(draw, "key", cwd=tmp_path).stderr
    assert (tmp_path / "key.key.pem").read_bytes() == key


def test_the_hook_is_clean() -> None:
    done = run(tool("shellcheck", "apt install shellcheck"), PROJECT / "image/bundle-hook")
    assert done.returncode == 0, done.stdout


def test_an_update_for_an_address_has_the_index_of_its_blocks(tmp_path: Path, box: TwoSystems) -> None:
    made = tmp_path / "delta.raucb"
    done = run(PROJECT / "image/bundle", plant(tmp_path / "tree", TREE), made, box.root / "update", DELTA="yes")
    assert done.returncode == 0, done.stderr
    listed = run(tool("unsquashfs", "apt install squashfs-tools"), "-l", made)
    assert "rootfs.img.block-hash-index" in listed.stdout, listed.stderr
