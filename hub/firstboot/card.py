"""The card's partitions: finds the disk that the root lies on, and divides the room after it."""

import json
import os
from pathlib import Path
from typing import Any

from hub.core.errors import OperatorError
from hub.core.update import slots
from hub.core.update.slots import Slot
from hub.firstboot.machine import Machine

SECTOR_BYTES = 512
_ALIGN_SECTORS = 8192
"""4 MiB: SD cards erase in blocks of up to this."""
_DATA_BYTES_MIN = 512 * 1024**2
_LINUX = "83"
SYSTEM_BYTES = 1792 * 1024**2
"""Each of two systems, of which an update writes the one that does not run; seven tenths of it are in use today."""
ROOT_BYTES = 4 * 1024**3
"""The root of a card with one system, which apt updates."""
CARD_BYTES_FOR_ROOM = 7 * 10**9
"""A card sold as 8 GB; on a smaller one the only root stays as it is and the data gets the rest."""
_HEADERS_BYTES = 16 * 1024**2
"""LUKS2 keeps its two headers and all key slots here."""
_GPT_TAIL_SECTORS = 33
SYSTEMS = "/run/hikma-hub-system"
"""Links to the partitions of the two systems of this card, by the names that RAUC has for them."""


def disk(machine: Machine) -> Path:
    """Return the device that the root partition is a part of."""
    source = machine.run("findmnt", "--noheadings", "--output", "SOURCE", "/").strip()
    parent = machine.run("lsblk", "--noheadings", "--output", "PKNAME", source).strip()
    if not parent:
        raise OperatorError(f"the root file system {source} is not on a partition, so there is no card for the data")
    return Path("/dev") / parent


def partition(device: Path, number: int) -> Path:
    """Return the name of a partition: mmcblk0p3, but vda3."""
    return device.with_name(f"{device.name}{'p' if device.name[-1].isdigit() else ''}{number}")


def booted(machine: Machine) -> Slot | None:
    """Return which of two systems runs; None on a card that was flashed with one, by an earlier image."""
    return slots.booted(machine.path("/proc/cmdline").read_text("ascii", "replace"))


def data_number(machine: Machine) -> int:
    """Return the number of the data partition: behind the boot partition and the systems."""
    return 4 if booted(machine) else 3


def system(device: Path, slot: Slot) -> Path:
    """Return the partition of one of two systems."""
    return partition(device, 2 if slot is Slot.A else 3)


def ensure_data(machine: Machine, device: Path, *, is_new: bool) -> Path:
    """Return the data partition; where a new card has none, make it of all the room behind the systems.

    The table is written in one sector, so a power cut leaves the old or the new one. A card that was a hub and lost the
    entry keeps what lies there: no device of that name will be found.
    """
    entries = json.loads(machine.run("sfdisk", "--json", str(device)))["partitiontable"]["partitions"]
    data = partition(device, data_number(machine))
    if is_new and data.name not in {Path(entry["node"]).name for entry in entries}:
        _divide(machine, device, entries)
    if not machine.path(str(data)).exists():
        machine.run("partx", "--add", "--nr", f"3:{data_number(machine)}", str(device), accept=(0, 1))
        machine.run("udevadm", "settle")
    if booted(machine):
        for slot in Slot:
            link = machine.path(f"{SYSTEMS}/{slot}")
            link.parent.mkdir(exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(system(device, slot))
    return data


def _divide(machine: Machine, device: Path, entries: list[dict[str, Any]]) -> None:
    """Grow the root, make room for the other system, and give the rest to the data."""
    sectors, is_two = _sectors(machine, device), booted(machine) is not None
    *before, root = entries
    size = _root_sectors(int(root["size"]), sectors, is_two=is_two)
    planned = [*before, root | {"size": size}]
    if is_two:
        planned.append({"start": _behind(planned), "size": size})
    start, rest = room(planned, sectors)
    planned.append({"start": start, "size": rest})
    _grow_root(machine, device, len(entries), size)
    new = planned[len(entries) :]
    for entry in new:
        _blank(machine.path(str(device)), entry["start"])
    lines = "".join(f"start={entry['start']}, size={entry['size']}, type={_LINUX}\n" for entry in new)
    machine.run("sfdisk", "--no-reread", "--no-tell-kernel", "--append", str(device), stdin=lines.encode())


def _root_sectors(size: int, sectors: int, *, is_two: bool) -> int:
    """Return how large the root is to be, which is as small as can be in an image."""
    if is_two:
        return max(size, SYSTEM_BYTES // SECTOR_BYTES)
    return size if sectors * SECTOR_BYTES < CARD_BYTES_FOR_ROOM else max(size, ROOT_BYTES // SECTOR_BYTES)


def _grow_root(machine: Machine, device: Path, number: int, size: int) -> None:
    """Grow the root's partition and what is in it; what a power cut left half done is done again."""
    line = f",{size}\n".encode()
    machine.run("sfdisk", "--no-reread", "--no-tell-kernel", "-N", str(number), str(device), stdin=line)
    machine.run("partx", "--update", "--nr", str(number), str(device))
    with machine.writable("/"):
        machine.run("resize2fs", str(partition(device, number)))


def _blank(device: Path, start_sector: int) -> None:
    """Wipe the headers that a hub before this one left there: a flashed card is a new hub, never half of an old one."""
    with device.open("r+b") as card:
        card.seek(start_sector * SECTOR_BYTES)
        card.write(bytes(_HEADERS_BYTES))
        card.flush()
        os.fsync(card.fileno())


def room(entries: list[dict[str, Any]], sectors: int) -> tuple[int, int]:
    """Return start and size, in sectors, of what is left behind the last of the partitions."""
    start = _behind(entries)
    size = (sectors - _GPT_TAIL_SECTORS - start) // _ALIGN_SECTORS * _ALIGN_SECTORS
    if size * SECTOR_BYTES < _DATA_BYTES_MIN:
        need = (start * SECTOR_BYTES + _DATA_BYTES_MIN) // 10**9 + 1
        raise OperatorError(f"the SD card is too small: it needs {need} GB or more")
    return start, size


def _behind(entries: list[dict[str, Any]]) -> int:
    end = max(int(entry["start"]) + int(entry["size"]) for entry in entries)
    return -(-end // _ALIGN_SECTORS) * _ALIGN_SECTORS


def _sectors(machine: Machine, device: Path) -> int:
    return int(machine.run("blockdev", "--getsz", str(device)))
