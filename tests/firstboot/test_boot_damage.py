"""One block of a card's boot partition reads as noise: what fsck leaves, what starts, and whether it is the same hub.

``make card-damage N=100 SEED=1`` draws as many blocks and prints a table. First boot is tried also where the firmware
finds no kernel: another firmware may read more of a FAT than mtools do.
"""

import os
import random
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum

import click
import msgspec
import pytest

from hub.firstboot.card_config import FILE_NAME
from hub.firstboot.report import FirstBootReport
from hub.firstboot.steps import BOOT
from tests.firstboot import boot_fat
from tests.firstboot.boot_fat import BLOCK, BootFat, Files
from tests.firstboot.flashed import Flashed
from tests.firstboot.test_steps import FILE, contents

ROUNDS = int(os.environ.get("ROUNDS", "4"))
SEED = int(os.environ.get("SEED", "1"))
_COMMENT = "# This line makes the file longer than a block of the card, as a certificate does.\n" * 50
_COUNTING = tuple(f"INSERT INTO \"hub\" VALUES('{key}'" for key in ("time", "clock"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


class State(StrEnum):
    """What people see."""

    USUAL = "starts as usual"
    TOLD = "starts, and says that the file is damaged"
    ONCE = "starts this once: what fsck leaves does not"
    DEAD = "the firmware finds no kernel that is whole"


@dataclass(frozen=True)
class Ray:
    """What became of one damaged block."""

    block: int
    begins: bool
    begins_again: bool
    """At the next start, after fsck."""
    fsck: str
    is_same_file: bool
    """hikma-hub.toml reads as it was written."""
    report: FirstBootReport
    changed: frozenset[str]
    """What is otherwise on the card, but on the boot partition."""

    @property
    def state(self) -> State:
        """Name what people see."""
        if not self.begins:
            return State.DEAD
        if not self.begins_again:
            return State.ONCE
        return State.TOLD if self.report.refused else State.USUAL


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Flashed:
    """Return a card that was a hub for a while, with both systems on its boot partition."""
    made = Flashed(tmp_path_factory.mktemp("board") / "card")
    made.put(FILE + _COMMENT + '[[wifi]]\nname = "House"\nopen = true\n')
    made.boot()
    boot_fat.fill(made.path(BOOT))
    return made


@pytest.fixture(scope="module")
def fat(card: Flashed, tmp_path_factory: pytest.TempPathFactory) -> BootFat:
    """Return its boot partition."""
    return BootFat(tmp_path_factory.mktemp("fat") / "boot.fat", card.path(BOOT))


def held(card: Flashed) -> dict[str, object]:
    """Return all that a card has but on its boot partition, and rows that only count time."""
    with closing(sqlite3.connect(card.path("/data/hub/hub.db"))) as db:
        rows = {line for line in db.iterdump() if not line.startswith(_COUNTING)}
    found = {name: value for name, value in contents(card).items() if not name.startswith("boot/")}
    return {**found, "hub.db": rows}


def start(card: Flashed, files: Files | None) -> FirstBootReport:
    """Run first boot on what can be read of the boot partition; None where it is not mounted."""
    boot = card.path(BOOT)
    shutil.rmtree(boot)
    boot.mkdir()
    for name, content in (files or {}).items():
        (boot / name).parent.mkdir(parents=True, exist_ok=True)
        (boot / name).write_bytes(content)
    if files is None:
        mounts = card.path("/proc/self/mounts")
        mounts.write_text("".join(f"{line}\n" for line in mounts.read_text().splitlines() if BOOT not in line))
    report = card.boot()
    assert report is not None
    return report


def ray(card: Flashed, fat: BootFat, block: int, noise: bytes) -> Ray:
    """Damage a block, start, and look."""
    before = held(card)
    fat.spoil(block, noise)
    begins = fat.begins()
    said = fat.check()
    files = fat.read() if fat.mounts() and not said.startswith("4") else None
    begins_again = begins and fat.begins()
    report = start(card, files)
    after = held(card)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    is_same = files is not None and files.get(FILE_NAME) == fat.pristine[FILE_NAME]
    return Ray(block, begins, begins_again, said, is_same, report, frozenset(changed))


@pytest.mark.parametrize("of", ["anywhere", "own", "settings"])
def test_of_one_damaged_block_of_the_boot_partition_people_are_told_or_nothing_is_amiss(
    card: Flashed, fat: BootFat, of: str
) -> None:
    sound = start(card, fat.pristine)
    assert sound.refused is None
    blocks = {"anywhere": fat.blocks(), "own": fat.own_blocks(), "settings": fat.blocks_of(FILE_NAME)}[of]
    draw, found = random.Random(SEED), list[Ray]()
    for number in range(1, ROUNDS + 1):
        one = ray(card, fat, draw.choice(blocks), draw.randbytes(BLOCK))
        found.append(one)
        click.echo(f"{number:4} block {one.block:6} {one.state:45} fsck {one.fsck:.60}  {one.report.refused or ''}")
        assert msgspec.structs.replace(one.report, refused=None) == sound, "it is another hub"
        assert not one.changed, "a file was obeyed that nobody wrote"
        assert one.is_same_file or one.report.refused, "nobody is told that the file is damaged"
    for state, times in Counter(one.state for one in found).most_common():
        click.echo(f"{state}: {times} of {ROUNDS}")
