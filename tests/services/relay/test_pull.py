"""What comes down, and what is kept of it (R7, R8; CLOUD.md 0, 2.1 to 2.4)."""

from pathlib import Path

import pytest

from hub.core.cloud import pull_plan
from hub.core.reasons import Code
from hub.core.records.access import Owner, Permission
from hub.store.people import users
from tests.services.relay import world as worlds
from tests.services.relay.test_guard import settle
from tests.services.relay.world import PASSWORD, World, uid
from tests.simulator.cloud import Kind as FaultKind
from tests.simulator.cloud.seed import insert
from tests.simulator.cloud.tables import BY_NAME
from tests.store import pushes


def test_0_a_date_is_the_same_day_whatever_the_servers_zone(tmp_path: Path) -> None:
    """East of UTC a pushed back date would move a day with every round trip."""
    for number, zone in enumerate(("UTC", "Asia/Damascus", "America/New_York", "Pacific/Honolulu")):
        folder = tmp_path / str(number)
        folder.mkdir()
        with worlds.world(folder, time_zone=zone) as world:
            patient = world.patient(date_of_birth="1984-06-06", phone="0")
            problem = world.problem(world.visit(patient), onset_date=1_704_153_600_000)
            for turn in range(3):
                settle(world)
                patient = world.change("patients", patient, phone=str(turn))
                problem = world.change("patient_problems", problem, severity_score=turn)
            settle(world)
            assert world.here_is("patients", str(patient["id"]))["date_of_birth"] == "1984-06-06", zone
            assert world.here_is("patient_problems", str(problem["id"]))["onset_date"] == 1_704_153_600_000, zone
            with world.seed._store.transaction() as transaction:
                stored = transaction.execute('SELECT "date_of_birth" FROM "patients"').fetchall()[0][0]
            assert str(stored)[:10] == "1984-06-06", zone


def test_1_the_first_pull_brings_what_phones_need(connected: World) -> None:
    assert pushes.live(connected.store, "clinics") == {connected.here}
    assert pushes.live(connected.store, "event_forms") == {connected.form}
    assert pushes.live(connected.store, "drug_catalogue") == {connected.drug}
    assert len(pushes.live(connected.store, "user_clinic_permissions")) == 1


def test_2_1_a_row_that_was_committed_late_is_not_missed(connected: World) -> None:
    """R7: its times are those of its transaction's start, before the pull that did not see it."""
    late = uid()
    with connected.seed._store.transaction() as transaction:
        insert(transaction, BY_NAME["patients"], {"id": late, "primary_clinic_id": connected.here})
        began = transaction.now
    connected.seed.edit("patients", late, announced=False, server_created_at=began, last_modified=began)
    cursor = connected.progress().cursor_cloud_ms
    assert began.timestamp() * 1000 > cursor - pull_plan.OVERLAP_MS
    connected.cycle()
    assert late in pushes.live(connected.store, "patients")


def test_2_1_the_cursor_moves_only_when_a_pull_is_complete(connected: World) -> None:
    before = connected.progress().cursor_cloud_ms
    connected.seed.bulk(200, 2, clinic=connected.here, provider=connected.nurse)
    connected.fail(FaultKind.CUT, on="pull")
    assert connected.try_cycle().outcome.failed
    assert connected.progress().cursor_cloud_ms == before
    report = connected.cycle()
    assert report.pulled.created + report.pulled.unchanged >= 800
    assert len(pushes.live(connected.store, "events")) == 400


def test_2_1_what_came_before_the_line_was_cut_is_kept(connected: World) -> None:
    connected.seed.bulk(1000, 0, clinic=connected.here, provider=connected.nurse)
    connected.fail(FaultKind.CUT, on="pull")
    connected.try_cycle()
    assert 500 < len(pushes.live(connected.store, "patients")) < 1000, "the last chunk counts too"


def test_2_1_permissions_that_were_removed_are_found_by_a_full_pull(connected: World) -> None:
    """The cloud announces no such deletion."""
    [permission] = connected.seed.rows("user_clinic_permissions")
    connected.seed.remove("user_clinic_permissions", str(permission["id"]))
    connected.cycle()
    assert connected.rights_of(connected.nurse).clinics != {}
    connected.seed.edit("devices", connected.hub.id, clinic_ids=[connected.here, connected.elsewhere])
    connected.cycle()
    assert connected.rights_of(connected.nurse).clinics == {}


def test_2_2_a_hub_without_clinics_does_not_pull_everything(world: World) -> None:
    world.seed.edit("devices", world.hub.id, clinic_ids=[])
    world.patient()
    report = world.try_cycle()
    assert (report.outcome.word, report.traffic.requests) == ("no_clinic", 1)
    assert pushes.live(world.store, "clinics") == set()


def test_2_2_another_clinic_is_pulled_from_the_start(connected: World) -> None:
    """Adding a clinic does not backfill."""
    connected.seed.bulk(3, 1, clinic=connected.elsewhere, provider=connected.admin)
    connected.cycle()
    assert pushes.live(connected.store, "patients") == set()
    connected.seed.edit("devices", connected.hub.id, clinic_ids=[connected.here, connected.elsewhere])
    assert connected.cycle().full
    assert len(pushes.live(connected.store, "patients")) == 3
    assert len(pushes.live(connected.store, "events")) == 3
    assert not connected.cycle().full


def test_2_2_rows_of_other_clinics_patients_are_not_kept(connected: World) -> None:
    """R8: the cloud sends events, vitals, attributes and problems of the whole organisation."""
    foreign = connected.seed.add("patients", primary_clinic_id=connected.elsewhere)
    connected.seed.add("events", patient_id=foreign, event_type="FOREIGN")
    connected.seed.add("patient_vitals", patient_id=foreign, bp_position="FOREIGN")
    connected.seed.add("visits", patient_id=foreign, clinic_id=connected.here, provider_name="FOREIGN")
    report = connected.cycle()
    assert report.pulled.foreign == 3
    assert "FOREIGN" not in connected.text()


def test_2_2_a_patient_who_comes_from_another_clinic_brings_the_old_records(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    comes = connected.seed.add("patients", primary_clinic_id=connected.elsewhere, server_created_at=_DAYS_AGO)
    event = connected.seed.add("events", patient_id=comes, server_created_at=_DAYS_AGO, last_modified=_DAYS_AGO)
    connected.cycle()
    connected.seed.edit("patients", comes, primary_clinic_id=connected.here)
    connected.cycle()
    assert comes in pushes.live(connected.store, "patients")
    assert not connected.cycle().full  # not more than once a day
    monkeypatch.setattr("hub.core.cloud.pull_plan.FULL_EVERY_MS", 0)
    assert connected.cycle().full
    assert event in pushes.live(connected.store, "events")
    assert not connected.cycle().full


def test_2_3_no_secret_of_others_is_kept(connected: World) -> None:
    """R8, S1."""
    connected.seed.hub("other", connected.here)
    connected.seed.add("device_pin_codes", device_id=connected.hub.id, pin_hash="PINHASH", status="active")
    connected.cycle()
    text = connected.text()
    devices = connected.seed.rows("devices")
    assert "PINHASH" not in text
    assert not any(str(device["api_key_hash"]) in text for device in devices)


def test_2_3_password_hashes_stay_with_the_people_of_the_hub(connected: World) -> None:
    [hashed] = [str(row["hashed_password"]) for row in connected.seed.rows("users") if row["id"] == connected.nurse]
    with connected.store.read() as db:
        found = users.find_by_email(db, "pia@test")
        data = db.execute("SELECT data FROM users WHERE id = ?", [connected.nurse]).fetchone()[0]
    assert found is not None
    assert found.opens_with(PASSWORD)
    assert hashed not in data
    assert connected.text().count(hashed) == 1


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (FaultKind.ERROR_500, "cloud_failing"),
        (FaultKind.HTML, "not_the_cloud"),
        (FaultKind.DROP, "no_line"),
        (FaultKind.LOSE, "no_line"),
    ],
)
@pytest.mark.parametrize("on", ["verify", "pull"])
def test_2_4_what_is_no_answer_changes_nothing(connected: World, kind: FaultKind, word: str, on: str) -> None:
    before = pushes.dump(connected.store), connected.progress().cursor_cloud_ms
    connected.fail(kind, times=3, on=on)
    assert connected.try_cycle().outcome.word == word
    assert (pushes.dump(connected.store), connected.progress().cursor_cloud_ms) == before


def test_2_4_a_wrong_key_is_said_and_nothing_is_tried_with_it(connected: World) -> None:
    connected.seed.edit("devices", connected.hub.id, is_deleted=True)
    report = connected.try_cycle()
    assert (report.outcome.word, report.traffic.requests) == ("key_refused", 1)


@pytest.mark.parametrize("status", ["suspended", "inactive", "decommissioned"])
def test_2_4_a_hub_that_was_paused_stops_though_the_cloud_would_let_it(connected: World, status: str) -> None:
    connected.seed.edit("devices", connected.hub.id, status=status)
    patient = connected.patient()
    report = connected.try_cycle()
    assert (report.outcome.word, report.traffic.requests) == ("paused", 1)
    connected.seed.edit("devices", connected.hub.id, status="active")
    connected.cycle()
    assert connected.is_there("patients", str(patient["id"]))


def test_2_4_a_short_history_in_the_cloud_does_not_shut_people_out(tmp_path: Path) -> None:
    """MAX_HISTORY_DAYS_SYNC leaves old users out of a full pull."""
    with worlds.world(tmp_path, max_history_days=5) as world:
        world.cycle()
        assert world.rights_of(world.nurse).clinics != {}
        world.seed.edit("users", world.nurse, announced=False, server_created_at=_DAYS_AGO, last_modified=_DAYS_AGO)
        world.seed.edit("devices", world.hub.id, clinic_ids=[world.here, world.elsewhere])
        assert world.cycle().full
        with world.store.read() as db:
            found = users.find(db, world.nurse)
        assert found is not None
        assert not found.is_deleted


_DAYS_AGO = "2026-01-01T00:00:00.000Z"


def test_2_2_patients_of_a_new_clinic_are_hidden_before_all_of_it_has_come(connected: World) -> None:
    """Patients come before their clinic; a pull that was cut between them showed them to everyone."""
    connected.seed.bulk(1200, 0, clinic=connected.elsewhere, provider=connected.admin)
    connected.seed.edit("devices", connected.hub.id, clinic_ids=[connected.here, connected.elsewhere])
    connected.fail(FaultKind.CUT, on="pull")
    assert connected.try_cycle().outcome.word == "no_line"
    assert pushes.live(connected.store, "patients")
    assert connected.elsewhere not in pushes.live(connected.store, "clinics")
    assert not connected.rights_of(connected.nurse).may(Permission.VIEW, Owner(connected.elsewhere))
    connected.seed.edit("devices", connected.hub.id, clinic_ids=[connected.here])
    connected.cycle()
    assert not connected.rights_of(connected.nurse).may(Permission.VIEW, Owner(connected.elsewhere))


def test_p7_a_row_that_cannot_be_kept_holds_up_no_other(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cloud takes single events of any size (CLOUD.md 4.10), and dates at the end of time."""
    monkeypatch.setattr("hub.core.records.codec.RECORD_BYTES", 20_000)
    patient = connected.patient()
    visit = connected.visit(patient)
    grows = connected.event(visit)
    settle(connected)
    huge = [{"value": "x" * 30_000}]
    connected.seed.edit("events", str(grows["id"]), form_data=huge)
    large = connected.seed.add("events", patient_id=patient["id"], visit_id=visit["id"], form_data=huge)
    other = connected.seed.add("events", patient_id=patient["id"], visit_id=visit["id"], event_type="small")
    assert connected.cycle().pulled.refused == 2
    assert other in pushes.live(connected.store, "events")
    assert large not in pushes.live(connected.store, "events")
    assert connected.here_is("events", str(grows["id"]))["form_data"] == grows["form_data"]
    assert all(reason.code is Code.TOO_LARGE for reason in pushes.reasons(connected.store))
