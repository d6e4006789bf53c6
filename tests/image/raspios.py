"""A stand-in of Raspberry Pi OS Lite: partitions, account, services and seeds as pi-gen lays them out (June 2026).

Without the programs: what sets up a card by itself, and who can sign in, is seen in the tree.
"""

import os
import subprocess
from pathlib import Path

_MIB = 1024**2
_FAT_AT, _FAT_MIB, _ROOT_MIB = 8, 40, 48
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
FILES = {
    "etc/rpi-issue": "Raspberry Pi reference 2026-06-18\nGenerated using pi-gen, stage2\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n"
    "pi:x:1000:1000:,,,:/home/pi:/bin/bash\n",
    "etc/shadow": "root:*:20000:0:99999:7:::\npi:$y$j9T$x:20000:0:99999:7:::\n",
    "etc/group": "root:x:0:\nadm:x:4:pi\nsudo:x:27:pi\nplugdev:x:46:syslog,pi,rpi\npi:x:1000:\ngpio:x:986:pi\n",
    "etc/gshadow": "root:*::\nsudo:*::pi\nplugdev:!::syslog,pi,rpi\npi:!::\n",
    "etc/subuid": "pi:100000:65536\n",
    "etc/subgid": "pi:100000:65536\n",
    "etc/sudoers.d/README": "#\n",
    "etc/sudoers.d/010_pi-nopasswd": "pi ALL=(ALL) NOPASSWD: ALL\n",
    "etc/sudoers.d/010_global-tty": "Defaults !tty_tickets\n",
    "etc/systemd/system/getty@tty1.service.d/autologin.conf": "[Service]\nExecStart=\n"
    "ExecStart=-/sbin/agetty --autologin pi --noclear %I $TERM\n",
    "etc/initramfs-tools/initramfs.conf": "MODULES=dep\nBUSYBOX=auto\n",
    "etc/cloud/cloud.cfg": "datasource_list: [NoCloud, None]\n",
    "etc/xdg/autostart/piwiz.desktop": "[Desktop Entry]\n",
    "home/pi/.bashrc": "#\n",
    "usr/lib/raspberrypi-sys-mods/firstboot": "#!/bin/bash\n",
    "usr/lib/raspberrypi-sys-mods/imager_custom": "#!/bin/sh\n",
    "usr/lib/userconf-pi/userconf-service": "#!/bin/sh\n",
    "usr/lib/systemd/system-generators/cloud-init-generator": "#!/bin/sh\n",
    "usr/lib/systemd/user/rpi-connect.service": "[Service]\nExecStart=/usr/bin/rpi-connectd\n",
    "usr/share/initramfs-tools/scripts/local-premount/firstboot": "#!/bin/sh\n",
    "usr/share/initramfs-tools/scripts/local-bottom/imager_fixup": "#!/bin/sh\n",
}
BOOT = {
    "config.txt": "auto_initramfs=1\narm_64bit=1\n[all]\n",
    "cmdline.txt": "console=serial0,115200 console=tty1 root=PARTUUID=5e3da3da-02 rootfstype=ext4 fsck.repair=yes"
    " rootwait resize ds=nocloud;i=rpi-imager-1 cfg80211.ieee80211_regdom=GB\n",
    "kernel8.img": "kernel",
    "user-data": "#cloud-config\nusers: [{name: robot, sudo: 'ALL=(ALL) NOPASSWD:ALL'}]\n",
    "meta-data": "instance_id: rpi\n",
    "network-config": "network: {}\n",
    "ssh": "",
    "userconf.txt": "eve:$6$x\n",
}


def make(folder: Path) -> Path:
    """Make the image of it; returns the file."""
    tree = folder / "tree"
    _write(tree, FILES)
    for unit in (*UNITS, *OWN):
        _write(tree, {f"usr/lib/systemd/system/{unit}.service": f"[Service]\nExecStart=/usr/bin/{unit}\n"})
        wants = tree / "etc/systemd/system/multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        (wants / f"{unit}.service").symlink_to(f"/usr/lib/systemd/system/{unit}.service")
    boot = folder / "boot"
    _write(boot, BOOT)
    (tree / "boot/firmware").mkdir(parents=True)
    image, fat, root = folder / "raspios.img", folder / "fat", folder / "root.ext4"
    _sized(fat, _FAT_MIB)
    _run("mkfs.vfat", "-n", "bootfs", fat)
    _run("mcopy", "-i", fat, *boot.iterdir(), "::")
    _sized(root, _ROOT_MIB)
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "rootfs", "-E", "root_owner=0:0", "-d", tree, root)
    _sized(image, _FAT_AT + _FAT_MIB + _ROOT_MIB)
    layout = f"label: dos\n{_FAT_AT}MiB,{_FAT_MIB}MiB,c\n{_FAT_AT + _FAT_MIB}MiB,{_ROOT_MIB}MiB,83\n"
    _run("sfdisk", "--quiet", image, given=layout)
    for part, at in ((fat, _FAT_AT), (root, _FAT_AT + _FAT_MIB)):
        with image.open("r+b") as file:
            file.seek(at * _MIB)
            file.write(part.read_bytes())
    return image


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _sized(path: Path, mib: int) -> None:
    path.touch()
    os.truncate(path, mib * _MIB)


def _run(*words: str | Path, given: str = "") -> None:
    subprocess.run([str(word) for word in words], input=given.encode(), check=True, capture_output=True)
