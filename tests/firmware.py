"""A model of the Raspberry Pi's firmware: whose kernel a boot partition starts (documentation of config.txt)."""

from collections.abc import Mapping


def started(files: Mapping[str, bytes], *, tryboot: bool = False, board: str = "pi3") -> str | None:
    """Return the folder whose kernel starts; None where nothing does. files: by their path on the partition.

    tryboot: a restart asked for it; the firmware forgets that as soon as it has read it.
    """
    read = files.get("tryboot.txt" if tryboot else "config.txt", b"").decode("ascii", "replace")
    found = _settings(read, board)
    prefix, kernel = found.get("os_prefix", ""), found.get("kernel", "kernel8.img")
    if prefix + kernel not in files:
        prefix = ""  # the firmware tests whether a prefix leads to a kernel, and else does without it
    return prefix.removesuffix("/") if prefix + kernel in files else None


def _settings(text: str, board: str) -> dict[str, str]:
    found: dict[str, str] = {}
    section = "all"
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#") and section in {"all", board}:
            name, _, value = line.partition("=")
            found[name] = value
    return found
