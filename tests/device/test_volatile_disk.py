from pathlib import Path

import pytest

from tests.device.volatile_disk import VolatileDisk

SECTOR = bytes(range(256)) * 2


@pytest.fixture
def image(tmp_path: Path) -> Path:
    made = tmp_path / "card.img"
    made.write_bytes(bytes(512 * 1000))
    return made


def test_what_was_written_is_read_back_flushed_or_not(image: Path) -> None:
    disk = VolatileDisk(image)
    disk.write(512 * 3, SECTOR * 2)
    assert disk.read(512 * 2, 512 * 4) == bytes(512) + SECTOR * 2 + bytes(512)
    assert image.read_bytes() == bytes(512 * 1000)
    disk.flush()
    assert image.read_bytes()[512 * 3 : 512 * 5] == SECTOR * 2


def test_a_cut_loses_some_of_what_was_not_flushed_and_nothing_of_what_was(image: Path) -> None:
    disk = VolatileDisk(image)
    disk.write(0, SECTOR * 100)
    disk.flush()
    disk.write(512 * 100, SECTOR * 900)
    disk.cut()
    content = image.read_bytes()
    kept = sum(content[at : at + 512] == SECTOR for at in range(512 * 100, 512 * 1000, 512))
    assert content[: 512 * 100] == SECTOR * 100
    assert 300 < kept < 600


def test_what_lies_before_the_kept_part_is_read_back_and_never_kept(image: Path) -> None:
    disk = VolatileDisk(image, kept_from=512 * 10)
    disk.write(512 * 9, SECTOR * 2)
    disk.flush()
    assert disk.read(512 * 9, 512 * 2) == SECTOR * 2
    disk.cut()
    assert image.read_bytes()[512 * 9 : 512 * 11] == bytes(512) + SECTOR
