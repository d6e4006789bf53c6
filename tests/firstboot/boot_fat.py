"""The boot partition as image/steps/50-card makes it, with both systems on it; what fsck makes of it, and who reads it.

mtools read in the place of the firmware, and of the kernel's vfat, which not every kernel that runs the tests has.
"""

import random
import re
from collections.abc import Iterable
from itertools import chain, groupby
from pathlib import Path

from hub.core.update import slots
from hub.core.update.slots import Slot
from hub.services.update import boot_partition
from tests.firmware import started
from tests.firstboot.looped import copy
from tests.image.raspios import CONFIG
from tests.outside import run, tool

BLOCK = 4096
"""Of the card, and a cluster of the partition."""
LABEL = "HIKMA-BOOT"
_BYTES = 512 * 2**20
_FAT_AT, _DATA_AT = 4, 258
"""Where the first FAT begins, in blocks; a cluster's block is _DATA_AT behind its number."""
_FAT_BLOCKS = 128
_ENTRIES = BLOCK // 4
"""Clusters of which one block of a FAT tells the next."""
_FIRMWARE = ("start", "start4", "start_cd", "start_x", "start_db", "start4cd", "start4x", "start4db")
_BOARDS = 26
_OVERLAYS = 340
_FIRST = ("bootcode.bin", "start.elf", "fixup.dat", slots.CONFIG)
_OF_SYSTEM = ("kernel8.img", "initramfs8", "cmdline.txt", "bcm2710-rpi-3-b.dtb", "overlays/README")
"""What a Pi 3 starts by, beside."""
_FOLDERS = ("", *(f"{slot.folder}{inner}" for slot in Slot for inner in ("", "/overlays")))
Files = dict[str, bytes]


def fill(boot: Path) -> None:
    """Lay out firmware and both systems, sized as on a card, but of kernel, initramfs and firmware an eighth."""
    noise = random.Random(0)
    _put(boot / "bootcode.bin", noise.randbytes(52_000))
    for name in _FIRMWARE:
        _put(boot / f"{name}.elf", noise.randbytes(350_000))
        _put(boot / f"{name.replace('start', 'fixup')}.dat", noise.randbytes(7000))
    for slot in Slot:
        _fill_system(boot / slot.folder, slot, noise)
        boot_partition.seal(boot, slot)
    (boot / slots.CONFIG).write_text(slots.configured(CONFIG, Slot.A))


def _fill_system(folder: Path, slot: Slot, noise: random.Random) -> None:
    for name, size in (("kernel8.img", 1_200_000), ("kernel_2712.img", 1_200_000)):
        _put(folder / name, noise.randbytes(size))
    for name in ("initramfs8", "initramfs_2712"):
        _put(folder / name, noise.randbytes(1_700_000))
    _put(folder / "cmdline.txt", f"root=LABEL=hikma-root-{slot} rauc.slot={slot}\n".encode())
    _put(folder / slots.CONFIG, CONFIG.encode())
    for number in range(_BOARDS):
        name = "bcm2710-rpi-3-b.dtb" if number == 0 else f"bcm27{number}-rpi-board-{number}.dtb"
        _put(folder / name, noise.randbytes(noise.randrange(30_000, 80_000)))
    _put(folder / "overlays/README", noise.randbytes(150_000))
    for number in range(_OVERLAYS):
        _put(folder / f"overlays/some-part-{number}.dtbo", noise.randbytes(noise.randrange(400, 5000)))


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


class BootFat:
    """A FAT32 in a file, of what lies in a folder; ``pristine`` are its files."""

    def __init__(self, image: Path, boot: Path) -> None:
        self._image = image
        self._damaged = image.with_name("damaged.fat")
        image.touch()
        with image.open("r+b") as file:
            file.truncate(_BYTES)
        mkfs, mcopy = tool("mkfs.vfat", "apt install dosfstools"), tool("mcopy", "apt install mtools")
        assert run(mkfs, "--invariant", "-F", "32", "-n", LABEL, image).returncode == 0
        # As on a card: what the image has comes first, then the file of a person, then the second system.
        order = sorted(boot.iterdir(), key=lambda path: (path.name == Slot.B.folder, path.suffix == ".toml", path.name))
        done = run(mcopy, "-s", "-Q", "-m", "-i", image, *order, "::/")
        assert done.returncode == 0, done.stderr
        self.pristine = {str(path.relative_to(boot)): path.read_bytes() for path in boot.rglob("*") if path.is_file()}

    def spoil(self, block: int, noise: bytes) -> None:
        """Let one block of a copy read as noise."""
        self._damaged.unlink(missing_ok=True)
        copy(self._image, self._damaged)
        with self._damaged.open("r+b") as file:
            file.seek(block * BLOCK)
            file.write(noise)

    def read(self) -> Files:
        """Return what can be read of the copy."""
        return read(self._damaged, self.pristine)

    def begins(self) -> bool:
        """Whether a Pi 3 comes up by the copy: it finds a kernel, and all that it needs is as it was."""
        of_system = {slot.folder: [f"{slot.folder}/{name}" for name in _OF_SYSTEM] for slot in Slot}
        files = read(self._damaged, [*_FIRST, *chain(*of_system.values())])
        folder = started(files)
        return folder is not None and all(
            files.get(name) == self.pristine[name] for name in (*_FIRST, *of_system[folder])
        )

    def check(self) -> str:
        """Check the copy as systemd-fsck does at each start; returns what is said, the status first.

        With errors that are left (4) the partition is not mounted: systemd-fsck@.service(8), and fstab's nofail. -w is
        ours: it leaves the same, and spares half a minute in which fsck searches what it is going to write.
        """
        done = run(tool("fsck.vfat", "apt install dosfstools"), "-a", "-w", self._damaged)
        said = [line for line in done.stdout.splitlines()[1:] if line.strip() and "clusters" not in line]
        return f"{done.returncode} {' / '.join(said)}"

    def mounts(self) -> bool:
        """Whether the partition is found by its label, which is how fstab names it, and can be read."""
        label = run(tool("blkid", "apt install util-linux"), "-p", "-s", "LABEL", "-o", "value", self._damaged)
        return label.stdout.strip() == LABEL and run("mdir", "-i", self._damaged, "::/").returncode == 0

    def blocks(self) -> range:
        """Return all blocks up to the last one that is in use."""
        return range(max(self._used()) + 1)

    def own_blocks(self) -> list[int]:
        """Return the file system's own: the reserved ones, those of both FATs that lead to a file, the folders."""
        leading = {block - _DATA_AT for block in self._used()}
        fat = sorted({_FAT_AT + cluster // _ENTRIES for cluster in leading})
        return [*range(_FAT_AT), *fat, *(block + _FAT_BLOCKS for block in fat), *self.blocks_of(*_FOLDERS)]

    def blocks_of(self, *names: str) -> list[int]:
        """Return where files and folders lie."""
        printed = run("mshowfat", "-i", self._image, *(f"::/{name}" for name in names)).stdout
        spans = [(int(first), int(last or first)) for first, last in re.findall(r"<(\d+)(?:-(\d+))?>", printed)]
        return [_DATA_AT + cluster for first, last in spans for cluster in range(first, last + 1)]

    def _used(self) -> list[int]:
        return self.blocks_of(*self.pristine, *_FOLDERS)


def read(image: Path, names: Iterable[str]) -> Files:
    """Return those of the files that mtools can read of a FAT; what noise is among the names nobody asks for."""
    into = image.with_name("read")
    run("rm", "-rf", into)
    for folder, wanted in groupby(sorted(names, key=_folder), key=_folder):
        (into / folder).mkdir(parents=True, exist_ok=True)
        run("mcopy", "-n", "-i", image, *(f"::/{name}" for name in wanted), into / folder, MTOOLS_SKIP_CHECK="1")
    return {str(path.relative_to(into)): path.read_bytes() for path in into.rglob("*") if path.is_file()}


def _folder(name: str) -> str:
    return str(Path(name).parent)
