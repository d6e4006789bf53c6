"""Looks whether an initramfs is fit for a card: ``initramfs.py FILE`` says what is wrong with it, and exits with 1.

Wrong is what would set up the card by itself, as the maker's of Raspberry Pi OS does, and a program of another machine
than the box: the one that builds lends its own (native-tools).
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ARM64 = (183).to_bytes(2, "little")
_SETS_UP = ("firstboot", "imager_fixup")
_HEADER = 110


def members(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """Give name and contents of each file: in cpio archives ("newc") one after the other, the last one compressed.

    Source: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
    """
    at = 0
    while rest := blob[at:].lstrip(b"\0"):
        at = len(blob) - len(rest)
        if not rest.startswith(b"070701"):
            done = subprocess.run(("zstd", "-dc"), input=rest, capture_output=True, check=True)  # noqa: S607
            blob, at = done.stdout, 0
            continue
        while True:
            size, name_size = int(blob[at + 54 : at + 62], 16), int(blob[at + 94 : at + 102], 16)
            begin = at + _HEADER + name_size
            name = blob[at + _HEADER : begin - 1].decode()
            begin += -begin % 4
            at = begin + size + -size % 4
            if name == "TRAILER!!!":
                break
            yield name, blob[begin : begin + size]


def faults(blob: bytes) -> Iterator[str]:
    """Say what is wrong with an initramfs."""
    count = 0
    for name, held in members(blob):
        count += 1
        if name.rpartition("/")[2] in _SETS_UP:
            yield f"{name} would set up the card"
        if held.startswith(b"\x7fELF") and held[18:20] != _ARM64:
            yield f"{name} is a program of another machine"
    if not count:
        yield "there is nothing in it"


if __name__ == "__main__":
    try:
        found = list(faults(Path(sys.argv[1]).read_bytes()))
    except (ValueError, subprocess.CalledProcessError):
        found = ["it is cut short, or no initramfs at all"]
    sys.exit("\n".join(f"{sys.argv[1]}: {fault}" for fault in found) or 0)
