"""Small file systems of a test's own, to be filled and to fail; mounting needs root."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outside import tool

_BYTES = 64 * 1024 * 1024


class Mount:
    """A file system of 64 MB at ``path``: ext4 in a file, as on the card."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        image = path.with_suffix(".img")
        with image.open("wb") as file:
            file.truncate(_BYTES)
        _run("mkfs.ext4", "-q", "-m", "0", str(image))
        try:
            _run("mount", "-o", "loop,errors=remount-ro", str(image), str(path))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine lets nobody mount: {error.stderr.decode().strip()}")

    def fill(self, *, but: int = 0) -> None:
        """Write until there is no room for a byte, ``but`` for so many."""
        with (self.path / "filling").open("wb", buffering=0) as file:
            for size in (1024 * 1024, 4096, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue
            if but:
                file.truncate(file.tell() - but)

    def empty(self) -> None:
        """Return the room back."""
        (self.path / "filling").unlink()

    def read_only(self) -> None:
        """Let nothing be written any more; nobody may be writing."""
        _run("mount", "-o", "remount,ro", str(self.path))

    def writable(self) -> None:
        """Let it be written again."""
        _run("mount", "-o", "remount,rw", str(self.path))

    def fail(self) -> None:
        """Let ext4 take it that the card failed: it mounts itself read-only, under whoever writes."""
        _run("mount", "-o", "remount,abort", str(self.path))

    def freeze(self) -> None:
        """Let whoever writes hang in the kernel, as a stick does that does not answer."""
        _run("fsfreeze", "--freeze", str(self.path))

    def thaw(self) -> None:
        """Let them go on."""
        _run("fsfreeze", "--unfreeze", str(self.path))

    def close(self) -> None:
        """Take it away, also from under a process that still has it."""
        _run("umount", "--lazy", str(self.path))


class FatMount(Mount):
    """A FAT file system of 64 MB, as a stick has one; by FUSE, for not every kernel has it."""

    make = ("mkfs.vfat", "apt install dosfstools")

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self._image = path.with_suffix(".img")
        with self._image.open("wb") as file:
            file.truncate(_BYTES)
        _run(tool(*self.make), str(self._image))
        self.plug()

    def plug(self) -> None:
        """Put the stick in."""
        try:
            _run(tool("fusefat", "apt install fusefat"), "-o", "rw+", str(self._image), str(self.path))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine lets nobody mount: {error.stderr.decode().strip()}")

    def pull(self) -> None:
        """Pull it out, under whoever writes."""
        self.close()


class ExfatMount(FatMount):
    """An exFAT file system of 64 MB, as a large stick has one; by FUSE, which wants a block device."""

    make = ("mkfs.exfat", "apt install exfatprogs")

    def plug(self) -> None:
        """Put the stick in."""
        try:
            self._device = _run("losetup", "--find", "--show", str(self._image)).strip()
            _run(tool("mount.exfat-fuse", "apt install exfat-fuse"), self._device, str(self.path))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine lets nobody mount: {error.stderr.decode().strip()}")

    def close(self) -> None:
        """Take it away, also from under a process that still has it."""
        super().close()
        _run("losetup", "--detach", self._device)


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True).stdout.decode()


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Return a mounted file system."""
    made = Mount(tmp_path / "card")
    yield made
    made.close()
