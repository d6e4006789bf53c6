"""Of a damaged database, what can be read is written anew, and nothing else."""

import contextlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hub.store import rebuild
from hub.store.database import FILE_NAME
from tests.bench.material import hub
from tests.store.test_rebuild import is_sound, pages, spoil

RECORDS = 2500
LONG, LONG_NUM = "long " * 4000, 777


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of so many records that their tree has branches, one with a text of several pages."""
    folder = tmp_path_factory.mktemp("kept")
    store, _ = hub(folder, RECORDS)
    store.close()
    with closing(sqlite3.connect(folder / FILE_NAME)) as db, db:
        db.execute("UPDATE events SET data = json_set(data, '$.note', ?) WHERE num = ?", [LONG, LONG_NUM])
    return folder / FILE_NAME


@pytest.fixture
def file(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(kept, tmp_path / FILE_NAME))


def leaves(file: Path, table: str, kind: str = "leaf") -> list[int]:
    """Return the pages that hold the rows of a table, in order, or its branches."""
    with closing(sqlite3.connect(file)) as db:
        found = db.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path", [table, kind])
        return [page for (page,) in found]


def rows(file: Path, table: str) -> set[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as db:
        return set(db.execute(f"SELECT * FROM [{table}]"))


def one_by_one(file: Path) -> set[tuple[object, ...]]:
    """Return the events that can be read by themselves."""
    found = set[tuple[object, ...]]()
    with closing(sqlite3.connect(file)) as db:
        for num in range(1, RECORDS + 1):
            with contextlib.suppress(sqlite3.DatabaseError):
                found.update(db.execute("SELECT * FROM events WHERE num = ?", [num]))
    return found


@pytest.mark.parametrize("at", [(0,), (0.5,), (1,), (0.2, 0.2, 0.8), (0, 1)], ids=str)
def test_all_records_but_those_of_unreadable_pages_come_along(file: Path, at: tuple[float, ...]) -> None:
    found = leaves(file, "events")
    for share in at:
        spoil(file, found[round(share * (len(found) - 1))])
    left = one_by_one(file)
    assert 0 < RECORDS - len(left) < 20 * len(at)

    assert not rebuild.anew(file)
    assert rebuild.in_part(file)
    assert is_sound(file)
    assert rows(file, "events") == left


def test_all_records_but_those_of_an_unreadable_branch_come_along(file: Path) -> None:
    _root, *branches = leaves(file, "events", kind="internal")
    spoil(file, branches[len(branches) // 2])
    left = one_by_one(file)
    assert 0 < len(left) < RECORDS

    assert rebuild.in_part(file)
    assert rows(file, "events") == left


def test_a_text_that_is_none_any_more_is_left_out(file: Path) -> None:
    spoil(file, leaves(file, "events", kind="overflow")[-1])
    assert not rebuild.anew(file), "SQLite itself would read the noise as a text"
    assert rebuild.in_part(file)
    assert {num for num, *_ in rows(file, "events")} == set(range(1, RECORDS + 1)) - {LONG_NUM}


def test_a_table_without_numbers_is_read_from_both_ends(file: Path) -> None:
    before = rows(file, "outbox")
    found = leaves(file, "outbox")
    spoil(file, found[len(found) // 2])

    assert rebuild.in_part(file)
    left = rows(file, "outbox")
    assert left < before
    assert len(left) > len(before) * 0.9


def test_a_hub_that_cannot_be_known_is_not_written_anew(file: Path) -> None:
    for page in pages(file, "table", "hub"):
        spoil(file, page)
    assert not rebuild.in_part(file)
    assert not rebuild.before(file).exists()
