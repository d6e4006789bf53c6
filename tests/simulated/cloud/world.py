"""A small organisation in a stand-in cloud, and the requests that a hub makes of it."""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.simulator.cloud import RegisteredHub, Seed

PASSWORD = "correct horse"

_VECTORS = Path(__file__).parents[2] / "vectors" / "cloud"


@dataclass(frozen=True, slots=True)
class World:
    """Two clinics; the hub is ``here``'s. The first user is an admin of the other clinic, as in the field."""

    http: httpx.Client
    seed: Seed
    hub: RegisteredHub
    here: str
    elsewhere: str
    admin: str
    provider: str
    form: str
    drug: str
    batch: str

    def pull(self, last: object = 0, *, hub: RegisteredHub | None = None) -> dict[str, Any]:
        """Pull as a hub, expecting success."""
        answer = self.get(last, hub=hub)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def changes(self, table: str, last: object = 0, *, hub: RegisteredHub | None = None) -> dict[str, Any]:
        """Pull as a hub and return one table's lists."""
        return dict(self.pull(last, hub=hub)["changes"][table])

    def ids(self, table: str, *, hub: RegisteredHub | None = None) -> set[str]:
        """Return the ids that a full pull brings of a table."""
        return {row["id"] for row in self.changes(table, hub=hub)["created"]}

    def get(self, last: object = 0, *, hub: RegisteredHub | None = None) -> httpx.Response:
        """Pull as a hub."""
        query = {"lastPulledAt": str(last), "peerType": "sync_hub"}
        return self.http.get("/api/v2/sync", params=query, headers=bearer(hub or self.hub))

    def push(self, body: object, *, hub: RegisteredHub | None = None) -> httpx.Response:
        """Push a body as a hub."""
        query = {"lastPulledAt": "0", "peerType": "sync_hub"}
        return self.http.post("/api/v2/sync", params=query, headers=bearer(hub or self.hub), json=body)

    def push_raw(self, body: bytes) -> httpx.Response:
        """Push a body as it is."""
        query = {"lastPulledAt": "0", "peerType": "sync_hub"}
        return self.http.post("/api/v2/sync", params=query, headers=bearer(self.hub), content=body)

    def put(self, table: str, *records: Mapping[str, Any], hub: RegisteredHub | None = None) -> None:
        """Push records as created, expecting success."""
        answer = self.push({table: {"created": records}}, hub=hub)
        assert (answer.status_code, answer.json()) == (200, {"success": True})

    def delete(self, table: str, *ids: str) -> None:
        """Push deletes, expecting success."""
        assert self.push({table: {"deleted": ids}}).json() == {"success": True}

    def row(self, table: str, record_id: str) -> dict[str, Any]:
        """Return a row as the cloud holds it, which must be there."""
        found = self.seed.row(table, record_id)
        assert found is not None
        return found

    def patient(self, **given: object) -> dict[str, Any]:
        """Make a complete patient of this clinic, to be pushed."""
        usual = {"given_name": "Layla", "surname": "Haddad", "primary_clinic_id": self.here}
        return new(**{**usual, **given})

    def visit(self, patient: str, **given: object) -> dict[str, Any]:
        """Make a visit, to be pushed."""
        return new(**{"patient_id": patient, "clinic_id": self.here, "provider_id": self.provider, **given})

    def appointment(self, patient: str, **given: object) -> dict[str, Any]:
        """Make an appointment, to be pushed."""
        return new(**{"patient_id": patient, "clinic_id": self.here, "user_id": self.provider, **given})

    def prescription(self, patient: str, **given: object) -> dict[str, Any]:
        """Make a prescription, to be pushed."""
        usual = {"patient_id": patient, "provider_id": self.provider, "pickup_clinic_id": self.here}
        return new(**{**usual, **given})

    def item(self, patient: str, prescription: str, **given: object) -> dict[str, Any]:
        """Make a prescription item, to be pushed."""
        usual = {"patient_id": patient, "prescription_id": prescription, "drug_id": self.drug, "clinic_id": self.here}
        return new(**{**usual, **given})

    def dispensing(self, patient: str, **given: object) -> dict[str, Any]:
        """Make a dispensing record, to be pushed."""
        usual = {"drug_id": self.drug, "clinic_id": self.here, "dispensed_by": self.provider, "quantity_dispensed": 5}
        return new(patient_id=patient, **{**usual, **given})

    def problem(self, patient: str, **given: object) -> dict[str, Any]:
        """Make a problem, to be pushed."""
        usual = {"problem_code_system": "icd11", "problem_code": "CA23", "problem_label": "Asthma"}
        status = {"clinical_status": "active", "verification_status": "confirmed"}
        return new(patient_id=patient, **{**usual, **status, **given})

    def known_patient(self, **given: object) -> str:
        """Push a patient and return its id."""
        record = self.patient(**given)
        self.put("patients", record)
        return str(record["id"])

    def known_visit(self, patient: str, **given: object) -> str:
        """Push a visit and return its id."""
        record = self.visit(patient, **given)
        self.put("visits", record)
        return str(record["id"])


def vector(name: str) -> Any:  # noqa: ANN401
    """Return a JSON body that was captured from the real cloud."""
    return json.loads((_VECTORS / name).read_text())


def new(**given: Any) -> dict[str, Any]:  # noqa: ANN401
    """Make a record with a fresh id and an early time, so that later edits win."""
    return {"id": str(uuid.uuid4()), "updated_at": "2026-01-01T00:00:00.000Z", **given}


def bearer(hub: RegisteredHub) -> dict[str, str]:
    """Return the header that a hub signs in with."""
    return {"Authorization": f"Bearer {hub.api_key}"}


def basic(email: str, password: str = PASSWORD) -> dict[str, str]:
    """Return the header that a phone signs in with."""
    return {"Authorization": "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()}
