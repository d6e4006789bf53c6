"""Online mode against a real hub: the app's own calls, many at once, and what becomes of them elsewhere."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.records import record_rows
from tests.hubs import EMAIL, NOW_MS, PASSWORD, Client, ServedHub
from tests.simulator.phone import Phone

CAPTURED: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "vectors/phone/online_requests.json").read_text("utf-8")
)
PATIENT = "bb971f8e-f9c5-45ec-b9a5-51892e521445"
CALLS = 120
AT_ONCE = 60
Serve = Callable[..., ServedHub]

pytestmark = pytest.mark.slow


def phone_of(served: ServedHub, seed: int) -> Phone:
    phone = Phone(rng=random.Random(seed), now_ms=lambda: NOW_MS, connect=served.connect, name=f"phone-{seed}")
    phone.pair({"type": "sync_hub", "url": served.url})
    phone.login(EMAIL, PASSWORD)
    return phone


@contextmanager
def looked_into(served: ServedHub) -> Iterator[Any]:
    with closing(Store(served.data)) as store, store.read() as db:
        yield db


def clinic_of(served: ServedHub) -> str:
    with looked_into(served) as db:
        return str(db.execute("SELECT id FROM clinics").fetchone()[0])


def work(phone: Phone, clinic_id: str) -> dict[str, Any]:
    """Send every captured request in an order that makes sense; returns name -> last answer."""
    answers: dict[str, Any] = {}
    made: dict[str, str] = {}

    def send(name: str, number: int = 0, **changed: object) -> None:
        request = CAPTURED[name][number]
        ask = phone.command if request["kind"] == "command" else phone.query
        answers[name] = ask(name, {**request["params"], **changed})

    send("register_patient")
    send("register_patient", 1)
    send("get_patients")
    send("search_patients")
    send("get_patient")
    send("visits.create", clinic_id=clinic_id)
    made["visit"] = answers["visits.create"]["id"]
    send("get_visits")
    send("events.create", 1)
    send("events.create", visit_id=made["visit"], recorded_by_user_id=phone.user.user_id if phone.user else "")
    made["event"] = answers["events.create"]["id"]
    send("get_visit_events", visit_id=made["visit"])
    send("events.by_form")
    send("events.update", id=made["event"])
    send("vitals.create", visit_id=made["visit"])
    send("vitals.list")
    send("problems.create", visit_id=made["visit"])
    made["problem"] = answers["problems.create"]["id"]
    send("problems.list")
    send("problems.get", id=made["problem"])
    send("problems.update", id=made["problem"])
    send("events.delete", id=made["event"])
    assert set(answers) == set(CAPTURED) - {"login"}
    return answers


def test_what_the_app_does_online_works_and_another_phone_pulls_it(serve: Serve) -> None:
    served = serve()
    online, offline = phone_of(served, 1), phone_of(served, 2)
    answers = work(online, clinic_of(served))
    assert offline.sync().ok
    rows = {table: {row["id"]: row for row in offline.store.rows(table)} for table in ("patients", "visits", "events")}
    assert rows["patients"][PATIENT]["given_name"] == "Online2"
    assert answers["visits.create"]["id"] in rows["visits"]
    assert answers["events.create"]["id"] not in rows["events"]
    assert len(rows["events"]) == 1
    [problem] = offline.store.rows("patient_problems")
    assert (problem["clinical_status"], problem["onset_date"]) == ("resolved", 1_704_153_600_000)
    [vitals] = offline.store.rows("patient_vitals")
    assert (vitals["diastolic_bp"], vitals["timestamp"]) == (80.5, 1_795_156_042_991)
    assert len(list(offline.store.rows("patient_additional_attributes"))) == 4


def test_what_was_written_online_waits_for_the_cloud_over_a_power_cut(serve: Serve) -> None:
    served = serve()
    work(phone_of(served, 1), clinic_of(served))
    served.kill()
    with looked_into(served) as db:
        waiting = Counter(name for (name,) in db.execute("SELECT table_name FROM outbox"))
    assert waiting == {
        "patients": 1,
        "patient_additional_attributes": 4,
        "visits": 2,
        "events": 2,
        "patient_vitals": 1,
        "patient_problems": 1,
    }


def test_a_refusal_for_lack_of_stock_says_what_there_is(serve: Serve) -> None:
    served = serve()
    phone = phone_of(served, 1)
    work(phone, clinic_of(served))
    stock = {"clinic_id": clinic_of(served), "drug_id": "d1", "batch_id": "b1", "quantity_available": 2}
    with closing(Store(served.data)) as store, store.write() as tx:
        for table, values in (("drug_catalogue", {"id": "d1"}), ("clinic_inventory", {"id": "s1", **stock})):
            record_rows.put(tx, TABLES[table], codec.build(TABLES[table], dict(values)))
    client = Client(served.connect(), phone.client_id)
    client.token = phone.session.token if phone.session else None
    assert client.shake().status == 200
    asked = {"patient_id": PATIENT, "drug_id": "d1", "quantity_dispensed": 3}
    refused = client.command("dispensing.create", asked)
    assert (refused.status, refused.json["message"]) == (409, "only 2 available")
    assert client.command("dispensing.create", {**asked, "quantity_dispensed": 2}).status == 200


def test_many_calls_at_once_with_handshakes_in_between_all_succeed(serve: Serve) -> None:
    served = serve()
    phone = phone_of(served, 1)
    work(phone, clinic_of(served))
    token = phone.session.token if phone.session else None

    def call(number: int) -> int:
        client = Client(served.connect(), phone.client_id)
        client.token = token
        assert client.shake().status == 200
        match number % 3:
            case 0:
                return client.query("get_patients", {"limit": 20, "offset": 0}).status
            case 1:
                return client.query("vitals.list", {"patient_id": PATIENT}).status
            case _:
                return client.command("vitals.create", {"patient_id": PATIENT, "heart_rate": number}).status

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = Counter(pool.map(call, range(CALLS)))
    assert statuses == {200: CALLS}
    entered = phone.query("vitals.list", {"patient_id": PATIENT})
    assert {row["heart_rate"] for row in entered} == {72, *range(2, CALLS, 3)}
