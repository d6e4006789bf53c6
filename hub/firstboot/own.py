"""What a card has of its own on its read-only root, kept beside the data too, because updates change the root."""

import msgspec

from hub.firstboot import box, data, network
from hub.firstboot.machine import Machine, write

KEPT = f"{data.MOUNT}/own.json"
_FILES = ("/etc/hostname", "/etc/hosts", "/etc/timezone", box.SSH_KEYS, network.COUNTRY_FILE)
_LINK = "/etc/localtime"


def keep(machine: Machine) -> None:
    """Remember what this system has."""
    write(machine.path(KEPT), msgspec.json.encode(_found(machine)), mode=0o600)


def bring(machine: Machine) -> None:
    """Give this system what the other one was given since it was installed; nothing where nothing was ever kept."""
    if not machine.path(KEPT).exists():
        return
    kept = msgspec.json.decode(machine.path(KEPT).read_bytes(), type=dict[str, str | None])
    if kept == _found(machine):
        return
    with machine.writable("/"):
        for name in (*_FILES, _LINK):
            _put(machine, name, kept.get(name))
    machine.run("hostname", machine.path("/etc/hostname").read_text("ascii").strip())


def _found(machine: Machine) -> dict[str, str | None]:
    """Return each file's text, None where there is none, and where the link of the time zone leads."""
    link = machine.path(_LINK)
    files = {name: path.read_text("utf-8") if (path := machine.path(name)).exists() else None for name in _FILES}
    return {**files, _LINK: str(link.readlink()) if link.is_symlink() else None}


def _put(machine: Machine, name: str, content: str | None) -> None:
    path = machine.path(name)
    if content is None:
        path.unlink(missing_ok=True)
    elif name == _LINK:
        box.point(path, content)
    else:
        write(path, content.encode())
