"""A damaged database whose rows can all be read is written anew, whole or not at all."""

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub import files
from hub.store import rebuild
from hub.store.database import FILE_NAME, Store
from tests.bench.material import hub
from tests.simulator.clinic import Clinic, Provider
from tests.store import pushes

PAGE = 4096
RECORDS = 300
_IS_MADE = re.compile("^sqlite_|_(data|idx)$")
Everything = tuple[list[tuple[object, ...]], dict[str, list[tuple[object, ...]]]]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with records, patients among them, whose names are searched for."""
    folder = tmp_path_factory.mktemp("kept")
    store, _ = hub(folder, RECORDS)
    clinic, nurse = Clinic(1), Provider("user-1", "Amal")
    people = [{"id": f"01a1f79d-0000-7bdc-84ec-{num:012}", **clinic.patient(10**12, nurse)} for num in range(40)]
    pushes.push(store, {"patients": {"created": people}})
    store.close()
    return folder / FILE_NAME


@pytest.fixture
def file(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(kept, tmp_path / FILE_NAME))


def everything(file: Path) -> Everything:
    """Return the schema, and every row of every table but those that are made of texts anew."""
    with closing(sqlite3.connect(file)) as db:
        schema = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
        tables = [name for kind, name, _, _ in schema if kind == "table" and not _IS_MADE.search(name)]
        return schema, {name: db.execute(f"SELECT * FROM [{name}]").fetchall() for name in tables}


def pages(file: Path, kind: str, table: str) -> Iterator[int]:
    """Return where the trees of a table, or of its indexes, begin."""
    with closing(sqlite3.connect(file)) as db:
        roots = db.execute("SELECT rootpage FROM sqlite_schema WHERE type = ? AND tbl_name = ?", [kind, table])
        yield from (root for (root,) in roots.fetchall())


def spoil(file: Path, page: int) -> None:
    """Let a page read as noise."""
    with file.open("r+b") as opened:
        opened.seek((page - 1) * PAGE)
        opened.write(b"\xa5" * PAGE)


def is_sound(file: Path) -> bool:
    store = Store(file.parent)
    found = store.check(full=True)
    store.close()
    return not found


@pytest.mark.parametrize("table", ["events", "patients", "outbox", "audit"])
def test_damaged_indexes_cost_nothing(file: Path, table: str) -> None:
    before = everything(file)
    indexes = list(pages(file, "index", table))
    for page in indexes:
        spoil(file, page)
    assert bool(indexes) != is_sound(file)
    assert rebuild.anew(file)
    assert everything(file) == before
    assert is_sound(file)


def test_one_that_is_damaged_again_is_written_anew_again(file: Path) -> None:
    before = everything(file)
    for _ in range(2):
        for page in pages(file, "index", "events"):
            spoil(file, page)
        assert rebuild.anew(file)
        assert everything(file) == before


def test_the_damaged_one_is_kept_until_it_is_forgotten(file: Path) -> None:
    for page in pages(file, "index", "events"):
        spoil(file, page)
    damaged = file.read_bytes()
    assert rebuild.anew(file)
    assert rebuild.before(file).read_bytes() == damaged
    for _ in range(2):
        rebuild.forget(file)
    assert not rebuild.before(file).exists()


def test_what_sqlite_keeps_for_itself_is_left_to_it(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("ANALYZE events")
    for page in pages(file, "index", "events"):
        spoil(file, page)
    assert rebuild.anew(file)
    assert is_sound(file)


def test_search_finds_patients_as_before(file: Path) -> None:
    def found() -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(file)) as db:
            [words] = db.execute("SELECT words FROM patient_words LIMIT 1").fetchone()
            sql = "SELECT rowid FROM patient_words WHERE patient_words MATCH ?"
            return db.execute(sql, [f'"{words.split()[0]}"']).fetchall()

    before = found()
    for page in pages(file, "index", "patients"):
        spoil(file, page)
    assert rebuild.anew(file)
    assert before
    assert found() == before


@pytest.mark.parametrize("table", ["events", "outbox", "hub"])
def test_where_a_row_cannot_be_read_the_file_stays_as_it_is(file: Path, table: str) -> None:
    for page in pages(file, "table", table):
        spoil(file, page)
    before = file.read_bytes()
    assert not rebuild.anew(file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir() if "anew" in path.name] == []


def test_records_that_a_damaged_tree_leaves_out_are_missed(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("DELETE FROM events WHERE num = 7")
    assert not rebuild.anew(file)


def test_what_waits_for_the_cloud_and_is_left_out_is_missed(file: Path) -> None:
    """A card that lost a write shows an older page, in which rows are missing and nothing else is wrong."""
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("DROP TRIGGER outbox_goes")
        db.execute("DELETE FROM outbox WHERE num = 7")
    assert not rebuild.anew(file)


def test_what_is_in_the_log_of_writes_alone_is_kept(file: Path) -> None:
    store = Store(file.parent)
    with store.write() as tx:
        tx.db.execute("INSERT INTO cloud (key, value) VALUES ('late', '1')")
    shutil.copytree(file.parent, file.parent / "cut", ignore=shutil.ignore_patterns("cut"))  # the power fails now
    store.close()
    cut = file.parent / "cut" / FILE_NAME
    assert rebuild.anew(cut)
    with closing(sqlite3.connect(cut)) as db:
        assert db.execute("SELECT value FROM cloud WHERE key = 'late'").fetchone() == ("1",)


@pytest.mark.parametrize("moment", range(3))
def test_a_power_cut_leaves_one_database_whole(file: Path, moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class PowerCutError(BaseException):
        pass

    before, flush, moments = everything(file), files.flush, iter(range(3))

    def flush_or_die(path: Path) -> None:
        if next(moments) == moment:
            raise PowerCutError
        flush(path)

    for page in pages(file, "index", "events"):
        spoil(file, page)
    monkeypatch.setattr(files, "flush", flush_or_die)
    with contextlib.suppress(PowerCutError):
        rebuild.anew(file)
    monkeypatch.undo()
    assert everything(file) == before
    assert rebuild.anew(file)
    assert everything(file) == before
    assert is_sound(file)
