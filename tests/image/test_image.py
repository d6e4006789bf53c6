import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.core.update import slots
from hub.core.update.slots import Slot
from hub.firstboot.card import SYSTEM_BYTES
from hub.services.update import boot_partition
from tests.firmware import started
from tests.outside import PROJECT, run, tool

pytestmark = pytest.mark.slow

IMAGE = PROJECT / "image"
MORE = (IMAGE / "prerequisites", PROJECT / ".ci/run", PROJECT / "tests/device/build_gpio_sim")
MAKERS = [IMAGE / name for name in ("build", "bundle", "lib.sh", "release", "update-key")]
SCRIPTS = sorted([*MAKERS, *(IMAGE / "steps").iterdir(), *MORE])
COMMANDS = {"sfdisk", "mkfs.vfat", "mcopy", "mke2fs", "xz", "bmaptool", "mksquashfs"}
HIDDEN = {"arch-test", "qemu-user", "qemu-user-binfmt", "ca-certificates", "systemd"}
"""Asked for by no step: of mmdebstrap for another architecture, of apt over TLS, and of the playbook's tests."""
REQUIRED = {
    "name": str,
    "description": str,
    "icon": str,
    "url": str,
    "extract_size": int,
    "extract_sha256": str,
    "image_download_size": int,
    "release_date": str,
}
"""What Raspberry Pi Imager asks of an entry: doc/json-schema/os-list-schema.json of its repository."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_clean(script: Path) -> None:
    done = run(tool("shellcheck", "apt install shellcheck"), "--external-sources", script)
    assert done.returncode == 0, done.stdout
    assert script.name == "lib.sh" or "set -euo pipefail" in script.read_text("utf-8")


def test_the_prerequisites_are_whole() -> None:
    """A clean Debian 12 had no arch-test, and mmdebstrap failed with a misleading word about tar.

    Tried whole in fresh chroots of Debian 12 and 13: 2026-11-29.
    """
    asked = (IMAGE / "prerequisites").read_text("utf-8")
    listed = set(re.findall(r"[a-z][a-z0-9-]+", asked.partition("packages=(")[2].partition("release=()")[0]))
    needs = [
        word
        for script in SCRIPTS[:-1]
        for word in re.findall(r"^ *need (.+)$", script.read_text("utf-8"), re.MULTILINE)
    ]
    packages = {name for line in needs for name in line.replace('"', " ").split()[1:] if name not in COMMANDS}
    assert packages | HIDDEN <= listed


@pytest.fixture
def listed(tmp_path: Path) -> dict[str, Any]:
    return entries(tmp_path, "raspios")


def entries(tmp_path: Path, base: str) -> dict[str, Any]:
    image = tmp_path / "hub.img.xz"
    image.write_bytes(bytes(1234))
    words = (image, "--url", "https://example.org/hub.img.xz", "--extract-size", "99", "--extract-sha256", "ab" * 32)
    done = run(sys.executable, IMAGE / "manifest.py", *words, "--date", "2026-11-20", "--base", base)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_imagers_list_is_as_its_schema_asks(listed: dict[str, Any]) -> None:
    assert set(listed) == {"os_list"}
    (entry,) = listed["os_list"]
    for name, kind in REQUIRED.items():
        assert isinstance(entry[name], kind), name
    assert entry["image_download_size"] == 1234
    assert entry["extract_size"] == 99


def test_the_imager_is_not_told_to_write_settings_that_a_hub_does_not_read(listed: dict[str, Any]) -> None:
    assert listed["os_list"][0]["init_format"] == "none"


def test_an_image_of_debian_is_offered_for_no_board_that_its_kernel_cannot_start(tmp_path: Path) -> None:
    """Debian's kernel has neither MMC_SDHCI_BRCMSTB nor RP1 (Pi 5), and its cma=64M is said to keep a Pi 4 from it."""
    (entry,) = entries(tmp_path, "debian")["os_list"]
    assert entry["devices"] == ["pi3-64bit"]
    assert "for tests" in entry["name"]


def test_the_bill_names_what_is_installed_and_nothing_else(tmp_path: Path) -> None:
    status = tmp_path / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text(
        "Package: a\nStatus: install ok installed\nVersion: 1:2+b\nArchitecture: arm64\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n"
    )
    info = tmp_path / "opt/hikma-hub/lib/python3.13/site-packages/x.dist-info/METADATA"
    info.parent.mkdir(parents=True)
    info.write_text("Metadata-Version: 2.1\nName: Some_Thing\nVersion: 3\n")
    bill = json.loads(run(sys.executable, IMAGE / "bill.py", tmp_path, SOURCE_DATE_EPOCH="1700000000").stdout)
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert [component["purl"] for component in bill["components"]] == [
        "pkg:deb/debian/a@1%3A2%2Bb?arch=arm64&distro=debian-13",
        "pkg:pypi/some-thing@3",
    ]


def test_a_base_image_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    for program in ("sfdisk", "mcopy", "xz", "jq"):
        tool(program, "apt install fdisk mtools xz-utils jq")
    base = tmp_path / "raspios.img"
    base.write_bytes(b"not it")
    done = run(IMAGE / "steps/10-raspios", base, tmp_path / "root", BASE_SHA256="00" * 32)
    assert done.returncode != 0
    assert "wrong SHA-256" in done.stderr
    done = run(IMAGE / "steps/10-raspios", base, tmp_path / "root")
    assert "as its publisher gives it" in done.stderr


_LISTS = "deb {0}debian trixie main\ndeb {0}debian-security trixie-security main\n"


@pytest.mark.parametrize(
    ("apt_get", "expected"),
    [
        ('case "$*" in *-security*) echo http://near/debian-security/ ;; *) echo http://near/debian/ ;; esac', "near/"),
        ("exit 100", "deb.debian.org/"),
    ],
    ids=["of its own", "public"],
)
def test_the_build_asks_the_mirror_that_the_machine_knows(tmp_path: Path, apt_get: str, expected: str) -> None:
    stand_in = tmp_path / "apt-get"
    stand_in.write_text(f"#!/bin/sh\n{apt_get}\n")
    stand_in.chmod(0o755)
    words = f". image/lib.sh && printf '{_LISTS.format('http://deb.debian.org/')}' | here"
    done = run("bash", "-c", words, PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.stdout == _LISTS.format(f"http://{expected}")
    sources = "URIs: http://deb.debian.org/debian/\nURIs: http://deb.debian.org/debian-security/\n"
    done = run("bash", "-c", f". image/lib.sh && printf '{sources}' | here", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.stdout == f"URIs: http://{expected}debian\nURIs: http://{expected}debian-security\n"


def test_a_system_that_the_card_has_no_room_for_is_refused_before_it_is_flashed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "large").touch()
    os.truncate(tree / "large", SYSTEM_BYTES)
    done = run("bash", "-c", f". image/lib.sh && make_root {tree} {tmp_path}/root.ext4 hikma-root")
    assert done.returncode == 1
    assert f"the card has {SYSTEM_BYTES // 1024**2} MB for each" in done.stderr
    assert not (tmp_path / "root.ext4").exists()


def test_the_seal_leaves_nothing_that_two_cards_would_share(tmp_path: Path) -> None:
    secrets = (
        "etc/ssh/ssh_host_ed25519_key",
        "etc/ssh/hub/ssh_host_ed25519_key",
        "etc/ssh/authorized_keys/technician",
        "etc/hikma-hub/data.key",
        "etc/hikma-hub/tls/page.key",
        "var/lib/hikma-hub/hub.db",
        "var/lib/systemd/random-seed",
        "var/log/journal/x/system.journal",
        "etc/NetworkManager/system-connections/Clinic.nmconnection",
    )
    for name in (*secrets, "opt/hikma-hub/bin/hikma-hub", "etc/machine-id", "etc/passwd", "usr/bin/tool", "root/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    done = run(IMAGE / "steps/40-seal", tmp_path, SOURCE_DATE_EPOCH="1700000000")
    assert done.returncode == 0, done.stderr
    assert [name for name in secrets if (tmp_path / name).exists()] == []
    assert (tmp_path / "etc/machine-id").read_text() == ""
    assert (tmp_path / "usr/bin/tool").stat().st_mtime == 1_700_000_000


def test_a_card_is_made_the_same_twice_and_starts_its_first_system(tmp_path: Path) -> None:
    for program in ("sfdisk", "mkfs.vfat", "mcopy", "mke2fs"):
        tool(program, "apt install fdisk dosfstools mtools e2fsprogs")
    root = tmp_path / "root"
    config = "arm_64bit=1\n[pi4]\narm_boost=1\n"
    brought = {
        "config.txt": config,
        "cmdline.txt": "root=LABEL=any quiet \n",
        "kernel8.img": "k",
        "start4.elf": "firmware",
    }
    for name, text in brought.items():
        (root / "boot/firmware").mkdir(parents=True, exist_ok=True)
        (root / "boot/firmware" / name).write_text(text)
    (root / "etc").mkdir()
    (root / "etc/hostname").write_text("hikma-hub\n")
    subprocess.run(["find", root, "-exec", "touch", "-d", "@1700000000", "{}", "+"], check=True)  # noqa: S607  the test's own tree
    sums = []
    for out in (tmp_path / "a.img", tmp_path / "b.img"):
        done = run(IMAGE / "steps/50-card", root, out, SOURCE_DATE_EPOCH="1700000000")
        assert done.returncode == 0, done.stderr
        sums.append(run("sha256sum", out).stdout.split()[0])
    table = json.loads(run("sfdisk", "--json", out).stdout)["partitiontable"]
    assert [entry["type"] for entry in table["partitions"]] == ["c", "83"]
    assert (root / "boot/firmware/config.txt").exists()
    assert sums[0] == sums[1]

    (boot := tmp_path / "boot").mkdir()
    assert run("mcopy", "-s", "-i", f"{out}@@4M", "::/*", boot).returncode == 0
    files = {path.relative_to(boot).as_posix(): path.read_bytes() for path in boot.rglob("*") if path.is_file()}
    assert started(files) == "slot-A"
    assert files["config.txt"].decode() == slots.configured(config, Slot.A)
    assert files["slot-A/cmdline.txt"] == b"root=LABEL=hikma-root-A quiet panic=10 rauc.slot=A\n"
    assert {"start4.elf", "hikma-hub.example.toml", "slot-A/overlays/README"} <= files.keys()
    assert "slot-A/start4.elf" not in files
    assert boot_partition.is_whole(boot, Slot.A, thoroughly=True)
