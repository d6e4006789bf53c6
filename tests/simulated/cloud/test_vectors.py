"""What was captured from the real cloud comes out of the stand-in again."""

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.simulated.cloud.world import basic, bearer, vector
from tests.simulator.cloud import RegisteredHub, Seed, create_app
from tests.simulator.cloud.store import CloudStore
from tests.simulator.cloud.tables import CREATION_ORDER

HUB = {"peerType": "sync_hub"}


def rows_by_table() -> dict[str, dict[str, dict[str, Any]]]:
    """Unite what the hub and the phone got, with stubs for what both only mention."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name in ("hub_pull_full.json", "phone_pull_full.json"):
        for table, lists in vector(name)["changes"].items():
            found.setdefault(table, {}).update({row["id"]: row for row in lists["created"]})
    stubs = {"users": {"name": "", "role": "provider", "hashed_password": "", "email": ""}}
    for table, lists in list(found.items()):
        columns = next(t for t in CREATION_ORDER if t.wire_name == table).columns
        for column in (column for column in columns if column.references):
            for row in list(lists.values()):
                if row[column.name] is not None and column.references in stubs:
                    stub = {"id": row[column.name], **stubs[column.references]}
                    found[column.references].setdefault(stub["id"], stub)
    found["drug_batches"] = {
        row["batch_id"]: {"id": row["batch_id"], "drug_id": row["drug_id"], "batch_number": row["batch_number"]}
        for row in found["clinic_inventory"].values()
    }
    return found


@pytest.fixture
def client(store: CloudStore) -> Iterator[TestClient[Any]]:
    """Load every captured row, and a hub of the same clinic whose key we know."""
    seed, found = Seed(store), rows_by_table()
    for table in CREATION_ORDER:
        for row in found.get(table.wire_name, {}).values():
            seed.add(table.name, **row)
    with TestClient(create_app(store, rate_limit=1_000)) as http:
        yield http


@pytest.fixture
def hub(store: CloudStore, client: TestClient[Any]) -> RegisteredHub:
    del client  # its rows come first
    clinic = vector("verify_key.json")["clinic_ids"][0]
    return Seed(store).hub("ours", clinic)


def sorted_lists(lists: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {
        "created": sorted(lists["created"], key=lambda row: row["id"]),
        "updated": sorted(lists["updated"], key=lambda row: row["id"]),
        "deleted": sorted(lists["deleted"]),
    }


def test_a_full_pull_of_a_hub_is_what_the_real_cloud_sent(client: TestClient[Any], hub: RegisteredHub) -> None:
    ours = client.get("/api/v2/sync", params=HUB, headers=bearer(hub)).json()
    real = vector("hub_pull_full.json")
    ours["changes"]["undefined"]["created"] = [
        row for row in ours["changes"]["undefined"]["created"] if row["id"] != hub.id
    ]
    assert list(ours) == list(real)
    assert list(ours["changes"]) == list(real["changes"])
    for table, lists in real["changes"].items():
        assert sorted_lists(ours["changes"][table]) == sorted_lists(lists), table
        for got, expected in zip(ours["changes"][table]["created"], lists["created"], strict=True):
            assert list(got) == list(expected), table


def test_a_full_pull_of_a_phone_is_what_the_real_cloud_sent(client: TestClient[Any], store: CloudStore) -> None:
    Seed(store).user("Someone", "someone@test", "pass", clinic=None)
    ours = client.get("/api/v2/sync", headers=basic("someone@test", "pass")).json()
    real = vector("phone_pull_full.json")
    assert list(ours["changes"]) == list(real["changes"])
    for table, lists in real["changes"].items():
        assert sorted_lists(ours["changes"][table]) == sorted_lists(lists), table


def test_json_objects_come_back_with_jsonb_key_order(client: TestClient[Any], hub: RegisteredHub) -> None:
    push(client, hub, "push_ok.json")
    lists = client.get("/api/v2/sync", params=HUB, headers=bearer(hub)).json()["changes"]["events"]["created"]
    real = vector("hub_pull_delta.json")["changes"]["events"]["created"][0]
    got = next(row for row in lists if row["id"] == real["id"])
    assert list(got["form_data"][0]) == list(real["form_data"][0])


def test_the_captured_pushes_come_back_as_the_captured_delta(client: TestClient[Any], hub: RegisteredHub) -> None:
    before = client.get("/api/v2/sync", params=HUB, headers=bearer(hub)).json()["timestamp"]
    push(client, hub, "push_ok.json")
    push(client, hub, "push_ok_second_request.json")
    ours = client.get("/api/v2/sync", params={**HUB, "lastPulledAt": before}, headers=bearer(hub)).json()["changes"]
    for table, lists in vector("hub_pull_delta.json")["changes"].items():
        if table != "undefined":  # our own hub was registered meanwhile
            assert without_cloud_times(ours[table]["created"]) == without_cloud_times(lists["created"]), table
    stock = ours["clinic_inventory"]["updated"]
    assert [row["quantity_available"] for row in stock] == [167]


def push(client: TestClient[Any], hub: RegisteredHub, name: str) -> None:
    answer = client.post("/api/v2/sync", params=HUB, headers=bearer(hub), json=vector(name))
    assert (answer.status_code, answer.json()) == (200, vector("push_ok_response.json"))


def without_cloud_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the cloud's own clock, which patient_problems also shows as its other times."""
    cloud = {"last_modified", "server_created_at"}
    return [
        {
            name: value
            for name, value in row.items()
            if name not in cloud and not ("onset_date" in row and name in {"created_at", "updated_at"})
        }
        for row in rows
    ]
