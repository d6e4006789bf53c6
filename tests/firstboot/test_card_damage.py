"""One block of a card that was a hub reads as noise: what state follows, what is said, and how much can be read.

``make card-damage N=100 SEED=1`` draws as many blocks and prints a table.
"""

import os
import random
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
import pytest

from hub.app.opening import opened
from hub.core.records.tables import TABLES
from hub.core.status.card import CardShape
from hub.settings import Settings
from hub.store import rebuild
from hub.store.database import FILE_NAME
from tests.bench.material import hub
from tests.firstboot.looped import Looped, copy
from tests.mounts import mount

ROUNDS = int(os.environ.get("ROUNDS", "6"))
SEED = int(os.environ.get("SEED", "1"))
RECORDS = 10_000
BLOCK = 4096
PARTITION_BYTES = 256 * 2**20
"""Enough for the file system to keep its descriptors twice, as on every card."""
BLOCKS = 64 * 2**20 // BLOCK
"""Where the hub's data lies, and some that nobody uses."""
METADATA = 250
"""So many at the beginning are the file system's own: superblock, descriptors, bitmaps, inodes, folders."""
JOURNAL_BYTES = 8 * 2**20
Contents = dict[tuple[str, int], str]
"""Table and number -> what the hub keeps of a record."""

__all__ = ["mount"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0), pytest.mark.usefixtures("mount")]


@dataclass(frozen=True)
class Ray:
    """What became of one damaged block."""

    block: int
    shape: CardShape
    why: str
    """Why the card is not sound."""
    is_mended: bool
    """The database was written anew."""
    damage: str
    """What the hub says of its database; "" where it serves."""
    read: int
    otherwise: int
    """Records that read otherwise than they were entered."""

    @property
    def state(self) -> str:
        """Name what people are told."""
        if self.damage:
            return "database damaged"
        return "database mended" if self.is_mended and self.shape.keeps else f"card {self.shape}"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Contents]:
    """Return the partition of a hub at work, and what it holds."""
    folder = tmp_path_factory.mktemp("pristine")
    (data := folder / "data").mkdir()
    store, _ = hub(data / "hub", RECORDS)
    store.close()
    for name in ("journal", "connections", "network", "chrony", "systemd"):
        (data / name).mkdir()
    (data / "journal/system.journal").write_bytes(random.Random(0).randbytes(JOURNAL_BYTES))
    image = folder / "partition.img"
    image.touch()
    os.truncate(image, PARTITION_BYTES)
    made = ("mke2fs", "-q", "-F", "-t", "ext4", "-b", str(BLOCK), "-m", "1", "-i", "65536", "-d", str(data), str(image))
    subprocess.run(made, check=True)
    return image, contents(data / "hub" / FILE_NAME)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Looped]:
    machine = Looped(tmp_path / "board")
    yield machine
    machine.power_off()


def contents(file: Path) -> Contents:
    """Read every record that can be read, each by itself where all together cannot be."""
    found: Contents = {}
    db = sqlite3.connect(file)
    db.text_factory = bytes
    for name in TABLES:
        try:
            [last] = db.execute(f"SELECT max(num) FROM [{name}]").fetchone()
        except sqlite3.DatabaseError:
            last = RECORDS
        for num in range(1, (last or 0) + 1):
            try:
                row = db.execute(f"SELECT data FROM [{name}] WHERE num = ?", [num]).fetchone()
                if row is not None:
                    found[name, num] = msgspec.json.encode(msgspec.json.decode(row[0])).decode()
            except (sqlite3.Error, msgspec.DecodeError):
                continue
    db.close()
    return found


def ray(board: Looped, image: Path, before: Contents, block: int, noise: bytes) -> Ray:
    """Damage a block, start, and look."""
    copy(image, board.partition)
    with board.partition.open("r+b") as partition:
        partition.seek(block * BLOCK)
        partition.write(noise)
    climbed = board.climb()
    shape = climbed.shape
    file = board.path("/var/lib/hikma-hub") / FILE_NAME
    damage: tuple[str, ...] = ()
    read, is_mended = Contents(), False
    if file.exists():
        store, damage = opened(file.parent, Settings(), climbed.shape)
        if store:
            shape = store.card
            store.close()
        read, is_mended = contents(file), rebuild.before(file).exists()
    board.power_off()
    otherwise = sum(before.get(key) != value for key, value in read.items())
    said = damage[0].splitlines()[-1] if damage else ""
    return Ray(block, shape, climbed.why, is_mended, said, len(read) - otherwise, otherwise)


@pytest.mark.parametrize("blocks", [BLOCKS, METADATA], ids=["anywhere", "metadata"])
def test_of_one_damaged_block_people_are_told_or_everything_is_there(
    board: Looped, pristine: tuple[Path, Contents], blocks: int
) -> None:
    image, before = pristine
    draw, found = random.Random(SEED), list[Ray]()
    for number in range(1, ROUNDS + 1):
        one = ray(board, image, before, draw.randrange(blocks), draw.randbytes(BLOCK))
        found.append(one)
        click.echo(f"{number:4} block {one.block:6} {one.state:17} {one.read:6} read  {one.why or one.damage}")
        assert one.otherwise == 0, one
        assert one.read == len(before) or one.damage or one.shape in {CardShape.PARTLY, CardShape.GONE}, one
    for state, times in Counter(one.state for one in found).most_common():
        read = sorted(one.read for one in found if one.state == state)
        least, half = read[0], read[len(read) // 2]
        click.echo(
            f"{state}: {times} of {ROUNDS}; of {len(before)} records {half} can be read in the median, {least} at least"
        )
