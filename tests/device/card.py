"""Cards of the image, and what can be seen of them from outside the board."""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests import firmware
from tests.outside import PROJECT

IMAGE = Path(os.environ.get("HIKMA_HUB_IMAGE", PROJECT / "build/hikma-hub.img"))
CARD_BYTES = 8 * 1024**3
_BOOT_AT = 4 * 1024**2
BOOT_ENDS = 516 * 1024**2
_PROGRAM_S = 240
_PIECE_BYTES = 16 * 1024**2
_OVERLAP_BYTES = 64


def needs() -> Iterator[str]:
    """Name what this tier needs and this machine has not got."""
    for program in ("qemu-system-aarch64", "fdtput", "mcopy", "ssh", "ssh-keygen", "openssl"):
        if shutil.which(program) is None:
            yield f"{program} (image/prerequisites)"
    if not IMAGE.exists():
        yield f"{IMAGE} (RELEASE=no make image-standin, as root)"


def flash(folder: Path, name: str, toml: str | None = None) -> Path:
    """Flash a card: a copy of the image on a larger card, with hikma-hub.toml on its boot partition."""
    made = folder / f"{name}.img"
    run("cp", "--sparse=always", "--reflink=auto", str(IMAGE), str(made))
    os.truncate(made, CARD_BYTES)
    if toml is not None:
        put(made, "hikma-hub.toml", toml)
    return made


def put(made: Path, name: str, text: str) -> None:
    """Write a file to the boot partition, from outside."""
    run("mcopy", "-i", f"{made}@@{_BOOT_AT}", "-o", "-", f"::{name}", stdin=text.encode())


def on_boot_partition(made: Path, name: str) -> bytes:
    """Read a file of the boot partition, from outside."""
    return run("mcopy", "-i", f"{made}@@{_BOOT_AT}", f"::{name}", "-")


def boot_names(made: Path) -> set[str]:
    """List what lies on the boot partition, from outside."""
    lines = run("mdir", "-/", "-b", "-i", f"{made}@@{_BOOT_AT}", "::").decode().splitlines()
    return {line.removeprefix("::/") for line in lines}


def written(made: Path) -> Iterator[bytes]:
    """Return what was ever written on it, in pieces that overlap."""
    with made.open("rb", buffering=0) as file:
        at = 0
        with contextlib.suppress(OSError):  # there is no more data: ENXIO
            while True:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
                yield os.pread(file.fileno(), _PIECE_BYTES + _OVERLAP_BYTES, at)
                at += _PIECE_BYTES


def data_start(made: Path) -> int:
    """Return where the data partition begins, in bytes."""
    table = msgspec.json.decode(run("sfdisk", "--json", str(made)))["partitiontable"]
    return int(table["partitions"][-1]["start"]) * 512


def run(*command: str, stdin: bytes = b"", timeout_s: float = _PROGRAM_S) -> bytes:
    """Run a program of this machine; returns what it printed."""
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, f"{command[:4]}: {done.stderr.decode()[-800:]}{done.stdout.decode()[-800:]}"
    return done.stdout


def kernel(made: Path, folder: Path, *, tryboot: bool = False) -> tuple[Path, Path, str]:
    """Take kernel, initramfs and command line from the card's own boot partition, as the firmware of a Pi does.

    tryboot: the last restart asked for it. All of it is read afresh: a boot partition that a cut damaged must not start
    from what lay there before.
    """
    config = on_boot_partition(made, "tryboot.txt" if tryboot else "config.txt").decode()
    prefix = firmware.prefix_of(config, boot_names(made))
    taken = []
    for name in firmware.system_of(config):
        taken.append(folder / name)
        taken[-1].write_bytes(on_boot_partition(made, prefix + name))
    words = on_boot_partition(made, f"{prefix}cmdline.txt").decode().strip()
    return taken[0], taken[1], f"{re.sub('console=tty[01]', 'console=ttyAMA0', words)} systemd.show_status=1"
