"""An update may be rolled back: the previous release's program serves and writes what this release migrated."""

import io
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core.reasons import Code
from hub.core.records.access import Rights
from hub.store import quarantine
from hub.store.database import Store
from hub.store.phones import devices
from hub.store.records import search
from tests.hubs import NOW_MS, ServedHub, changes, row
from tests.simulator.phone import Phone
from tests.store import pushes, schemas

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[2]


def git(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Ask the repository."""
    return subprocess.run((shutil.which("git") or "git", "-C", str(_ROOT), *words), capture_output=True, check=False)


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the previous release's program, as its commit has it."""
    commit = (_ROOT / "tests/vectors/previous_release").read_text("ascii").strip()
    archive = git("archive", "--format=zip", commit, "hub")
    if archive.returncode:
        shallow = git("rev-parse", "--is-shallow-repository")
        if shallow.stdout.strip() != b"false":
            pytest.skip("no history here to take the previous release from")
        pytest.fail(f"tests/vectors/previous_release names {commit}, which is no commit of this repository")
    folder = tmp_path_factory.mktemp("previous")
    with zipfile.ZipFile(io.BytesIO(archive.stdout)) as packed:
        packed.extractall(folder)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the data of a hub of the first release, migrated and written by this one."""
    folder = schemas.put("hub_v1", tmp_path / "data")
    store = Store(folder)
    made = row("patients", "made-after-the-update", given_name="After", surname="Update")
    assert pushes.push(store, changes("patients", created=[made])).created == 1
    store.close()
    return folder


@pytest.fixture
def rolled_back(previous: Path, data: Path) -> Iterator[ServedHub]:
    """Return the previous release, serving that data."""
    hub = ServedHub(data, {"PYTHONPATH": str(previous)})
    hub.start()
    yield hub
    hub.close()


def test_it_is_the_previous_program_that_runs(previous: Path) -> None:
    command = (sys.executable, "-P", "-c", "import hub.store; print(hub.store.__file__)")
    where = subprocess.run(command, env={"PYTHONPATH": str(previous)}, capture_output=True, text=True, check=True)
    assert Path(where.stdout.strip()).is_relative_to(previous)


def test_an_update_that_is_rolled_back_loses_nothing_and_can_be_made_again(rolled_back: ServedHub, data: Path) -> None:
    phone = known_phone(rolled_back, data)
    phone.login("pia@test", "correct horse")
    made = phone.create("patients", {"given_name": "While", "surname": "Back", "additional_data": "{}"})
    edited = next(row for row in _pulled(phone) if row["given_name"] == "After")
    phone.edit("patients", str(edited["id"]), {"phone": "0799"})
    outcome = phone.sync()
    assert outcome.ok, outcome.error
    assert "moon_phases" in rolled_back.do("quarantine", "list")
    rolled_back.do("status")
    rolled_back.stop()

    again = Store(data)
    assert again.check(full=True) == []
    assert pushes.kept(again, "patients", str(made["id"]))["given_name"] == "While"
    assert pushes.kept(again, "patients", str(edited["id"]))["phone"] == "0799"
    with again.read() as db:
        seen = search.scope(db, Rights("user-1", unrestricted=True, clinics={}, known=frozenset()))
        assert search.matching(db, seen, {"given_name": "back"}, limit=10, offset=0)[1] == 1
        assert db["outbox"].count == 15
    again.close()


def test_what_the_older_program_refused_has_its_reason_in_every_language_after_the_update(
    rolled_back: ServedHub, data: Path
) -> None:
    client = rolled_back.client("raw", email="pia@test")
    assert client.push({"moons": {"created": [{"id": "m-2"}], "updated": [], "deleted": []}}).status == 200
    rolled_back.stop()
    again = Store(data)
    with again.read() as db:
        refused = next(entry for entry in quarantine.entries(db) if entry["record_id"] == "m-2")
    again.close()
    assert refused["reason"].code is Code.UNKNOWN_TABLE


def test_a_phone_of_a_later_app_goes_on_with_the_previous_program_and_again_with_this_one(
    previous: Path, data: Path
) -> None:
    def served(settings: dict[str, str] | None = None) -> ServedHub:
        hub = ServedHub(data, settings)
        hub.start()
        phone.session = None
        phone._connect = hub.connect
        phone.pair({"type": "sync_hub", "url": "http://hub"})
        phone.login("pia@test", "correct horse")
        return hub

    phone = Phone(rng=random.Random(78), now_ms=lambda: NOW_MS, next_app=True)
    phone.client_id = known_id(data)
    hub = served()
    try:
        patient = phone.create("patients", {"given_name": "Before", "surname": "Back", "additional_data": "{}"})
        allergy = phone.create("patient_allergies", {"patient_id": patient["id"]})
        assert [phone.sync().ok for _ in range(3)] == [True] * 3
        hub.close()
        hub = served({"PYTHONPATH": str(previous)})
        phone.edit("patients", str(patient["id"]), {"phone": "0791"})
        phone.edit("patient_allergies", str(allergy["id"]), {"is_deleted": True})
        assert [phone.sync().ok for _ in range(3)] == [True] * 3
        hub.close()
        hub = served()
        phone.edit("patients", str(patient["id"]), {"phone": "0792"})
        assert [phone.sync().ok for _ in range(3)] == [True] * 3
    finally:
        hub.close()
    again = Store(data)
    assert pushes.kept(again, "patients", str(patient["id"]))["phone"] == "0792"
    assert pushes.kept(again, "patient_allergies", str(allergy["id"]))["is_deleted"] is False  # held, and no loss
    with again.read() as db:
        assert [entry["record_id"] for entry in quarantine.entries(db) if entry["record_id"] == allergy["id"]]
    again.close()


def known_id(data: Path) -> str:
    """Return the id of a phone that the hub has paired long ago."""
    store = Store(data)
    with store.read() as db:
        client_id = next(device.client_id for device in devices.every(db))
    store.close()
    return client_id


def known_phone(hub: ServedHub, data: Path) -> Phone:
    """Return a phone that the hub has paired long ago."""
    phone = Phone(rng=random.Random(77), now_ms=lambda: NOW_MS, connect=hub.connect)
    phone.client_id = known_id(data)
    phone.pair({"type": "sync_hub", "url": "http://hub"})
    return phone


def _pulled(phone: Phone) -> list[dict[str, object]]:
    assert phone.sync().ok
    return [dict(row) for row in phone.store.rows("patients")]
