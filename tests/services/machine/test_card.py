import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.services.machine import card


def test_the_speed_of_a_card_is_measured_and_nothing_stays_behind(tmp_path: Path) -> None:
    found = card.speed(tmp_path)
    assert found.write_mb_s > 0
    assert found.commit_ms > 0
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder on a card with 8 MB free above the reserve."""
    free = card._RESERVE_BYTES + 8 * card._BLOCK_BYTES
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    return tmp_path


def test_an_honest_card_gives_back_what_it_took(small: Path) -> None:
    done: list[int] = []
    assert card.wrong_blocks(small, done.append) == 0
    assert done == list(range(16))
    assert list(small.iterdir()) == []


def test_a_forged_card_is_found_out(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = os.fsync

    def wrap_around(handle: int) -> None:
        """Keep the first half under the second, as a card of half the size does."""
        half = os.pread(handle, 4 * card._BLOCK_BYTES, 4 * card._BLOCK_BYTES)
        os.pwrite(handle, half, 0)
        flush(handle)

    monkeypatch.setattr(os, "fsync", wrap_around)
    assert card.wrong_blocks(small) == 4


def test_errors_of_the_file_systems_are_counted(tmp_path: Path) -> None:
    assert card.errors(tmp_path) is None
    for name, count in (("mmcblk0p2", "0"), ("dm-0", "3")):
        folder = tmp_path / "sys/fs/ext4" / name
        folder.mkdir(parents=True)
        (folder / "errors_count").write_text(f"{count}\n")
    assert card.errors(tmp_path) == 3
