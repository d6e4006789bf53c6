"""CLOUD.md 2.2: what a hub gets of which clinic."""

from tests.simulated.cloud.world import World, new

CLINICAL = ("visits", "appointments", "prescriptions")


def clinical_rows(world: World, clinic: str | None, patient: str) -> dict[str, str]:
    """Add one row to each scoped table that nurses write and return the ids."""
    visit = world.seed.add("visits", patient_id=patient, clinic_id=clinic)
    rows = {"visits": visit}
    if clinic:
        common = {"patient_id": patient, "clinic_id": clinic}
        rows["appointments"] = world.seed.add("appointments", **common, user_id=world.provider, current_visit_id=visit)
        prescription = world.seed.add(
            "prescriptions", patient_id=patient, provider_id=world.provider, pickup_clinic_id=clinic
        )
        rows["prescriptions"] = prescription
        rows["prescription_items"] = world.seed.add(
            "prescription_items", **common, prescription_id=prescription, drug_id=world.drug
        )
        rows["dispensing_records"] = world.seed.add(
            "dispensing_records", **common, drug_id=world.drug, dispensed_by=world.provider, quantity_dispensed=1
        )
        rows["clinic_departments"] = world.seed.add("clinic_departments", clinic_id=clinic, name="Lab")
        rows["registration_forms"] = world.seed.registration_form("Form", clinic)
        rows["user_clinic_permissions"] = world.seed.permissions(world.provider, clinic)
    return rows


def test_scoped_tables_bring_the_hubs_clinics_alone(world: World) -> None:
    patient = world.seed.add("patients", primary_clinic_id=world.here)
    ours, theirs = (clinical_rows(world, clinic, patient) for clinic in (world.here, world.elsewhere))
    changes = world.pull()["changes"]
    for table, mine in ours.items():
        got = {row["id"] for row in changes[table]["created"]}
        assert got == {mine}, table
        assert theirs[table] not in got, table


def test_patients_clinics_users_and_stock_are_the_hubs_own(world: World) -> None:
    mine, _ = (world.seed.add("patients", primary_clinic_id=clinic) for clinic in (world.here, world.elsewhere))
    world.seed.stock(world.elsewhere, world.drug, 5)
    changes = world.pull()["changes"]
    assert [row["id"] for row in changes["patients"]["created"]] == [mine]
    assert [row["id"] for row in changes["clinics"]["created"]] == [world.here]
    assert [row["id"] for row in changes["users"]["created"]] == [world.provider]
    assert [row["clinic_id"] for row in changes["clinic_inventory"]["created"]] == [world.here]


def test_rows_without_a_clinic_reach_no_hub(world: World) -> None:
    patient = world.seed.add("patients")
    clinical_rows(world, None, patient)
    world.seed.registration_form("Orphan", None)
    world.seed.user("Free", "free@test", "x", clinic=None)
    changes = world.pull()["changes"]
    assert [changes[table]["created"] for table in ("patients", "visits", "registration_forms")] == [[], [], []]
    assert [row["id"] for row in changes["users"]["created"]] == [world.provider]


def test_unscoped_tables_bring_the_whole_organisation(world: World) -> None:
    foreign = world.seed.add("patients", primary_clinic_id=world.elsewhere)
    event = world.seed.add("events", patient_id=foreign)
    world.seed.add("patient_vitals", patient_id=foreign)
    world.seed.add("patient_additional_attributes", **new(patient_id=foreign, attribute_id="x"))
    world.seed.add("patient_problems", **world.problem(foreign))
    changes = world.pull()["changes"]
    assert [row["id"] for row in changes["events"]["created"]] == [event]
    for table in ("patient_vitals", "patient_additional_attributes", "patient_problems"):
        assert len(changes[table]["created"]) == 1, table


def test_forms_of_all_clinics_and_of_the_hubs_own_are_sent(world: World) -> None:
    mine = world.seed.event_form("Mine", world.here, world.elsewhere)
    world.seed.event_form("Theirs", world.elsewhere)
    nowhere = world.seed.event_form("Null")
    world.seed.edit("event_forms", nowhere, clinic_ids="null")
    assert world.ids("event_forms") == {world.form, mine, nowhere}


def test_all_devices_of_the_clinic_are_sent(world: World) -> None:
    other = world.seed.hub("old laptop", world.elsewhere, world.here, device_type="laptop", status="decommissioned")
    world.seed.hub("foreign", world.elsewhere)
    assert world.ids("undefined") == {world.hub.id, other.id}


def test_a_hub_without_clinics_gets_everything(world: World) -> None:
    free = world.seed.hub("free")
    assert world.ids("users", hub=free) == {world.admin, world.provider}
    assert world.ids("clinics", hub=free) == {world.here, world.elsewhere}


def test_a_new_clinic_of_a_hub_is_not_backfilled(world: World) -> None:
    theirs = world.seed.add("patients", primary_clinic_id=world.elsewhere)
    last = world.pull()["timestamp"] + 1
    world.seed.edit("devices", world.hub.id, clinic_ids=[world.here, world.elsewhere])
    delta = world.pull(last)["changes"]
    assert delta["patients"]["created"] == []
    assert [row["id"] for row in delta["undefined"]["updated"]] in ([world.hub.id], [])
    assert world.ids("patients") == {theirs}


def test_a_patient_that_moves_in_is_updated_and_one_that_moves_out_just_stops(world: World) -> None:
    comes = world.seed.add("patients", primary_clinic_id=world.elsewhere)
    goes = world.seed.add("patients", primary_clinic_id=world.here)
    last = world.pull()["timestamp"]
    world.seed.edit("patients", comes, primary_clinic_id=world.here)
    world.seed.edit("patients", goes, primary_clinic_id=world.elsewhere)
    lists = world.changes("patients", last)
    assert ([row["id"] for row in lists["updated"]], lists["deleted"]) == ([comes], [])
