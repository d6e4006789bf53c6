"""A view of a partition whose writes stay in memory: to try a repair on, or to read a card that takes nothing in."""

from pathlib import Path

from hub.core.errors import OperatorError
from hub.firstboot.machine import Machine

_NAME = "hikma-overlay"
_MAPPED = Path("/dev/mapper") / _NAME
_FOLDER = "/run/hikma-hub-overlay"
_SHARE = 4
"""A quarter of the memory holds what is written: a full check of a card writes some MB."""
_CHUNK_SECTORS = 8
_SECTOR_BYTES = 512


def lay(machine: Machine, partition: Path) -> Path:
    """Return a device that reads as the partition and takes writes, of which the card never hears."""
    folder = machine.path(_FOLDER)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    size = _memory_bytes(machine) // _SHARE
    machine.run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700,nosuid,nodev,noexec", "tmpfs", str(folder))
    store = folder / "written"
    machine.run("truncate", "--size", str(size), str(store))
    loop = machine.run("losetup", "--find", "--show", str(store)).strip()
    sectors = machine.run("blockdev", "--getsz", str(partition)).strip()
    table = f"0 {sectors} snapshot {partition} {loop} N {_CHUNK_SECTORS}"
    machine.run("dmsetup", "create", _NAME, "--table", table)
    return _MAPPED


def lies(machine: Machine) -> bool:
    """Return whether it is there."""
    return machine.path(str(_MAPPED)).exists()


def lift(machine: Machine) -> None:
    """Take it away, and with it what was written."""
    if lies(machine):
        machine.run("dmsetup", "remove", "--retry", _NAME)
    folder = machine.path(_FOLDER)
    if machine.mounted(_FOLDER):
        shown = machine.run("losetup", "--noheadings", "--output", "NAME", "--associated", str(folder / "written"))
        for loop in shown.split():
            machine.run("losetup", "--detach", loop)
        machine.run("umount", str(folder))


def _memory_bytes(machine: Machine) -> int:
    for line in machine.path("/proc/meminfo").read_text("ascii").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    raise OperatorError("/proc/meminfo does not say how much memory there is")
