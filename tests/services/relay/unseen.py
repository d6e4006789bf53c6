"""What the stories of a cloud that changes unseen have in common."""

import datetime as dt
from typing import Any

from tests.services.relay.world import World
from tests.simulator.rows import Row
from tests.store import pushes


def chart(world: World, patient: Row) -> dict[str, Row]:
    """Enter a record of every kind for a patient."""
    visit = world.visit(patient)
    prescription = world.prescription(visit)
    made = {"visits": visit, "events": world.event(visit), "patient_vitals": world.vitals(visit)}
    made |= {"patient_problems": world.problem(visit), "patient_additional_attributes": world.attribute(patient)}
    made |= {"appointments": world.appointment(visit), "prescriptions": prescription}
    return made | {"prescription_items": world.item(prescription)}


def ids(row: Row) -> str:
    return str(row["id"])


EDITS: dict[str, dict[str, Any]] = {
    "visits": {"provider_name": "Eva"},
    "events": {"event_type": "Triage"},
    "patient_vitals": {"systolic_bp": 131},
    "patient_problems": {"problem_label": "Gout"},
    "patient_additional_attributes": {"string_value": "A+"},
    "appointments": {"reason": "stitches"},
    "prescriptions": {"notes": "after meals"},
    "prescription_items": {"notes": "half"},
}


def long_ago(world: World, made: dict[str, Row]) -> None:
    """Let the records be older than what pulls bring twice."""
    then = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).isoformat()
    for table, row in made.items():
        world.seed.edit(table, ids(row), announced=False, last_modified=then, server_created_at=then)


def stand_with(world: World, patient: Row, made: dict[str, Row], edits: dict[str, dict[str, Any]]) -> None:
    """Check that the records stand with a patient on both sides, and hold these edits."""
    for table, row in made.items():
        wanted = {"patient_id": patient["id"], "is_deleted": False, **edits[table]}
        for held in (world.here_is(table, ids(row)), world.there_is(table, ids(row))):
            assert {name: held[name] for name in wanted} == wanted, table
        assert ids(row) in pushes.live(world.store, table), table
    assert pushes.reasons(world.store) == []
    assert not world.waiting()["waiting"]
