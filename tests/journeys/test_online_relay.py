"""What is written online reaches the cloud, and both end with the same stock (CLOUD.md 4.8)."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.actions.phones import pairing
from hub.core.records.access import Permission
from hub.core.records.tables import TABLES
from hub.services.rpc.dispatch import Rpc
from hub.store.records import queries
from tests.hubs import BOUNDS, POLICY, Answer, Client, InProcessHub, RpcTransport
from tests.services.relay import world as worlds
from tests.services.relay.world import PASSWORD, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with worlds.world(tmp_path) as made:
        user = made.seed.user("Phil Pharmacist", "phil@test", PASSWORD, clinic=made.here)
        made.seed.permissions(user, made.here, **{permission.value: True for permission in Permission})
        made.cycle()
        yield made


@pytest.fixture
def client(world: World) -> Client:
    """Return a phone in online mode, signed in as someone the cloud knows."""
    pairing.open_for(world.store, 60)
    hub = cast("InProcessHub", SimpleNamespace(rpc=Rpc(world.store, BOUNDS, POLICY)))
    client = Client(RpcTransport(hub))
    assert client.shake().status == 200
    assert client.login("phil@test", PASSWORD).status == 200
    return client


def ok(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.json
    return cast("dict[str, Any]", answer.json)


def stock(world: World) -> tuple[int, int]:
    """Return what is in stock: on the hub, in the cloud."""
    with world.store.read() as db:
        [batch] = queries.where(db, TABLES["clinic_inventory"], {"clinic_id": world.here, "drug_id": world.drug})
    return batch.row.quantity_available, int(world.there_is("clinic_inventory", batch.id)["quantity_available"])


def test_what_is_written_online_is_in_the_cloud_after_a_cycle(world: World, client: Client) -> None:
    answers = [{"attribute_id": "f1", "attribute": "blood_group", "string_value": "A+"}]
    registered = {"patient": {"given_name": "Nour", "date_of_birth": "1990-12-31"}, "additional_attributes": answers}
    patient = ok(client.command("register_patient", registered))["patient_id"]
    event = ok(client.command("events.create", {"patient_id": patient, "form_id": world.form, "form_data": [{"a": 1}]}))
    mine = {"patient_id": patient, "visit_id": event["visit_id"]}
    vitals = ok(client.command("vitals.create", {**mine, "heart_rate": 70}))["id"]
    world.cycle()
    assert world.there_is("patients", patient)["primary_clinic_id"] == world.here
    assert world.there_is("visits", event["visit_id"])["provider_name"] == "Phil Pharmacist"
    assert world.is_there("events", event["id"])
    assert world.is_there("patient_vitals", vitals)
    assert world.waiting()["waiting"] == 0


def test_hub_and_cloud_end_with_the_same_stock(world: World, client: Client) -> None:
    patient = ok(client.command("register_patient", {"patient": {"given_name": "Nour"}}))["patient_id"]
    visit = ok(client.command("visits.create", {"patient_id": patient}))["id"]
    mine = {"patient_id": patient, "visit_id": visit}
    prescription = ok(client.command("prescriptions.create", mine))["prescription_id"]
    item = {"prescription_id": prescription, "drug_id": world.drug, "quantity_prescribed": 20}
    item_id = ok(client.command("prescription_items.create", item))["id"]
    ok(client.command("prescription_items.dispense", {"id": item_id, "quantity": 5}))
    assert stock(world) == (195, 200)
    world.cycle()
    world.cycle()
    assert stock(world) == (195, 195)
    ok(client.command("prescription_items.dispense", {"id": item_id}))
    world.cycle()
    world.cycle()
    assert stock(world) == (180, 180)
