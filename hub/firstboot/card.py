"""The card's partitions: finds the disk that the root lies on, and gives all room after it to the data."""

import json
import os
from pathlib import Path
from typing import Any

from hub.core.errors import OperatorError
from hub.firstboot.machine import Machine

DATA_NUMBER = 3
SECTOR_BYTES = 512
_ALIGN_SECTORS = 8192
"""4 MiB: SD cards erase in blocks of up to this."""
_DATA_BYTES_MIN = 512 * 1024**2
_LINUX = "83"
ROOT_BYTES = 4 * 1024**3
CARD_BYTES_FOR_ROOM = 7 * 10**9
"""A card sold as 8 GB; on a smaller one the root stays as it is and the data gets the rest."""
_HEADERS_BYTES = 16 * 1024**2
"""LUKS2 keeps its two headers and all key slots here."""
_GPT_TAIL_SECTORS = 33


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


def ensure_data(machine: Machine, device: Path, *, is_new: bool) -> Path:
    """Return the data partition; where a new card has none, make it of all the room behind the last one.

    The table is written in one sector, so a power cut leaves the old or the new one. A card that was a hub and lost the
    entry keeps what lies there: no device of that name will be found.
    """
    table = json.loads(machine.run("sfdisk", "--json", str(device)))["partitiontable"]
    data = partition(device, DATA_NUMBER)
    known = {Path(entry["node"]).name for entry in table["partitions"]}
    if data.name not in known and is_new:
        table = _grow_root(machine, device, table)
        start, size = room(table, _sectors(machine, device))
        _blank(machine.path(str(device)), start)
        line = f"start={start}, size={size}, type={_LINUX}\n".encode()
        machine.run("sfdisk", "--no-reread", "--no-tell-kernel", "--append", str(device), stdin=line)
    if not machine.path(str(data)).exists():
        machine.run("partx", "--add", "--nr", str(DATA_NUMBER), str(device), accept=(0, 1))
        machine.run("udevadm", "settle")
    return data


def _grow_root(machine: Machine, device: Path, table: dict[str, Any]) -> dict[str, Any]:
    """Grow the root, as small as can be in an image, for years of updates, where the card has room."""
    root = table["partitions"][-1]
    wanted = ROOT_BYTES // SECTOR_BYTES
    last = len(table["partitions"])
    if _sectors(machine, device) * SECTOR_BYTES < CARD_BYTES_FOR_ROOM or int(root["size"]) > wanted:
        return table
    size = f",{wanted}\n".encode()
    machine.run("sfdisk", "--no-reread", "--no-tell-kernel", "-N", str(last), str(device), stdin=size)
    machine.run("partx", "--update", "--nr", str(last), str(device))
    with machine.writable("/"):
        machine.run("resize2fs", str(partition(device, last)))
    root["size"] = wanted
    return table


def _blank(device: Path, start_sector: int) -> None:
    """Wipe the headers that a hub before this one left there: a flashed card is a new hub, never half of an old one."""
    with device.open("r+b") as card:
        card.seek(start_sector * SECTOR_BYTES)
        card.write(bytes(_HEADERS_BYTES))
        card.flush()
        os.fsync(card.fileno())


def room(table: dict[str, Any], sectors: int) -> tuple[int, int]:
    """Return start and size, in sectors, of what is left behind the last partition of an sfdisk table."""
    end = max(int(entry["start"]) + int(entry["size"]) for entry in table["partitions"])
    start = -(-end // _ALIGN_SECTORS) * _ALIGN_SECTORS
    size = (sectors - _GPT_TAIL_SECTORS - start) // _ALIGN_SECTORS * _ALIGN_SECTORS
    if size * SECTOR_BYTES < _DATA_BYTES_MIN:
        need = (start * SECTOR_BYTES + _DATA_BYTES_MIN) // 10**9 + 1
        raise OperatorError(f"the SD card is too small: it needs {need} GB or more")
    return start, size


def _sectors(machine: Machine, device: Path) -> int:
    return int(machine.run("blockdev", "--getsz", str(device)))
