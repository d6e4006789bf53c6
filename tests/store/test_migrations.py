"""The schema is made in frozen steps that only expand it; databases of every release open and go on."""

import hashlib
import json
import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest
from sqlite_utils import Database, Migrations

from hub.actions.cloud import queue
from hub.actions.phones import access
from hub.core.reasons import Code
from hub.core.records import codec
from hub.core.records.access import Rights
from hub.core.records.table import Column, ColumnKind, PushRule, Rank, SeenBy, Table
from hub.core.records.tables import TABLES
from hub.services.rpc.dispatch import Rpc
from hub.store import migrations
from hub.store.cloud import outbox
from hub.store.database import FILE_NAME, Store
from hub.store.migrations import STEPS, Step, schema
from hub.store.people import users
from hub.store.phones import callers, devices
from hub.store.records import queries, record_rows, search
from tests.hubs import BOUNDS, NOW_MS, POLICY, InProcessHub, RpcTransport, changes, row
from tests.simulator.phone import Phone
from tests.store import pushes, schemas

STEPS_OF_V1 = ("records", "hub", "custody", "lookups", "patient_search", "page", "relay", "reached")
FROZEN = {
    "01_records.sql": "fdbdcd1e94aa3611c281bbbd4604655afaf6c42ad2b9fa7ca8062d99a5a96c7f",
    "02_hub.sql": "d8cbb83276f5fb6882e45d39f58c196c6edf159e378cc5d4f63303d17ca49427",
    "03_custody.sql": "df4166d6832d2d099c66829bd798309ab9ace280523532d4967594ec6b0eff22",
    "04_lookups.sql": "38014a9bb1d1b8ceace939c9ffdede2d76996f30b0552a1772648e09e292a386",
    "05_patient_search.sql": "1c4bb1a0cb678898bd6785d16f70ee6ed1ed2c097c2646eb61e75353ef847eef",
    "06_page.sql": "fab0f0c90c754640685cbf7a8b4b94cf15b98fb62d75f2e2e82dfbe398f43fd4",
    "07_relay.sql": "a510d9eeac224afac4c38b232174e474d17f188a07cbb4b4201ac7e61a1b809b",
    "08_reached.sql": "5ca722610fdce082c2df6424e742580cb64f630b0e57b2b64eee682f8bf767f2",
    "09_reasons.sql": "ed94aa333f54e6c68eda896ab479fed4cd24f69d78177966bb0d2c0f4b8b1540",
    "10_rights.sql": "2f704881a28730d5d1d5ec5bddb89a0c80eb29e873348a188e5f7890a4fa5d59",
    "11_phones.sql": "2e9f0e149f1b34cb95d5ca5c0a681244077d40a5b98a08c185cb17ff39544443",
    "12_held.sql": "eb3547c051c34574686e3d98463982239d398d14ba4dcbbcbff4a8c14c8e294a",
    "13_cloud_states.sql": "2accc3f452d0bdee16fa91ab1207dbf0b78b6e85103761e39ed403185d59712a",
    "14_cloud_lost.sql": "bd59ef67ac2aecf39349a462cdf17b5ea7c2d57f0526bbcd1cd41f3457ed5f2a",
    "15_counters.sql": "70b72b8426f2e26ccc9d143f0af07b6a92c879b5d33c8015bd5c51585ac330c7",
    "16_fleet.sql": "171a22de95911a72fd9f05d9f6ede94cf4bfaaee8445849b3ad8a0b4669ef8be",
    "17_page_size.sql": "61dd1626b103d2d88037eb0ea2bf60c5ace7bb86d3946f037bc56a695a2f8d32",
    "18_copy.sql": "208fc496b665385e2e30fd391fbbc99f9b4c24696956a760a36d7a7d8e97986d",
    "19_doubt.sql": "f19f8ca6808bde5167af72d1ad510787b40410e317f271b0c52526efb5a7a825",
    "20_quarantine_held.sql": "0da6c22fa0357f3413041fcfb38c8e16eeaa053874b84f53b1da37f95e4b0997",
    "21_kurdish_search.sql": "aa59fb48866dbbe72121335da7cfedbbfb34ee32199d3bf7c9581291cb393592",
    "22_set_aside.sql": "d73c03c9fb0ad8f5fe334b1d1549d83a8e2d31cf1181d72e373f9e8ee9866ba6",
    "23_one_id.sql": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "24_twins.sql": "aa96263208b8c0baa914d12f583d4b8aeff00bbef6cf72a8ae60d6cb514d6d9a",
    "25_blanked.sql": "43ba8676145c784fcaffb802583121d050d4c137a88b3e206e6ca2b978653831",
    "26_along.sql": "44fe6f925104da13382b461cc7537f97ac61bdf1ea076456b4bd3f8ca6c0ee97",
    "27_past.sql": "b782ade5d2a24ba547f6f009b884372f11a2f834ebaa6bdc271e7a2ef75b9f28",
    "28_former_clinics.sql": "f2fb51758fd1b0b0cf810dc99c70943588e2cee2ebb37d1f53a32b44f43283d5",
    "29_next_tables.sql": "ecab938b22fca173924e7fcec8935752d8268f1d72b801baa0d864aa9a79c1d4",
    "30_outbox_counts.sql": "885a8e422757c48b7a8b16768b7153705a1a7a3cd989e70332ca9677cf73bd65",
    "31_ended.sql": "f4f920032fc6d8ad3966cb25a3fcdbe0e30cfcb979647206ab95ce3af70c76a4",
    "32_dispensed_items.sql": "0779bc743b2109ed606012f0e120633ce8e34345376f025abade8dfdc07455da",
    "33_shared_ids.sql": "a52a2066d2830733ba598cebeabd596213299a85cc8b8c739ec94836b519fca2",
    "34_outbox_sent.sql": "1216a7e5fc0930a1766f8fb489e93c408bc6e65e9f45226940c18126ea23439a",
    "35_search_later.sql": "3c139bd39d821735ddb79ed491d270b1432548abfe9495a9d16ebdd2080819f3",
}
"""What each step says, comments apart. A step that was released never changes: write another one."""
CONFIRMED_MS = 1_795_904_615_358
"""The last pull of hub_v1's first phone of which it got the answer."""


@pytest.fixture(params=["fresh", *schemas.RELEASED])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a data folder: empty, or as a hub of an earlier release left it."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder if request.param == "fresh" else schemas.put(request.param, folder)


@pytest.fixture(params=schemas.RELEASED)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a data folder as a hub of an earlier release left it."""
    return schemas.put(request.param, tmp_path / "data")


# Frozen


def test_no_step_that_was_written_ever_changes() -> None:
    folder = resources.files("hub.store.migrations")
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    found = {file.name: hashlib.sha256("\n".join(migrations.statements(file)).encode()).hexdigest() for file in files}
    assert found == FROZEN


def test_databases_of_the_first_release_know_the_steps_by_their_names() -> None:
    assert tuple(step.name for step in STEPS[: len(STEPS_OF_V1)]) == STEPS_OF_V1


@pytest.mark.parametrize("release", schemas.RELEASED)
def test_a_fresh_and_an_upgraded_database_have_the_same_schema(tmp_path: Path, release: str) -> None:
    assert schemas.at(schemas.put(release, tmp_path / "old")) == schemas.at(tmp_path / "fresh")


@pytest.mark.slow
@pytest.mark.parametrize("steps", range(len(STEPS)))
def test_an_update_that_skips_releases_ends_at_the_same_schema(tmp_path: Path, steps: int) -> None:
    with closing(connect(tmp_path)) as db:
        schema(STEPS[:steps]).apply(db)
    assert schemas.at(tmp_path) == schemas.at(tmp_path / "fresh")


def test_processes_that_open_a_new_database_together_migrate_it_once(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch()
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def opened() -> None:
        start.wait()
        try:
            Store(tmp_path).close()
        except BaseException as error:  # noqa: BLE001  a thread has nobody to raise it to
            failures.append(error)

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_step_that_fails_leaves_the_database_as_it_was(old: Path) -> None:
    store = Store(old)
    with store.read() as db:
        before = schemas.of(db)
    store.close()
    with closing(connect(old)) as db:
        with pytest.raises(sqlite3.OperationalError):
            later(old.parent, "CREATE TABLE wards (id TEXT);\nCREATE TABLE users (id TEXT);").apply(db)
        assert schemas.of(db) == before


def test_a_statement_without_its_semicolon_is_refused_rather_than_left_out(tmp_path: Path) -> None:
    with closing(connect(tmp_path)) as db, pytest.raises(ValueError, match="no semicolon"):
        later(tmp_path, "CREATE TABLE wards (id TEXT)").apply(db)


# Declared and made


def test_everything_declared_is_made(data: Path) -> None:
    store = Store(data)
    with store.read() as db:
        assert list(schemas.missing(db, TABLES.values())) == []
    store.close()


VISITS = TABLES["visits"]
WARDS = Table(
    "wards",
    (
        Column("wards", "name", ColumnKind.TEXT, optional=False),
        Column("wards", "created_at", ColumnKind.MOMENT, optional=False),
        Column("wards", "updated_at", ColumnKind.MOMENT, optional=False),
    ),
    Rank.REFERENCE,
    PushRule.REFERENCE,
    SeenBy.EVERYONE,
    lookups=("name",),
)
BY_PROVIDER = msgspec.structs.replace(VISITS, computed=("provider_id",))


@pytest.mark.parametrize(
    "declared", [WARDS, BY_PROVIDER, msgspec.structs.replace(VISITS, lookups=("provider_id",))], ids=str
)
def test_what_is_declared_without_a_step_is_named(store: Store, declared: Table) -> None:
    with store.read() as db:
        found = list(schemas.missing(db, [declared]))
    assert found
    assert all("add a step" in text for text in found)
    assert any("name" in text or "provider_id" in text for text in found)


# Adding


def test_a_table_is_added_by_a_step(data: Path) -> None:
    made = """
        CREATE TABLE wards (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
            local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
            local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
            name TEXT, data TEXT NOT NULL, history TEXT);
        CREATE INDEX wards_name ON wards (name);
    """
    store = extended(data, made)
    with store.write() as tx:
        record_rows.put(tx, WARDS, codec.build(WARDS, {"id": "ward-1", "name": "Maternity"}))
    with store.read() as db:
        assert list(schemas.missing(db, [*TABLES.values(), WARDS])) == []
        assert [found.id for found in queries.where(db, WARDS, {"name": "Maternity"})] == ["ward-1"]
    store.close()


def test_a_column_is_added_by_a_step(data: Path) -> None:
    store = extended(data, "ALTER TABLE devices ADD COLUMN model TEXT;\nUPDATE devices SET model = 'unknown';")
    with store.write() as tx:
        access.pair(tx, "client-new", "Phone", most=100)
    with store.read() as db:
        models = [row[0] for row in db.execute("SELECT model FROM devices ORDER BY num")]
    assert models == [*["unknown"] * (len(models) - 1), None]
    store.close()


def test_a_column_to_look_records_up_by_is_added_by_a_step(data: Path) -> None:
    made = """
        ALTER TABLE visits ADD COLUMN provider_id
            GENERATED ALWAYS AS (json_extract(CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END,
            '$.provider_id')) VIRTUAL;
        CREATE INDEX visits_provider_id ON visits (provider_id);
    """
    store = extended(data, made)
    with store.read() as db:
        assert list(schemas.missing(db, [BY_PROVIDER])) == []
        before = [json.loads(text)["provider_id"] for (text,) in db.execute("SELECT data FROM visits")]
    pushes.push(store, changes("visits", created=[row("visits", "visit-new", provider_id="nurse-new", extra=1)]))
    with store.read() as db:
        for provider in [*before, "nurse-new"]:
            assert all(
                found.row.provider_id == provider for found in queries.where(db, BY_PROVIDER, {"provider_id": provider})
            )
        assert [found.id for found in queries.where(db, BY_PROVIDER, {"provider_id": "nurse-new"})] == ["visit-new"]
    store.close()


# Expanding only


def test_steps_since_the_first_release_only_expand(tmp_path: Path) -> None:
    statements: list[str] = []
    with closing(connect(schemas.put("hub_v1", tmp_path))) as db:
        db.conn.set_trace_callback(statements.append)
        migrations.migrations.apply(db)
    assert list(schemas.narrowing(statements)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE audit",
        "DROP INDEX tokens_user",
        "DROP TRIGGER patients_leave",
        "DELETE FROM audit",
        "ALTER TABLE users RENAME TO people",
        "ALTER TABLE users RENAME COLUMN name TO full_name",
        "ALTER TABLE users DROP COLUMN name",
        "ALTER TABLE users ADD COLUMN phone TEXT NOT NULL",
        "UPDATE users SET name = upper(name)",
        "UPDATE users SET phone = '', name = upper(name)",
        "INSERT INTO users (id) VALUES ('x')",
        "CREATE UNIQUE INDEX users_by_email ON users (email)",
        "REPLACE INTO users (id) VALUES ('x')",
    ],
)
def test_a_step_that_takes_something_away_is_found(statement: str) -> None:
    assert list(schemas.narrowing(["ALTER TABLE users ADD COLUMN phone TEXT", statement])) == [statement]


def test_a_step_that_only_adds_is_not_accused() -> None:
    adding = [
        "CREATE TABLE wards (id TEXT)",
        "CREATE UNIQUE INDEX wards_id ON wards (id)",
        "INSERT INTO wards (id) SELECT id FROM clinics",
        "ALTER TABLE users ADD COLUMN phone TEXT",
        "ALTER TABLE users ADD COLUMN shifts INTEGER NOT NULL DEFAULT 0",
        "UPDATE users SET phone = '', shifts = 1 WHERE name = 'x'",
        "CREATE INDEX users_phone ON users (phone)",
        "DROP TRIGGER patients_leave",
        "CREATE TRIGGER patients_leave AFTER DELETE ON patients BEGIN SELECT 1; END",
    ]
    assert list(schemas.narrowing(adding)) == []


def test_a_database_that_a_later_release_migrated_opens_and_works(old: Path) -> None:
    store = extended(old, "CREATE TABLE wards (id TEXT);\nALTER TABLE devices ADD COLUMN model TEXT;")
    assert pushes.push(store, changes("patients", created=[row("patients", "patient-new")])).created == 1
    with store.read() as db:
        assert migrations.is_newer(db)
    store.close()


# Working with it


@pytest.fixture
def upgraded(old: Path) -> Iterator[Store]:
    """Return an earlier release's database, opened by this one."""
    store = Store(old)
    yield store
    store.close()


def phone(store: Store, num: int) -> Phone:
    """Return a phone by the number under which the earlier hub knew it, or a new one."""
    served = cast("InProcessHub", SimpleNamespace(rpc=Rpc(store, BOUNDS, POLICY)))
    made = Phone(
        rng=random.Random(num + 1000),
        now_ms=lambda: NOW_MS,
        connect=lambda _: RpcTransport(served),
        name=f"phone-{num}",
    )
    with store.read() as db:
        known = {device.num: device.client_id for device in devices.every(db)}
    made.client_id = known.get(num, made.client_id)
    made.pair({"type": "sync_hub", "url": "http://hub"})
    return made


def test_a_phone_goes_on_where_it_stood(upgraded: Store) -> None:
    known = phone(upgraded, 1)
    known.login("pia@test", "correct horse")
    known.cursor = CONFIRMED_MS
    made = known.create("patients", {"given_name": "After", "surname": "Update", "additional_data": "{}"})
    outcome = known.sync()
    assert (outcome.ok, outcome.pulled, outcome.pushed) == (True, 2, 1)  # and one made blank: another's permissions
    assert [patient["given_name"] for patient in known.store.rows("patients") if patient["id"] != made["id"]] == [
        "Nadia"
    ]
    assert pushes.kept(upgraded, "patients", str(made["id"]))["given_name"] == "After"
    assert known.sync().pulled == 0


def test_a_phone_that_was_new_gets_everything(upgraded: Store) -> None:
    new = phone(upgraded, 99)
    new.login("rana@test", "correct horse")
    assert new.sync().ok
    shown = {str(patient["id"]) for patient in new.store.rows("patients")}
    with upgraded.read() as db:
        user = users.find_by_email(db, "rana@test")
        assert user is not None
        scope = search.scope(db, callers.rights(db, user.id, user.role))
        assert shown == {patient.id for patient in search.newest(db, scope, limit=100, offset=0)}
    assert shown


def test_patients_are_found(upgraded: Store) -> None:
    everything = Rights("user-1", unrestricted=True, clinics={}, known=frozenset())
    with upgraded.read() as db:
        seen = search.scope(db, everything)
        found, total = search.matching(db, seen, {"given_name": "ليلى حداد"}, limit=10, offset=0)
        assert (len(found), total) == (1, 1)
        assert search.matching(db, seen, {"phone": "0791 111"}, limit=10, offset=0)[1] == 1


def test_what_waited_for_the_cloud_still_waits(upgraded: Store) -> None:
    with upgraded.write() as tx:
        assert tx.db["outbox"].count == 13
        queue.changed(tx, TABLES["patients"], [1])
        assert tx.db["outbox"].count == 13


def test_a_reason_that_an_older_program_changed_does_not_keep_the_code_of_the_one_before(upgraded: Store) -> None:
    with upgraded.write() as tx:
        tx.db.execute("UPDATE outbox SET reason = 'event_id is no uuid' WHERE table_name = 'patient_vitals'")
        (entry,) = outbox.entries(tx.db, TABLES["patient_vitals"], [2]).values()
    assert entry.reason is not None
    assert (entry.reason.code, entry.reason.params["column"]) == (Code.NOT_A_UUID, "event_id")


def test_people_keep_their_accounts(upgraded: Store) -> None:
    with upgraded.read() as db:
        pia = users.find_by_email(db, "PIA@test")
        assert pia is not None
        assert callers.rights(db, pia.id, pia.role).clinics


# Tools


def connect(data: Path) -> Database:
    """Open a database without migrating it."""
    data.mkdir(parents=True, exist_ok=True)
    conn = sqlite3.connect(data / FILE_NAME, isolation_level=None)
    search.register(conn)
    return Database(conn, recursive_triggers=False)


def later(folder: Path, sql: str) -> Migrations:
    """Return the schema of a release that adds one step to this one's."""
    files = folder / "steps"
    files.mkdir()
    for file in resources.files("hub.store.migrations").iterdir():
        if file.name.endswith(".sql"):
            (files / file.name).write_text(file.read_text("utf-8"), "utf-8")
    (files / f"{len(STEPS) + 1:02}_later.sql").write_text(sql, "utf-8")
    return schema((*STEPS, Step("later")), files)


def extended(data: Path, sql: str) -> Store:
    """Open a database to which a later release has added one step."""
    with closing(connect(data)) as db:
        later(data.parent, sql).apply(db)
    return Store(data)
