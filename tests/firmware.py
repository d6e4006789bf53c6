"""A model of the Raspberry Pi's firmware: whose kernel a boot partition starts (documentation of config.txt)."""

from collections.abc import Collection, Mapping


def started(files: Mapping[str, bytes], *, tryboot: bool = False, board: str = "pi3") -> str | None:
    """Return the folder whose kernel starts; None where nothing does. files: by their path on the partition.

    tryboot: a restart asked for it; the firmware forgets that as soon as it has read it.
    """
    read = files.get("tryboot.txt" if tryboot else "config.txt", b"").decode("ascii", "replace")
    prefix, kernel = prefix_of(read, files, board=board), settings(read, board).get("kernel", "kernel8.img")
    return prefix.removesuffix("/") if prefix + kernel in files else None


def prefix_of(text: str, files: Collection[str], *, board: str = "pi3") -> str:
    """Return what a config.txt puts before the name of each file of the system, of those that are on the partition."""
    found = settings(text, board)
    prefix = found.get("os_prefix", "")
    # The firmware tests whether a prefix leads to a kernel, and else does without it.
    return prefix if prefix + found.get("kernel", "kernel8.img") in files else ""


def system_of(text: str, *, board: str = "pi3") -> tuple[str, str]:
    """Return the names of kernel and initramfs that a config.txt leads to, without its prefix."""
    found = settings(text, board)
    kernel = found.get("kernel", "kernel8.img")
    named = kernel.removesuffix(".img").replace("kernel", "initramfs") if found.get("auto_initramfs") == "1" else ""
    return kernel, found.get("initramfs", named)


def settings(text: str, board: str = "pi3") -> dict[str, str]:
    """Return what a config.txt says to a board, by its keys."""
    found: dict[str, str] = {}
    section = "all"
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#") and section in {"all", board}:
            name, _, value = line.partition("=")
            found[name] = value
        elif line.startswith("initramfs ") and section in {"all", board}:
            found["initramfs"] = line.split()[1]
    return found
