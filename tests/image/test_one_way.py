"""A card of Raspberry Pi OS is set up by hikma-hub.toml alone, and opened by the technician's key alone."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.image import raspios
from tests.outside import PROJECT, run, tool

STEPS = PROJECT / "image/steps"
_NOWHERE = Path("/dev/null")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="the image is made by root, who mounts the base"),
]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tree of the stand-in, as it comes out of its image."""
    for program in ("sfdisk", "mkfs.vfat", "mcopy", "mke2fs", "jq"):
        tool(program, "image/prerequisites")
    folder = tmp_path_factory.mktemp("raspios")
    base = raspios.make(folder)
    sum_ = hashlib.sha256(base.read_bytes()).hexdigest()
    done = run(STEPS / "10-raspios", base, folder / "root", BASE_SHA256=sum_)
    assert done.returncode == 0, done.stderr
    return folder / "root"


@pytest.fixture
def sealed(taken: Path, tmp_path: Path) -> Path:
    shutil.copytree(taken, tmp_path / "root", symlinks=True)
    done = run(STEPS / "12-one-way", tmp_path / "root")
    assert done.returncode == 0, done.stderr
    return tmp_path / "root"


def test_nobody_can_sign_in_whom_the_hub_did_not_make(sealed: Path) -> None:
    for file in ("passwd", "shadow", "group", "gshadow", "subuid", "subgid"):
        assert "pi" not in (sealed / "etc" / file).read_text().replace(":", " ").replace(",", " ").split(), file
    assert (sealed / "etc/group").read_text().splitlines() == [
        "root:x:0:",
        "adm:x:4:",
        "sudo:x:27:",
        "plugdev:x:46:syslog,rpi",
        "gpio:x:986:",
    ]
    assert not (sealed / "home/pi").exists()
    assert not list(sealed.glob("etc/systemd/system/getty@*/*"))
    assert {path.name for path in (sealed / "etc/sudoers.d").iterdir()} == {"README", "010_global-tty"}


def test_nothing_but_the_hub_sets_up_the_card(sealed: Path) -> None:
    enabled = {path.stem for path in sealed.glob("etc/systemd/system/*.wants/*")}
    assert enabled == set(raspios.OWN)
    for unit in raspios.UNITS:
        assert (sealed / f"etc/systemd/system/{unit}.service").readlink() == _NOWHERE, unit
    assert (sealed / "etc/systemd/user/rpi-connect.service").readlink() == _NOWHERE
    assert (sealed / "etc/cloud/cloud-init.disabled").exists()
    boot = {path.name for path in (sealed / "boot/firmware").iterdir()}
    assert boot == {"config.txt", "cmdline.txt", "issue.txt", "kernel8.img"}
    assert not [path for path in sealed.rglob("*firstboot*") if path.is_file()]


def test_the_kernel_is_told_nothing_that_sets_up_the_card(sealed: Path) -> None:
    words = (sealed / "boot/firmware/cmdline.txt").read_text()
    assert words == (
        "console=serial0,115200 console=tty1 root=LABEL=hikma-root-A rootfstype=ext4 fsck.repair=yes rootwait"
        " cfg80211.ieee80211_regdom=GB\n"
    )
    assert "MODULES=most" in (sealed / "etc/initramfs-tools/initramfs.conf").read_text()


def test_doing_it_twice_changes_nothing(sealed: Path) -> None:
    before = _listed(sealed)
    assert run(STEPS / "12-one-way", sealed).returncode == 0
    assert _listed(sealed) == before


@pytest.mark.parametrize("name", ["technician", "nobody"])
def test_the_technician_and_what_is_no_person_stay(taken: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(taken, tmp_path / "root", symlinks=True)
    with (tmp_path / "root/etc/passwd").open("a") as passwd:
        passwd.write("technician:x:1001:1001::/home/technician:/bin/bash\n")
    assert run(STEPS / "12-one-way", tmp_path / "root").returncode == 0
    assert f"\n{name}:x:" in (tmp_path / "root/etc/passwd").read_text()


def _listed(root: Path) -> dict[str, bytes | Path]:
    return {
        str(path.relative_to(root)): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
