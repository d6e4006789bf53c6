"""What fsck.vfat, which Linux runs at each start, makes of a FAT whose last change was cut in the middle."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.outside import run, tool

OLD, NEW = b"old config\n", b"new config, longer than the old one\n"
CONFIG, BESIDE = b"CONFIG  TXT", b"BESIDE  TXT"
_ENTRY = 32
_START_AND_SIZE = ((20, 22), (26, 32))
"""Where an entry says where its content begins, and how long it is (Microsoft's FAT specification, section 6)."""


class Fat:
    """A small FAT32 in a file: config.txt, which the image wrote first, and beside it what was written later."""

    def __init__(self, image: Path) -> None:
        self.image = image
        mkfs = tool("mkfs.vfat", "apt install dosfstools")
        with image.open("wb") as file:
            file.truncate(40 * 1024 * 1024)
        assert run(mkfs, "-F", "32", "-s", "1", image).returncode == 0
        for name, content in (("config.txt", OLD), ("beside.txt", NEW)):
            (image.parent / name).write_bytes(content)
            done = run(tool("mcopy", "apt install mtools"), "-i", image, image.parent / name, f"::{name}")
            assert done.returncode == 0, done.stderr
        self.raw = bytearray(image.read_bytes())
        self._sector = int.from_bytes(self.raw[11:13], "little")
        self._fats = int.from_bytes(self.raw[14:16], "little") * self._sector
        self._fat_bytes = int.from_bytes(self.raw[36:40], "little") * self._sector
        root = self._fats + self.raw[16] * self._fat_bytes
        self._entries = {bytes(self.raw[at : at + 11]): at for at in range(root, root + self._sector, _ENTRY)}

    def lead(self, name: bytes, to: bytes) -> None:
        """Let a name lead to the content of another one."""
        at, other = self._entries[name], self._entries[to]
        for start, end in _START_AND_SIZE:
            self.raw[at + start : at + end] = self.raw[other + start : other + end]

    def remove(self, name: bytes) -> None:
        """Remove a name, not the content."""
        self.raw[self._entries[name]] = 0xE5

    def free(self, name: bytes) -> None:
        """Free the content of a name, which goes on leading there."""
        at = self._entries[name]
        cluster = int.from_bytes(self.raw[at + 26 : at + 28], "little")
        for copy in range(self.raw[16]):
            place = self._fats + copy * self._fat_bytes + cluster * 4
            self.raw[place : place + 4] = bytes(4)

    def checked(self) -> bytes:
        """Return config.txt after fsck."""
        self.image.write_bytes(self.raw)
        run(tool("fsck.vfat", "apt install dosfstools"), "-a", self.image)
        run("mcopy", "-o", "-i", self.image, "::config.txt", self.image.parent / "read")
        return (self.image.parent / "read").read_bytes()


@pytest.fixture
def fat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fat:
    monkeypatch.setenv("PATH", "/usr/sbin", prepend=":")
    return Fat(tmp_path / "fat.img")


def _both_new(fat: Fat) -> None:
    fat.lead(CONFIG, BESIDE)


def _both_old(fat: Fat) -> None:
    fat.lead(BESIDE, CONFIG)


def _nothing(_: Fat) -> None:
    pass


@pytest.mark.parametrize(("torn", "content"), [(_nothing, OLD), (_both_new, NEW), (_both_old, OLD)])
def test_two_names_that_are_cut_while_they_change_places_leave_the_first_with_one_content_or_the_other(
    fat: Fat, torn: Callable[[Fat], None], content: bytes
) -> None:
    torn(fat)
    assert fat.checked() == content


def test_a_name_that_is_cut_while_it_takes_the_place_of_another_can_lose_both(fat: Fat) -> None:
    """Why config.txt changes places: a rename frees the old content, perhaps before the name leads to the new one."""
    fat.free(CONFIG)
    assert fat.checked() == b""


def test_a_new_name_that_is_cut_is_there_or_not(fat: Fat) -> None:
    fat.remove(BESIDE)
    assert fat.checked() == OLD
