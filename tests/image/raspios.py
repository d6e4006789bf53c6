"""A stand-in of Raspberry Pi OS Lite: partitions, account, services and seeds as pi-gen lays them out (June 2026).

``make`` has the layout alone, for what can be seen in a tree. ``python -m tests.image.raspios OUT.img``, as root, has
it on Debian's own packages, kernel among them, so that all of the image can be built of it and started.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.outside import PROJECT

_STEPS = PROJECT / "image/steps"
_PACKAGES = Path(__file__).with_suffix(".packages")
_MIB = 1024**2
_FAT_AT = 8
_USER = "pi"
_GROUPS = ("adm", "sudo", "plugdev", "netdev", "gpio")
UNITS = (
    "userconfig",
    "sshswitch",
    "regenerate_ssh_host_keys",
    "rpi-resize",
    "rpi-eeprom-update",
    "rpi-usb-gadget",
    "cloud-init-local",
    "cloud-init-main",
    "cloud-init-network",
    "cloud-config",
    "cloud-final",
)
OWN = ("NetworkManager", "systemd-timesyncd")
"""Enabled there too, and no way in."""
RAN = "raspios ran"
"""What the kernel's log says when one of the programs below was started."""
_PROGRAM = f'#!/bin/sh\necho "{RAN}: $0" >/dev/kmsg\n'
_IN_INITRAMFS = f'#!/bin/sh\n[ "$1" != prereqs ] || exit 0\necho "{RAN}: $0" >/dev/kmsg\n'
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
    "etc/shadow": "root:*:20000:0:99999:7:::\n",
    "etc/group": "root:x:0:\nadm:x:4:\nsudo:x:27:\nplugdev:x:46:syslog,rpi\ngpio:x:986:\n",
    "etc/gshadow": "root:*::\nsudo:*::\nplugdev:!::syslog,rpi\n",
    "etc/subuid": "",
    "etc/subgid": "",
}
_LINES = {
    "etc/passwd": f"{_USER}:x:1000:1000:,,,:/home/{_USER}:/bin/bash\n",
    "etc/shadow": f"{_USER}:$y$j9T$x:20000:0:99999:7:::\n",
    "etc/group": f"{_USER}:x:1000:\n",
    "etc/gshadow": f"{_USER}:!::\n",
    "etc/subuid": f"{_USER}:100000:65536\n",
    "etc/subgid": f"{_USER}:100000:65536\n",
}
FILES = {
    "etc/rpi-issue": "A stand-in of Raspberry Pi OS Lite, for tests\n",
    "etc/hostname": "raspberrypi\n",
    "etc/machine-id": "uninitialized\n",
    "etc/resolv.conf": "nameserver 192.0.2.1\n",
    "etc/fstab": "proc /proc proc defaults 0 0\nPARTUUID=5e3da3da-01 /boot/firmware vfat defaults 0 2\n"
    "PARTUUID=5e3da3da-02 / ext4 defaults,noatime 0 1\n",
    "etc/sudoers.d/README": "#\n",
    "etc/sudoers.d/010_pi-nopasswd": f"{_USER} ALL=(ALL) NOPASSWD: ALL\n",
    "etc/sudoers.d/010_global-tty": "Defaults !tty_tickets\n",
    "etc/systemd/system/getty@tty1.service.d/autologin.conf": "[Service]\nExecStart=\n"
    f"ExecStart=-/sbin/agetty --autologin {_USER} --noclear %I $TERM\n",
    "etc/initramfs-tools/update-initramfs.conf": "update_initramfs=yes\nbackup_initramfs=no\n",
    "etc/modprobe.d/rfkill_default.conf": "options rfkill default_state=0\n",
    "etc/xdg/autostart/piwiz.desktop": "[Desktop Entry]\n",
    "home/pi/.bashrc": "#\n",
    "usr/lib/systemd/user/rpi-connect.service": "[Service]\nExecStart=/usr/bin/rpi-connectd\n",
    "var/lib/NetworkManager/NetworkManager.state": "[main]\nWirelessEnabled=false\n",
}
PROGRAMS = {
    **{f"usr/bin/{unit}": _PROGRAM for unit in UNITS},
    "usr/lib/raspberrypi-sys-mods/firstboot": _PROGRAM,
    "usr/lib/raspberrypi-sys-mods/imager_custom": _PROGRAM,
    "usr/lib/userconf-pi/userconf-service": _PROGRAM,
    "usr/share/initramfs-tools/scripts/local-premount/firstboot": _IN_INITRAMFS,
    "usr/share/initramfs-tools/scripts/local-bottom/imager_fixup": _IN_INITRAMFS,
}
_CLOUD_INIT = {
    "etc/cloud/cloud.cfg": "datasource_list: [NoCloud, None]\n",
    "usr/lib/systemd/system-generators/cloud-init-generator": _PROGRAM,
}
"""Debian's package has its own."""
CONFIG = """dtparam=audio=on
camera_auto_detect=1
display_auto_detect=1
auto_initramfs=1
dtoverlay=vc4-kms-v3d
max_framebuffers=2
disable_fw_kms_setup=1
arm_64bit=1
disable_overscan=1
arm_boost=1
[cm4]
otg_mode=1
[cm5]
dtoverlay=dwc2,dr_mode=host
[pi5]
dtoverlay=nospi10
[all]
"""
BOOT = {
    "config.txt": CONFIG,
    "cmdline.txt": "console=serial0,115200 console=tty1 root=PARTUUID=5e3da3da-02 rootfstype=ext4 fsck.repair=yes"
    " rootwait resize ds=nocloud;i=rpi-imager-1 cfg80211.ieee80211_regdom=GB\n",
    "issue.txt": FILES["etc/rpi-issue"],
    "user-data": "#cloud-config\nusers: [{name: robot, sudo: 'ALL=(ALL) NOPASSWD:ALL'}]\n",
    "meta-data": "instance_id: rpi\n",
    "network-config": "network: {}\n",
    "ssh": "",
    "userconf.txt": "eve:$6$x\n",
}
_COPIES = """#!/bin/sh
cp "$2" /boot/firmware/initramfs8
"""
"""As Raspberry Pi's raspi-firmware does for the kernel of the boards up to the Pi 4; Debian's writes config.txt too."""
_SOURCES = """Types: deb
URIs: http://deb.debian.org/debian/
Suites: trixie trixie-updates
Components: main contrib non-free non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp

Types: deb
URIs: http://deb.debian.org/debian-security/
Suites: trixie-security
Components: main contrib non-free non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp
"""


def make(folder: Path) -> Path:
    """Make an image of the layout alone; returns the file."""
    tree = folder / "tree"
    _write(tree, ACCOUNTS)
    _write(tree, _CLOUD_INIT)
    _write(tree, {"etc/initramfs-tools/initramfs.conf": "MODULES=dep\nBUSYBOX=auto\n"})
    _write(tree / "boot/firmware", {"kernel8.img": "kernel"})
    dress(tree)
    return pack(tree, folder / "raspios.img", fat_mib=40)


def build(out: Path) -> None:
    """Make an image that starts, and the file with its checksum. Of Debian's packages, once a week."""
    recipe = (_PACKAGES, PROJECT / "image/debian.packages", _STEPS / "10-base", PROJECT / "image/native-tools")
    made_of = hashlib.sha256(b"".join(path.read_bytes() for path in recipe)).hexdigest()[:12]
    base = out.with_name(f"raspios-{made_of}-{datetime.now(UTC):%G-%V}.tar")
    out.parent.mkdir(parents=True, exist_ok=True)
    if not base.exists():
        part = base.with_suffix(".part.tar")
        names = [line for line in _PACKAGES.read_text().splitlines() if not line.startswith("#")]
        _run(_STEPS / "10-base", part, *names, INITRAMFS="no")
        part.rename(base)
    tree = out.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    _run("tar", "-C", tree, "-xf", base)
    _as_raspberry_pi_names_it(tree)
    dress(tree)
    pack(tree, out, fat_mib=512)
    shutil.rmtree(tree)
    out.with_name(f"{out.name}.sha256").write_text(f"{hashlib.sha256(out.read_bytes()).hexdigest()}  {out.name}\n")


def dress(tree: Path) -> None:
    """Give a tree what Raspberry Pi OS has beside Debian's packages."""
    for name, line in _LINES.items():
        _append(tree / name, line)
    for name in ("etc/group", "etc/gshadow"):
        lines = (tree / name).read_text().splitlines(keepends=True)
        (tree / name).write_text("".join(map(_with_user, lines)))
    _write(tree, FILES)
    _write(tree, PROGRAMS, mode=0o755)
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    for unit in (*UNITS, *OWN):
        service = f"usr/lib/systemd/system/{unit}.service"
        if not (tree / service).exists():
            _write(tree, {service: f"[Service]\nExecStart=/usr/bin/{unit}\n"})
        (wants / f"{unit}.service").unlink(missing_ok=True)
        (wants / f"{unit}.service").symlink_to(f"/{service}")
    _write(tree / "boot/firmware", BOOT)


def pack(tree: Path, image: Path, fat_mib: int) -> Path:
    """Make an image of a tree; returns the file. Its boot partition is what lies in boot/firmware, which ends empty."""
    boot, fat, root = tree / "boot/firmware", image.with_suffix(".fat"), image.with_suffix(".ext4")
    _sized(fat, fat_mib)
    _run("mkfs.vfat", "-F", "32", "-n", "bootfs", fat)
    _run("mcopy", "-s", "-Q", "-i", fat, *boot.iterdir(), "::")
    shutil.rmtree(boot)
    boot.mkdir()
    used = int(_run("du", "-sm", "--apparent-size", tree).split()[0])
    root_mib = used * 6 // 5 + 48
    _sized(root, root_mib)
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "rootfs", "-E", "root_owner=0:0", "-d", tree, root)
    _sized(image, _FAT_AT + fat_mib + root_mib)
    layout = f"label: dos\n{_FAT_AT}MiB,{fat_mib}MiB,c\n{_FAT_AT + fat_mib}MiB,{root_mib}MiB,83\n"
    _run("sfdisk", "--quiet", image, given=layout)
    for part, at in ((fat, _FAT_AT), (root, _FAT_AT + fat_mib)):
        _run("dd", f"if={part}", f"of={image}", "bs=1M", f"seek={at}", "conv=notrunc,sparse", "status=none")
        part.unlink()
    return image


def _as_raspberry_pi_names_it(tree: Path) -> None:
    """Name Debian's kernel as the firmware looks for it, with no script that says otherwise, and apt's sources."""
    boot = tree / "boot/firmware"
    shutil.copy(next(tree.glob("boot/vmlinuz-*")), boot / "kernel8.img")
    for board in tree.glob("usr/lib/linux-image-*/broadcom/*.dtb"):
        shutil.copy(board, boot)
    for hook in tree.glob("etc/*/*/z50-raspi-firmware"):
        hook.unlink()
    _write(tree, {"etc/initramfs/post-update.d/z50-raspi-firmware": _COPIES}, mode=0o755)
    _write(tree, {"etc/apt/sources.list": "", "etc/apt/sources.list.d/debian.sources": _SOURCES})
    _append(tree / "etc/group", "gpio:x:986:\n")
    _append(tree / "etc/gshadow", "gpio:!::\n")


def _with_user(line: str) -> str:
    """A line of /etc/group or gshadow with the user among its members, if the user is in that group."""
    name, *between, members = line.rstrip("\n").split(":")
    if name not in _GROUPS:
        return line
    first, *others = [*members.split(","), ""]
    joined = ",".join(filter(None, (first, _USER, *others)))
    return ":".join((name, *between, joined)) + "\n"


def _write(folder: Path, files: dict[str, str], mode: int = 0o644) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(mode)


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def _sized(path: Path, mib: int) -> None:
    path.unlink(missing_ok=True)
    path.touch()
    os.truncate(path, mib * _MIB)


def _run(*words: str | Path, given: str = "", **environ: str) -> str:
    told = [str(word) for word in words]
    done = subprocess.run(
        told, input=given, stdout=subprocess.PIPE, env={**os.environ, **environ}, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    build(Path(sys.argv[1]))
