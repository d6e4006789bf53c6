"""Reads the last lines that the units of the box left in systemd's journal, and takes out what is not the hub's own."""

import subprocess
import time
from collections.abc import Iterator
from shutil import which

import msgspec

from hub.core.redaction import redacted
from hub.services.rpc.procedures import registry

_SELECTED = (("--unit", "hikma-hub*", "--lines", "1000"), ("--dmesg", "--priority", "warning", "--lines", "300"))
_LINE_CHARS = 200
_SYSTEMD = "1"
_S = 30


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for of an entry; see systemd.journal-fields(7)."""

    at_us: str = msgspec.field(name="__REALTIME_TIMESTAMP", default="0")
    message: str | list[int] | None = msgspec.field(name="MESSAGE", default=None)
    pid: str = msgspec.field(name="_PID", default="")
    transport: str = msgspec.field(name="_TRANSPORT", default="")
    unit: str = msgspec.field(name="_SYSTEMD_UNIT", default="")


def lines(command: str = "journalctl") -> Iterator[str]:
    """Return the last lines of the hub's units and of systemd about them, then the kernel's warnings; newest first.

    Gives nothing where there is no journal, or where this user may not read it.
    """
    names = {procedure.name for procedure in registry.every()}
    for selected in _SELECTED:
        for entry in _entries(command, selected):
            yield f"{_when(entry.at_us)} {_told(entry, names)}"[:_LINE_CHARS]


def _entries(command: str, selected: tuple[str, ...]) -> Iterator[_Entry]:
    path = which(command)
    if path is None:
        return
    words = (path, *selected, "--output", "json", "--reverse", "--no-pager", "--quiet")
    try:
        done = subprocess.run(words, capture_output=True, timeout=_S, check=False, stdin=subprocess.DEVNULL)  # noqa: S603  journalctl
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in done.stdout.splitlines():
        try:
            yield msgspec.json.decode(line, type=_Entry)
        except msgspec.DecodeError:
            continue


def _told(entry: _Entry, names: set[str]) -> str:
    """Return the line: systemd and the kernel know nothing of people, the units are held to what is known."""
    text = entry.message if isinstance(entry.message, str) else ""
    if entry.transport == "kernel":
        return f"kernel: {text}"
    if entry.pid == _SYSTEMD:
        return f"systemd: {text}"
    return f"{entry.unit}: {redacted(text, names)}"


def _when(at_us: str) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(int(at_us) / 1_000_000)) if at_us.isdecimal() else ""
