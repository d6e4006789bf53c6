"""The encrypted data partition: LUKS2, made once, opened at every boot, never formatted when it may hold data (S7)."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from hub.core.errors import OperatorError
from hub.firstboot import board
from hub.firstboot.board import KeyPlace
from hub.firstboot.machine import Machine, write

NAME = "hikma-data"
MAPPED = Path("/dev/mapper") / NAME
MADE = "hikma-data"
"""LUKS label of a partition whose file system is complete; until then it is UNMADE and may be made again."""
UNMADE = "hikma-unmade"
HEADER = "/etc/hikma-hub/data.header"
"""Kept on the root: the partition's header as it was made. One lost sector of the other would lose all data."""
STAMP = "/etc/hikma-hub/data-partition"
"""Kept on the root: the UUID of the finished partition. With it nothing is ever formatted, whatever the header says."""

_DRAWN = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
"""A drawn key of 256 bits needs no stretching; it would only make every boot slower."""
_TYPED = ("--pbkdf", "argon2id", "--pbkdf-memory", "131072", "--pbkdf-parallel", "2", "--iter-time", "2000")
"""A passphrase does: 128 MiB is what a board of 512 MB can spare while it boots."""


@dataclass(frozen=True)
class Cipher:
    """What cryptsetup calls a cipher, with its key size in bits."""

    spec: str
    key_bits: int


AES = Cipher("aes-xts-plain64", 512)
ADIANTUM = Cipher("xchacha12,aes-adiantum-plain64", 256)
"""For boards without AES instructions (Raspberry Pi 3 and 4): some five times as fast there as AES in software."""


def cipher_for(cpuinfo: str) -> Cipher:
    """Choose by /proc/cpuinfo."""
    lines = [line.partition(":") for line in cpuinfo.splitlines()]
    features = [words.split() for name, _, words in lines if name.strip() in {"Features", "flags"}]
    return AES if features and all("aes" in words for words in features) else ADIANTUM


def make_once(machine: Machine, device: Path, *, place: KeyPlace, passphrase: str | None = None) -> None:
    """Make the data partition where there never was one.

    passphrase: a second way to open it, added when the partition is made; for a board that died.
    """
    stamp = machine.path(STAMP)
    if not stamp.exists() and _label(machine, device) != MADE:
        _make(machine, device, place, passphrase)
    if not stamp.exists() or not machine.path(HEADER).exists():
        with machine.writable("/"):
            _keep_header(machine, device)
            write(stamp, machine.run("cryptsetup", "luksUUID", str(device)).encode())


def unlock(machine: Machine, device: Path, key: bytes, place: KeyPlace) -> None:
    """Leave it open at MAPPED. Raises OperatorError where the key does not open it; nothing is ever formatted."""
    if machine.path(str(MAPPED)).exists():
        return
    # Discards tell the card which blocks are free, which it needs to wear evenly; they show how full the partition is.
    options = ("--allow-discards", "--key-file", "-")
    try:
        machine.run("cryptsetup", "open", *options, str(device), NAME, stdin=key)
    except OperatorError as error:
        raise OperatorError(
            f"the data partition {device} does not open with the key {place.told}; nothing was formatted: {error}"
        ) from error


def unlock_anyhow(machine: Machine, device: Path, key: bytes, place: KeyPlace) -> None:
    """Open it, with the header that was kept where its own is damaged."""
    try:
        unlock(machine, device, key, place)
    except OperatorError:
        header = machine.path(HEADER)
        if not header.exists():
            raise
        machine.run("cryptsetup", "luksHeaderRestore", "-q", str(device), "--header-backup-file", str(header))
        unlock(machine, device, key, place)


def close(machine: Machine) -> None:
    """Close it."""
    if machine.path(str(MAPPED)).exists():
        machine.run("cryptsetup", "close", NAME)


def forget(machine: Machine, device: Path) -> None:
    """Let the partition be made anew: a person gave up what is on it."""
    machine.run("wipefs", "--all", "--force", str(device))
    destroy_header(machine)
    machine.path(STAMP).unlink(missing_ok=True)


def destroy_header(machine: Machine) -> None:
    """Overwrite the kept header where it lies, and remove it: it holds the key slots."""
    header = machine.path(HEADER)
    if header.exists():
        with header.open("r+b") as file:
            file.write(bytes(header.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        header.unlink()


def _keep_header(machine: Machine, device: Path) -> None:
    header = machine.path(HEADER)
    new = header.with_name("data.header.new")
    new.unlink(missing_ok=True)
    machine.run("cryptsetup", "luksHeaderBackup", str(device), "--header-backup-file", str(new))
    new.chmod(0o400)
    new.replace(header)


def _make(machine: Machine, device: Path, place: KeyPlace, passphrase: str | None) -> None:
    """Format; the label comes last, so that a power cut on the way is followed by making it again."""
    with machine.writable("/"):
        key, _ = board.key(machine, place, make=True)
    cipher = cipher_for(machine.path("/proc/cpuinfo").read_text("utf-8", "replace"))
    if machine.path(str(MAPPED)).exists():
        machine.run("cryptsetup", "close", NAME)
    machine.run(
        *("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--label", UNMADE, "--sector-size", "4096"),
        *("--cipher", cipher.spec, "--key-size", str(cipher.key_bits), *_DRAWN, "--key-file", "-", str(device)),
        stdin=key,
    )
    if passphrase:
        _add(machine, device, key, passphrase)
    machine.run("cryptsetup", "open", "--key-file", "-", str(device), NAME, stdin=key)
    # Few inodes: it holds one large database, and what is not made need not be written.
    machine.run("mkfs.ext4", "-q", "-F", "-L", MADE, "-m", "1", "-i", "65536", str(MAPPED))
    machine.run("cryptsetup", "config", str(device), "--label", MADE)


def _add(machine: Machine, device: Path, key: bytes, passphrase: str) -> None:
    """Add the passphrase; the drawn key goes by a file in memory, for standard input can carry only one of them."""
    carrier = machine.path("/run/hikma-hub-key")
    write(carrier, key, mode=0o600)
    try:
        command = ("cryptsetup", "luksAddKey", "--batch-mode", *_TYPED, "--key-file", str(carrier), str(device), "-")
        machine.run(*command, stdin=passphrase.encode())
    finally:
        carrier.unlink()


def _label(machine: Machine, device: Path) -> str:
    """Return the LUKS label, "" where there is no LUKS header."""
    printed = machine.run("lsblk", "--json", "--nodeps", "--output", "FSTYPE,LABEL", str(device))
    found = json.loads(printed)["blockdevices"][0]
    return found["label"] or "" if found["fstype"] == "crypto_LUKS" else ""
