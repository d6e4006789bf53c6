"""Finding patients: the words are kept with the records, and nobody finds whom they may not see."""

import sqlite3
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.actions.records import search_index
from hub.core.records import codec
from hub.core.records.access import Permission, Rights
from hub.core.records.push_decision import Add
from hub.core.records.search import SearchedColumns
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.records import record_rows, search, unsearched
from hub.store.records.search import Scope

PATIENTS = TABLES["patients"]
CLINICS = ("north", "south")
ALL = Rights("admin", unrestricted=True, clinics={}, known=frozenset(CLINICS))
NORTH = Rights("nurse", unrestricted=False, clinics={"north": frozenset({Permission.VIEW})}, known=frozenset(CLINICS))


def put(store: Store, record_id: str, *, author: str | None = None, **values: object) -> None:
    made = {"created_at": 1, "updated_at": 1, "primary_clinic_id": "north", **values, "id": record_id}
    with store.write() as tx:
        record_rows.put(tx, PATIENTS, codec.build(PATIENTS, made))
        if author:
            tx.db.execute("UPDATE patients SET author = ? WHERE id = ?", [author, record_id])


def delete(store: Store, record_id: str) -> None:
    with store.write() as tx:
        record_rows.delete(tx, PATIENTS, [kept.num for kept in record_rows.find(tx.db, PATIENTS, [record_id]).values()])


def found(store: Store, typed: str, *, rights: Rights = ALL, column: str = "given_name") -> list[str]:
    with store.read() as db:
        seen = search.scope(db, rights)
        page, total = search.matching(db, seen, {column: typed}, limit=1000, offset=0)
    assert total == len(page)
    return [record.id for record in page]


@pytest.fixture
def people(store: Store) -> Store:
    """Return a store with some patients."""
    put(store, "fatima", given_name="فَاطِمَة", surname="الخطيب", hometown="حلب", phone="+961 70 123 456", created_at=3)
    put(store, "jerome", given_name="Jérôme", surname="Lefèvre", government_id="AB-12/3456", sex="male", created_at=2)
    put(store, "leila", given_name="Leila", surname="Haddad", date_of_birth="1990-12-31", sex="female", created_at=5)
    put(store, "layla", given_name="Layla", surname="Hadad", primary_clinic_id="south", created_at=4)
    put(store, "nobody", given_name="Layla", surname="Nowhere", primary_clinic_id=None, created_at=1, author="nurse")
    return store


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("فاطمه", ["fatima"]),
        ("خطيب فاط", ["fatima"]),
        ("lefevre jer", ["jerome"]),
        ("JE", ["jerome"]),
        ("la", ["layla", "nobody"]),
        ("la nowhere", ["nobody"]),
        ("123456", ["fatima", "jerome"]),
        ("70 123", ["fatima"]),
        ("٧٠١٢٣", ["fatima"]),
        ("12345", ["fatima", "jerome"]),
        ("b123", ["jerome"]),
        ("070 123", ["fatima"]),
        ("leila 999", []),
        ("12", []),
        ("xyz", []),
        ("", ["leila", "layla", "fatima", "jerome", "nobody"]),
        ('"* OR (', []),
    ],
)
def test_the_search_box_finds(people: Store, typed: str, expected: list[str]) -> None:
    assert found(people, typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Twin 2", ["twin"]),
        ("2 twin", ["twin"]),
        ("unknown 12", ["unknown"]),
        ("12", ["unknown"]),
        ("\u0645\u062c\u0647\u0648\u0644 \u0663", ["arabic"]),
        ("GOV", ["coded"]),
        ("gov-77", ["coded"]),
        ("gov 77", ["coded"]),
        ("twin 3", []),
        ("unknown 77", []),
    ],
)
def test_names_with_digits_and_numbers_with_letters_are_found_as_they_are_written(
    store: Store, typed: str, expected: list[str]
) -> None:
    put(store, "twin", given_name="Twin 2", surname="Haddad")
    put(store, "unknown", given_name="Unknown 12")
    put(store, "arabic", given_name="\u0645\u062c\u0647\u0648\u0644 \u0663")
    put(store, "coded", given_name="Sami", government_id="GOV-77")
    for rights in (ALL, NORTH):
        assert found(store, typed, rights=rights) == expected


def test_kurdish_names_from_before_are_found_on_another_keyboard(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    put(store, "rebin", given_name="\u0695\u06ce\u0628\u06cc\u0646")
    with store.write() as tx:
        tx.db.execute("UPDATE patient_words SET words = 'nas-it-was'")
        tx.db.execute("DELETE FROM _sqlite_migrations WHERE name = 'kurdish_search'")
    store.close()
    store = Store(tmp_path / "data")
    assert found(store, "\u0631\u06cc\u0628") == ["rebin"]
    store.close()


@pytest.mark.parametrize(
    ("column", "typed", "expected"),
    [
        ("hometown", "حلب", ["fatima"]),
        ("sex", "male", ["jerome"]),
        ("date_of_birth", "1990", ["leila"]),
        ("phone", "70123", ["fatima"]),
        ("government_id", "ab 12", ["jerome"]),
        ("surname", "haddad", ["leila"]),
    ],
)
def test_other_columns_are_searched_too(people: Store, column: str, typed: str, expected: list[str]) -> None:
    assert found(people, typed, column=column) == expected


def test_who_may_not_be_seen_is_not_found_listed_or_counted(people: Store) -> None:
    assert found(people, "la", rights=NORTH) == ["nobody"]
    with people.read() as db:
        seen = search.scope(db, NORTH)
        assert seen.total == 4
        listed = [record.id for record in search.newest(db, seen, limit=10, offset=0)]
        alike = [
            record.id
            for record in search.similar(db, seen, SearchedColumns(given_name="Layla", surname="Hadad"), limit=9)
        ]
    assert listed == ["leila", "fatima", "jerome", "nobody"]
    assert "layla" not in alike
    put(people, "jerome", given_name="J", government_id="AB-12/3456", primary_clinic_id="south")
    assert found(people, "123456", rights=NORTH) == ["fatima"]


@pytest.mark.parametrize("clinic", [None, "gone"])
def test_s9_who_has_no_known_clinic_is_found_by_who_entered_them_and_by_nobody_else(
    people: Store, clinic: str | None
) -> None:
    put(people, "stray", given_name="Laila", government_id="77", primary_clinic_id=clinic, author="someone")
    author = msgspec.structs.replace(NORTH, user_id="someone")
    assert found(people, "laila", rights=author) == ["stray"]
    assert found(people, "laila", rights=NORTH) == []
    alike = SearchedColumns(given_name="Laila")
    for rights, ids in ((author, {"stray"}), (NORTH, set())):
        with people.read() as db:
            seen = search.scope(db, rights)
            listed = {record.id for record in search.newest(db, seen, limit=10, offset=0)}
            similar = {record.id for record in search.similar(db, seen, alike, limit=9)}
            identified = {record.id for record in search.of_government_id(db, seen, "77")}
        assert seen.total == len(listed)
        assert (listed & {"stray"}, similar & {"stray"}, identified) == (ids, ids, ids)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("ab123456", ["jerome"]),
        ("AB 12-3456", ["jerome"]),
        ("123456", []),
        ("7", ["short"]),
        ("", []),
    ],
)
def test_a_government_id_is_known_whole_however_it_is_written(people: Store, asked: str, expected: list[str]) -> None:
    put(people, "short", government_id="7", phone="123456")
    with people.read() as db:
        found_ids = [record.id for record in search.of_government_id(db, search.scope(db, ALL), asked)]
    assert found_ids == expected


def test_like_names_are_found_the_likest_first(people: Store) -> None:
    with people.read() as db:
        seen = search.scope(db, ALL)
        alike = search.similar(db, seen, SearchedColumns(given_name="Leyla", surname="Haddat"), limit=2)
    assert [record.id for record in alike] == ["leila", "layla"]


@pytest.mark.parametrize("name", ["", " - "])
def test_nobody_is_like_someone_without_a_name(people: Store, name: str) -> None:
    with people.read() as db:
        unnamed = SearchedColumns(given_name=name, date_of_birth="1980-01-01")
        assert search.similar(db, search.scope(db, ALL), unnamed, limit=2) == []


def test_a_corrected_name_is_found_by_the_new_one_alone(people: Store) -> None:
    put(people, "jerome", given_name="Gérôme", surname="Lefèvre")
    assert found(people, "jerome") == []
    assert found(people, "gerome") == ["jerome"]


def test_the_deleted_are_not_found(people: Store) -> None:
    delete(people, "jerome")
    assert found(people, "je") == []
    assert found(people, "123456") == ["fatima"]


def test_a_patient_who_moves_is_found_where_they_are(people: Store) -> None:
    put(people, "layla", given_name="Layla", surname="Hadad", primary_clinic_id="north")
    assert set(found(people, "la", rights=NORTH)) == {"layla", "nobody"}


def test_an_unknown_column_that_nests_without_end_does_not_stop_a_record(store: Store) -> None:
    deep = codec.build(PATIENTS, {"id": "deep", "given_name": "Deep", "x": 1})
    data = codec.write(deep)[0].replace('"x":1', '"x":' + "[" * 5000 + "]" * 5000)
    with store.write() as tx:
        record_rows.add(tx, PATIENTS, [Add(deep, data, codec.write(deep)[1])], device=1)
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM patient_words WHERE patient_words MATCH 'ndeep'").fetchone()[0] == 1


def test_patients_from_before_the_search_are_found(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    put(store, "old", given_name="Old")
    path = store.path
    store.close()
    conn = sqlite3.connect(path)
    conn.executescript(
        "DROP TRIGGER patients_arrive; DROP TRIGGER patients_leave; DROP TRIGGER patients_change;"
        "DROP TABLE patient_words; DROP TABLE patient_numbers; DROP TABLE patient_counts;"
        "DROP INDEX patients_listed; DROP INDEX patients_newest;"
        "DELETE FROM _sqlite_migrations WHERE name = 'patient_search'"
    )
    conn.close()
    store = Store(tmp_path / "data")
    assert found(store, "old") == ["old"]
    store.close()


@pytest.mark.parametrize("seen", [Scope(None, 0), Scope(("north",), 0), Scope(("north", "south", ""), 0)])
def test_a_page_is_read_along_an_index(people: Store, seen: Scope) -> None:
    statements: list[str] = []
    with people.read() as db:
        db.conn.set_trace_callback(statements.append)
        search.newest(db, seen, limit=2, offset=0)
        db.conn.set_trace_callback(None)
        plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statements[0]}"))
    assert "USING COVERING INDEX" in plan
    assert "TEMP B-TREE" not in plan


def test_pages_of_many_matches_hold_everyone_once(store: Store) -> None:
    count = search.COUNTED + 50
    with store.write() as tx:
        made = [{"id": f"p{number}", "given_name": "Ali", "created_at": number * 7 % 100} for number in range(count)]
        rows = [codec.build(PATIENTS, values) for values in made]
        record_rows.add(tx, PATIENTS, [Add(row, *codec.write(row)) for row in rows], device=1)
    search_index.index_all(store)
    seen, pages = Scope(None, count), []
    with store.read() as db:
        for offset in range(0, count, 30):
            page, total = search.matching(db, seen, {"given_name": "al"}, limit=30, offset=offset)
            assert (total > offset + 30) is (offset + 30 < count)
            pages += [record.id for record in page]
    assert len(pages) == len(set(pages)) == count


def put_many(store: Store, prefix: str, name: str, *, count: int = unsearched.MANY) -> None:
    rows = [codec.build(PATIENTS, {"id": f"{prefix}{place}", "given_name": name}) for place in range(count)]
    with store.write() as tx:
        record_rows.add(tx, PATIENTS, [Add(row, *codec.write(row)) for row in rows], device=1)


class Kept(RuleBasedStateMachine):
    """Whatever happens to patients, search and counts say what the records say."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = _folder()
        self.store = Store(next(self._folder))

    def teardown(self) -> None:
        self.store.close()
        next(self._folder, None)

    @rule(
        number=st.integers(0, 5), name=st.sampled_from(["Ali", "Zoé", "مريم"]), clinic=st.sampled_from([*CLINICS, None])
    )
    def enters(self, number: int, name: str, clinic: str | None) -> None:
        put(self.store, f"p{number}", given_name=name, primary_clinic_id=clinic)

    @rule(name=st.sampled_from(["Ali", "Zoé", "مريم"]))
    def many_enter(self, name: str) -> None:
        with self.store.read() as db:
            last = db.execute("SELECT coalesce(max(num), 0) FROM patients").fetchone()[0]
        put_many(self.store, f"m{last}-", name)

    @rule()
    def is_brought_up_to_date(self) -> None:
        search_index.index_all(self.store)

    @rule(number=st.integers(0, 5))
    def dies(self, number: int) -> None:
        delete(self.store, f"p{number}")

    @rule(number=st.integers(0, 5))
    def is_forgotten(self, number: int) -> None:
        with self.store.write() as tx:
            tx.db.execute("DELETE FROM patients WHERE id = ?", [f"p{number}"])

    @invariant()
    def agrees(self) -> None:
        with self.store.read() as db:
            live = db.execute(
                "SELECT id, json_extract(data, '$.given_name'), coalesce(primary_clinic_id, '') FROM patients"
                " WHERE local_server_deleted_at IS NULL"
            ).fetchall()
            counts = dict(db.execute("SELECT clinic, live FROM patient_counts WHERE live <> 0"))
            late = {row[0] for row in db.execute("SELECT id FROM patients JOIN patients_unsearched USING (num)")}
        for name in ("Ali", "Zoé", "مريم"):
            named = {row[0] for row in live if row[1] == name}
            assert named - late <= set(found(self.store, name)) <= named
        assert counts == {clinic: sum(row[2] == clinic for row in live) for clinic in {row[2] for row in live}}


def _folder() -> Iterator[Path]:
    import tempfile  # noqa: PLC0415  a state machine gets no tmp_path

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


TestKept = Kept.TestCase
TestKept.settings = settings(
    max_examples=20, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_of_many_patients_who_come_at_once_each_is_found(store: Store) -> None:
    names = ["".join(letters) for letters in product("abcdefghi", repeat=3)][: record_rows.CHUNK + 50 + 3]
    rows = [codec.build(PATIENTS, {"id": name, "given_name": name}) for name in names]
    with store.write() as tx:
        nums = record_rows.add(tx, PATIENTS, [Add(row, *codec.write(row)) for row in rows], device=1)
        assert nums == range(1, len(names) + 1)
    search_index.index_all(store)
    assert [found(store, name) for name in names] == [[name] for name in names]
