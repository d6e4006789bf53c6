"""The folders of the data partition, mounted where the rest of the system looks for them."""

from dataclasses import dataclass

from hub.firstboot import overlay, vault
from hub.firstboot.machine import Machine

MOUNT = "/data"
_OPTIONS = "noatime,nosuid,nodev,noexec,errors=remount-ro,commit=5"
"""The hub's database syncs for itself; ``commit`` bounds what the rest may lose, in seconds."""


@dataclass(frozen=True)
class Place:
    """A folder of the data partition and where it is seen; ``user`` owns it, ``holds`` is made in it."""

    folder: str
    seen_at: str
    mode: int
    user: str = "root"
    holds: tuple[str, ...] = ()


PLACES = (
    Place("hub", "/var/lib/hikma-hub", 0o700, "hikma-hub"),
    Place("journal", "/var/log/journal", 0o755),
    Place("connections", "/etc/NetworkManager/system-connections", 0o700),
    Place("network", "/var/lib/NetworkManager", 0o700),
    Place("chrony", "/var/lib/chrony", 0o750, "_chrony"),
    Place("systemd", "/var/lib/systemd", 0o755, holds=("linger",)),  # without it logind does not start
)
"""All that the box writes between two updates; everything else on the root is read-only."""


def mount(machine: Machine) -> None:
    """Mount the partition; one that is mounted already stays."""
    if not machine.mounted(MOUNT):
        machine.run("mount", "-o", _OPTIONS, str(vault.MAPPED), str(machine.path(MOUNT)))


def mount_nothing(machine: Machine) -> None:
    """Let the folders lie in memory, so that all but the hub runs."""
    machine.run(
        "mount", "-t", "tmpfs", "-o", "size=32m,mode=755,nosuid,nodev,noexec", "tmpfs", str(machine.path(MOUNT))
    )


def bind(machine: Machine) -> None:
    """Show the folders where the rest of the system looks for them; what is there already stays."""
    for place in PLACES:
        _bind(machine, place)


def close_hub(machine: Machine) -> None:
    """Let nothing be written to a hub's folder in memory: it must not seem kept."""
    machine.run("mount", "-o", "remount,bind,ro", str(machine.path(PLACES[0].seen_at)))


def let_go(machine: Machine) -> None:
    """Undo whatever of it was done, so that another way can be tried."""
    for seen_at in (*(place.seen_at for place in reversed(PLACES)), MOUNT):
        if machine.mounted(seen_at):
            machine.run("umount", str(machine.path(seen_at)))
    vault.close(machine)
    overlay.lift(machine)


def _bind(machine: Machine, place: Place) -> None:
    folder = machine.path(f"{MOUNT}/{place.folder}")
    if not folder.exists():
        folder.mkdir(mode=place.mode)
    for name in place.holds:
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(place.mode)
    folder.chmod(place.mode)
    machine.run("chown", f"{place.user}:", str(folder))
    if not machine.mounted(place.seen_at):
        if not machine.path(place.seen_at).exists():
            machine.path(place.seen_at).mkdir(parents=True)
        machine.run("mount", "--bind", str(folder), str(machine.path(place.seen_at)))
