"""A card whose data partition is a file: the kernel's own ext4 and the real e2fsck; a loop device stands for LUKS.

A damaged block of the card is a block of the file system that reads as noise, whether it is encrypted or not. A header
of LUKS that is damaged is told by other tests.
"""

import gc
from pathlib import Path

from hub.firstboot import data, kept, ladder, overlay, vault
from hub.firstboot.board import KeyPlace
from hub.firstboot.ladder import Card, Opened
from hub.firstboot.machine import Machine
from tests.outside import run

_SECTOR = 512
_KEY = bytes(32)


def copy(image: Path, to: Path) -> None:
    """Copy a file of which most is not there."""
    assert run("cp", "--sparse=auto", image, to).returncode == 0


class Looped(Machine):
    """What lies in ``root`` is the board's; ``partition`` is the file of the data partition."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        for folder in ("dev/mapper", "proc", "etc/hikma-hub", "data", "run"):
            (root / folder).mkdir(parents=True)
        (root / "proc/meminfo").write_text("MemTotal:  438220 kB\n")
        self.path(kept.MARK).write_text("a hub\n")

    @property
    def partition(self) -> Path:
        return self.root / "partition.img"

    def climb(self) -> Opened:
        """Open the data as first boot does."""
        return ladder.climb(Card(self, self.partition, _KEY, KeyPlace.CARD))

    def power_off(self) -> None:
        """Unmount everything."""
        gc.collect()  # what was opened of a damaged database keeps the file system busy until it is forgotten
        for mount in reversed(self._mounts()):
            super().run("umount", mount)
        vault.close(self)
        overlay.lift(self)

    def run(self, *command: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,)) -> str:
        """Run a program, or what stands for it."""
        name, *words = command
        match name:
            case "chown" | "truncate":
                return ""
            case "blockdev":
                return f"{self.partition.stat().st_size // _SECTOR}\n"
            case "losetup":  # the overlay's own
                return "loop\n" if "--show" in words else ""
            case "mount" if "tmpfs" in words and words[-1] != str(self.path(data.MOUNT)):
                return ""
            case "dmsetup" | "cryptsetup":
                self._map(name, words)
                return ""
            case _:
                opened = [str(self._mapped.readlink()) if word == str(vault.MAPPED) else word for word in words]
                return super().run(name, *opened, stdin=stdin, accept=accept)

    def _map(self, name: str, words: list[str]) -> None:
        """Open or close a view of the partition."""
        match name, words[0]:
            case "dmsetup", "create":
                copy(self.partition, self._laid)
            case "dmsetup", _:
                self._laid.unlink()
            case _, "open":
                device = self._laid if words[-2].endswith(self._laid.name) else Path(words[-2])
                self._mapped.symlink_to(super().run("losetup", "--find", "--show", str(device)).strip())
            case _:
                super().run("losetup", "--detach", str(self._mapped.readlink()))
                self._mapped.unlink()

    @property
    def _mapped(self) -> Path:
        return self.path(str(vault.MAPPED))

    @property
    def _laid(self) -> Path:
        return self.path("/dev/mapper/hikma-overlay")

    def _options(self, mount: str) -> list[str]:
        found: list[str] = []
        for line in Path("/proc/self/mounts").read_text("utf-8").splitlines():
            _, where, _, options, *_ = line.split()
            if where == str(self.path(mount)):
                found = options.split(",")
        return found

    def _mounts(self) -> list[str]:
        lines = Path("/proc/self/mounts").read_text("utf-8").splitlines()
        return [where for _, where, *_ in map(str.split, lines) if where.startswith(f"{self.root}/")]
