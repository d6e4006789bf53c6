"""Applies the card's configuration to Debian: host name, time zone, the technician's ssh key, the clock."""

import base64
import contextlib
import hashlib
import re
import time
import unicodedata
from pathlib import Path

from hub.core.clock import NEWEST_MS
from hub.core.errors import OperatorError, SettingError
from hub.firstboot.card_config import CardConfig
from hub.firstboot.machine import Machine, write

SSH_KEYS = "/etc/ssh/authorized_keys/technician"
"""Of the one account that may sign in over ssh; on the root, so that a damaged data partition does not lock out."""
CLOCK = "/data/clock"
_MACHINE_ID = "/etc/machine-id"
_HOST_CHARS = 40


def host_name(hub_name: str) -> str:
    """Return a host name (RFC 1123) that people recognise: letters and digits of the hub's name, or hikma-hub."""
    plain = unicodedata.normalize("NFKD", hub_name).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_HOST_CHARS].strip("-")
    return name or "hikma-hub"


def apply(machine: Machine, config: CardConfig) -> None:
    """Write what differs, and reload what must know of it."""
    name = host_name(config.hub.name)
    with machine.writable("/"):
        if write(machine.path("/etc/hostname"), f"{name}\n".encode()):
            write(machine.path("/etc/hosts"), f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost\n".encode())
            machine.run("hostname", name)
        _time_zone(machine, config.hub.timezone)
        keys = machine.path(SSH_KEYS)
        if config.ssh:
            write(keys, f"{config.ssh.key}\n".encode())
        elif keys.exists():
            keys.unlink()


def allowed(machine: Machine, config: CardConfig) -> CardConfig:
    """Return a file that this image takes; raises SettingError for a way in where whoever built it left none."""
    unit = machine.path("/etc/systemd/system/ssh.service")
    if config.ssh and unit.is_symlink() and unit.readlink() == Path("/dev/null"):
        raise SettingError("[ssh]: the organisation that made this card allows no way in by ssh; remove the table")
    return config


def own_machine_id(machine: Machine) -> None:
    """Return this card a machine id of its own, where the image has none."""
    file = machine.path(_MACHINE_ID)
    if not machine.mounted(_MACHINE_ID) and file.read_text("ascii").strip():
        return
    with machine.writable("/"):
        # Until it is on the card, systemd keeps one of this boot mounted over the file.
        machine.run("systemd-machine-id-setup", "--commit")
        if not file.read_text("ascii").strip():
            write(file, Path("/proc/sys/kernel/random/uuid").read_text("ascii").replace("-", "").encode(), mode=0o444)


def ssh_host_keys(machine: Machine) -> str:
    """Draw this card's ssh key, once; returns its fingerprint for the technician to compare."""
    file = machine.path("/etc/ssh/hub/ssh_host_ed25519_key")
    if not file.with_name(file.name + ".pub").exists():
        with machine.writable("/"):
            file.unlink(missing_ok=True)
            file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            machine.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "hikma-hub", "-f", str(file))
    _, blob, *_ = file.with_name(file.name + ".pub").read_text("ascii").split()
    digest = hashlib.sha256(base64.b64decode(blob)).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def last_known_time(machine: Machine) -> None:
    """Set a clock that woke up earlier than when it was last seen; never set one back."""
    kept = machine.path(CLOCK)
    seen = (kept, *machine.path("/data/hub").glob("hub.db*"))
    known_s = max((path.stat().st_mtime for path in seen if path.exists()), default=0)
    if time.time() < known_s < NEWEST_MS / 1000:
        machine.run("date", "--utc", "--set", f"@{known_s:.0f}")
        # A clock chip goes on from here by its battery, until chrony sets both right.
        with contextlib.suppress(OperatorError):
            machine.run("hwclock", "--systohc", "--utc")
    if not kept.exists():
        write(kept, b"")


def point(link: Path, target: str) -> None:
    """Let a link lead there, whole or not at all."""
    if link.is_symlink() and str(link.readlink()) == target:
        return
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _time_zone(machine: Machine, zone: str) -> None:
    point(machine.path("/etc/localtime"), f"/usr/share/zoneinfo/{zone}")
    write(machine.path("/etc/timezone"), f"{zone}\n".encode())
