"""A fresh card becomes the hub whose copy is on a USB stick, where hikma-hub.toml gives the recovery passphrase."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from hub.actions.people import setup
from hub.app import backup, recovery
from hub.core.errors import OperatorError
from hub.firstboot import people
from hub.firstboot.machine import Machine, write
from hub.services.copy import stick as sticks
from hub.services.copy.stick import Stick

_BECOMING = "/data/recovered"
"""The name of the hub that this card becomes, until hikma-hub.toml was applied to it."""
_MOUNT = "/run/hikma-hub-stick"
_OURS = ("hikma-",)
"""How the labels of our own partitions and of the key's stick begin, in any case."""


def become(machine: Machine, passphrase: str | None) -> str | None:
    """Make the card the hub whose copy is there; returns its name, None where there is no copy, or a hub already.

    Raises OperatorError where the copy cannot be opened. A power cut on the way is followed by the same.
    """
    becoming = machine.path(_BECOMING)
    if passphrase and people.in_store_if_there(machine, setup.is_pending):
        with _copies(machine) as found:
            if found:
                _make(machine, found[-1], passphrase)
    return becoming.read_text("utf-8") if becoming.exists() else None


def settle(machine: Machine) -> None:
    """Note that hikma-hub.toml was applied to the hub that the card became; from now on it is a hub as any other."""
    machine.path(_BECOMING).unlink(missing_ok=True)


def _make(machine: Machine, copy: Stick, passphrase: str) -> None:
    data = machine.path(people.DATA)
    private = backup.unlocked(copy, passphrase)
    if not recovery.is_ready(data):
        recovery.prepare(copy, data, private)
    write(machine.path(_BECOMING), copy.mark.hub_name.encode())
    recovery.take(data)


@contextlib.contextmanager
def _copies(machine: Machine) -> Iterator[list[Stick]]:
    """Give the copies on the first stick that has any; it is mounted meanwhile, and nothing on it is changed."""
    machine.run("udevadm", "settle")
    printed = machine.run("lsblk", "--json", "--output", "PATH,TRAN,FSTYPE,LABEL")
    where = machine.path(_MOUNT)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    for disk in json.loads(printed)["blockdevices"]:
        for one in _fit(disk):
            options = "ro,nosuid,nodev,noexec,nosymfollow"
            try:
                machine.run("mount", "-t", one["fstype"], "-o", options, one["path"], str(where))
            except OperatorError:  # a stick that is broken is as good as none
                continue
            try:
                found = sticks.copies(where)
                if found:
                    yield found
                    return
            finally:
                machine.run("umount", str(where))
    yield []


def _fit(disk: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the file systems of a USB disk that may hold a copy: of itself, or of its partitions."""
    if disk["tran"] != "usb":
        return []
    parts = [disk, *disk.get("children", ())]
    return [
        one
        for one in parts
        if one["fstype"] in {"vfat", "exfat", "ext4"} and not (one["label"] or "").lower().startswith(_OURS)
    ]
