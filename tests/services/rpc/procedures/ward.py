"""A hub with a patient, a visit and a pharmacy, and what else the online procedures need to work on."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.core.records import codec
from hub.core.records.access import Permission
from hub.core.records.tables import TABLES
from hub.store.people import users
from hub.store.records import queries, record_rows
from tests.hubs import NOW_MS, PASSWORD, Answer, Client, InProcessHub, add_clinic, add_user
from tests.simulator.phone import Phone

DAY_MS = 86_400_000
FOREVER_MS = 4_000_000_000_000


@dataclass
class Ward:
    """The hub, a signed-in client, and the ids of what is there."""

    hub: InProcessHub
    client: Client = field(init=False)
    other_clinic: str = field(init=False)
    patient: str = field(init=False)
    stranger: str = field(init=False)
    """A patient of the other clinic, whom the user of the hub may not see."""
    visit: str = field(init=False)
    drug: str = "drug-1"

    def __post_init__(self) -> None:
        """Fill the hub."""
        self.client = self.hub.client()
        self.other_clinic = add_clinic(self.hub.store, "Other Clinic")
        self.patient = self.put("patients", given_name="Leila", surname="Haddad", primary_clinic_id=self.hub.clinic_id)
        self.stranger = self.put("patients", given_name="Omar", surname="Haddad", primary_clinic_id=self.other_clinic)
        self.visit = self.put("visits", patient_id=self.patient, clinic_id=self.hub.clinic_id)
        self.put("drug_catalogue", self.drug, generic_name="Amoxicillin", barcode="4006381333931", is_active=True)

    def put(self, table: str, record_id: str = "", **values: object) -> str:
        """Store a record as it comes from the cloud; returns its id."""
        record_id = record_id or str(uuid.uuid4())
        given = {"created_at": NOW_MS, "updated_at": NOW_MS, **values, "id": record_id}
        with self.hub.store.write() as tx:
            record_rows.put(tx, TABLES[table], codec.build(TABLES[table], given))
        return record_id

    def stock(self, quantity: int, *, expires: int = FOREVER_MS, batch: str = "batch-1", clinic: str = "") -> str:
        """Put a batch of the drug into the pharmacy; returns the id of its row."""
        return self.put(
            "clinic_inventory",
            f"stock-{batch}",
            clinic_id=clinic or self.hub.clinic_id,
            drug_id=self.drug,
            batch_id=batch,
            batch_number=batch,
            quantity_available=quantity,
            batch_expiry_date=expires,
        )

    def item(self, quantity: int = 10) -> str:
        """Prescribe the drug to the patient; returns the id of the item."""
        mine = {"patient_id": self.patient, "clinic_id": self.hub.clinic_id, "drug_id": self.drug}
        prescription = self.put(
            "prescriptions", patient_id=self.patient, visit_id=self.visit, pickup_clinic_id=self.hub.clinic_id
        )
        return self.put("prescription_items", prescription_id=prescription, quantity_prescribed=quantity, **mine)

    def stored(self, table: str, record_id: str) -> dict[str, Any] | None:
        """Return a live record as the hub holds it, in the phone's form."""
        with self.hub.store.read() as db:
            record = queries.find(db, TABLES[table], record_id)
        return record.values() if record else None

    def every(self, table: str) -> list[dict[str, Any]]:
        """Return all live records of a table."""
        with self.hub.store.read() as db:
            return [record.values() for record in queries.every(db, TABLES[table])]

    def waiting(self) -> set[str]:
        """Return the tables that have records waiting for the cloud."""
        with self.hub.store.read() as db:
            return {name for (name,) in db.execute("SELECT DISTINCT table_name FROM outbox")}

    def user(self, name: str, permissions: set[Permission], *, clinic: str = "", role: str = "provider") -> Client:
        """Make a user with just these permissions in a clinic; returns their signed-in client."""
        email = f"{name}@clinic.example"
        add_user(
            self.hub.store, clinic or self.hub.clinic_id, email=email, role=role, without=set(Permission) - permissions
        )
        client = self.hub.client(f"client-{name}", email=None)
        assert client.login(email, PASSWORD).status == 200
        return client

    def homeless(self, name: str) -> Client:
        """Make a user who works in no clinic; returns their signed-in client."""
        user = msgspec.structs.replace(
            self.hub.user, id=f"user-{name}", email=f"{name}@clinic.example", name=name, clinic_id=None
        )
        with self.hub.store.write() as tx:
            users.put(tx, user)
        client = self.hub.client(f"client-{name}", email=None)
        assert client.login(user.email, PASSWORD).status == 200
        return client

    def phone(self, seed: int = 50) -> Phone:
        """Return a model phone that works offline."""
        return self.hub.phone(seed)


def ok(answer: Answer) -> Any:  # noqa: ANN401  any JSON
    """Return what came with a 200."""
    assert answer.status == 200, answer.json
    return answer.json
