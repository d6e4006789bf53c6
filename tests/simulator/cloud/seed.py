"""Fills the cloud as its web admin would, and edits it as other hubs and careless edits do."""

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import bcrypt
import msgspec

from tests.simulator.cloud import pushed, tables, values
from tests.simulator.cloud.callers import Caller
from tests.simulator.cloud.columns import Garbage, Table
from tests.simulator.cloud.instants import Clock
from tests.simulator.cloud.push import PushOutcome, push
from tests.simulator.cloud.store import CloudStore, Transaction, select, wire_rows
from tests.simulator.cloud.values import Value

_UTC = ZoneInfo("UTC")
_ATTRIBUTES = "patient_additional_attributes"
_ROUNDS = 4  # bcrypt's fewest: the stand-in is quick where the cloud is careful


@dataclass(frozen=True, slots=True)
class RegisteredHub:
    """A device that was registered in the cloud, with the key that only its owner knows."""

    id: str
    api_key: str
    clinics: tuple[str, ...]


class Seed:
    """Writes rows past all rules of a push; every method commits."""

    def __init__(self, store: CloudStore) -> None:
        self._store = store

    def add(self, table: str, **given: object) -> str:
        """Add a row, what is not given being the default, and return its id.

        Values are those of the wire or Python's own; last_modified and the like may be given too.
        """
        with self._store.transaction() as transaction:
            return insert(transaction, tables.BY_NAME[table], given)

    def clinic(self, name: str) -> str:
        """Add a clinic."""
        return self.add("clinics", name=name)

    def hub(self, name: str, *clinics: str, device_type: str = "sync_hub", status: str = "active") -> RegisteredHub:
        """Register a device for ``clinics``."""
        api_key = "hh_" + secrets.token_hex(32)
        digest = hashlib.sha256(api_key.encode()).hexdigest()
        device = self.add(
            "devices", name=name, device_type=device_type, api_key_hash=digest, status=status, clinic_ids=list(clinics)
        )
        return RegisteredHub(device, api_key, clinics)

    def user(self, name: str, email: str, password: str, *, clinic: str | None, role: str = "provider") -> str:
        """Add a user who can sign in."""
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
        return self.add("users", name=name, email=email, role=role, clinic_id=clinic, hashed_password=hashed)

    def permissions(self, user: str, clinic: str, **granted: bool) -> str:
        """Grant a user what is named in a clinic, by column of user_clinic_permissions."""
        return self.add("user_clinic_permissions", user_id=user, clinic_id=clinic, **granted)

    def event_form(self, name: str, *clinics: str, fields: Sequence[object] = ()) -> str:
        """Add a form for ``clinics``, for all when none is named."""
        return self.add("event_forms", name=name, form_fields=list(fields), clinic_ids=list(clinics))

    def registration_form(self, name: str, clinic: str | None, fields: Sequence[object] = ()) -> str:
        """Add a registration form."""
        return self.add("patient_registration_forms", name=name, clinic_id=clinic, fields=list(fields))

    def drug(self, name: str, **given: object) -> str:
        """Add a drug."""
        usual = {"form": "tablet", "route": "oral", "dosage_quantity": 500, "dosage_units": "mg", "sale_price": 1.25}
        return self.add("drug_catalogue", generic_name=name, **{**usual, **given})

    def stock(
        self, clinic: str, drug: str, quantity: int, *, batch_number: str = "B1", expires: str = "2027-12-31"
    ) -> str:
        """Put a batch of a drug on a clinic's shelf and return the batch's id."""
        batch = self.add(
            "drug_batches", drug_id=drug, batch_number=batch_number, expiry_date=expires, quantity_remaining=quantity
        )
        self.add(
            "clinic_inventory",
            clinic_id=clinic,
            drug_id=drug,
            batch_id=batch,
            quantity_available=quantity,
            batch_number=batch_number,
            batch_expiry_date=expires,
        )
        return batch

    def edit(self, table: str, record_id: str, *, announced: bool = True, **given: object) -> None:
        """Change columns of a row; not ``announced`` leaves last_modified alone, so that nobody pulls it."""
        with self._store.transaction() as transaction:
            edit(transaction, tables.BY_NAME[table], record_id, given, announced=announced)

    def merge(self, gone: str, stays: str, *, announced: bool = True) -> None:
        """Merge a duplicate into another patient: what was one's is the other's, and the one is deleted.

        A field that both have stays as it is: the cloud keeps one row of it.
        """
        fields = {row["attribute_id"] for row in self.rows(_ATTRIBUTES) if row["patient_id"] == stays}
        for table in tables.PULL_ORDER:
            for row in self.rows(table.name) if "patient_id" in table.names else ():
                if row["patient_id"] == gone and not (table.name == _ATTRIBUTES and row["attribute_id"] in fields):
                    self.edit(table.name, str(row["id"]), announced=announced, patient_id=stays)
        self.delete("patients", gone)

    def copy(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all rows, as a backup."""
        return {table.name: self._store.read(select(table)) for table in tables.CREATION_ORDER}

    def restore(self, backup: Mapping[str, list[tuple[Any, ...]]], *only: str) -> None:
        """Put the cloud back to what it was at a backup; ``only`` these tables, if any are named."""
        wanted = [table for table in tables.CREATION_ORDER if not only or table.name in only]
        with self._store.transaction() as transaction:
            for table in reversed(wanted):
                transaction.execute(f'DELETE FROM "{table.name}"')
            for table in wanted:
                marks = ", ".join("?" * len(table.columns))
                for row in backup[table.name]:
                    transaction.execute(
                        f'INSERT INTO "{table.name}" VALUES ({marks})', [_stored(value) for value in row]
                    )

    def delete(self, table: str, record_id: str) -> None:
        """Delete a row softly without its children, as ``patients.delete`` does (CLOUD.md 7)."""
        now = dt.datetime.now(dt.UTC)
        self.edit(table, record_id, is_deleted=True, deleted_at=now.isoformat())

    def remove(self, table: str, record_id: str) -> None:
        """Remove a row for good, which nobody is told."""
        with self._store.transaction() as transaction:
            transaction.execute(f'DELETE FROM "{tables.BY_NAME[table].name}" WHERE "id" = ?', (record_id,))

    def push_as(self, hub: RegisteredHub, changes: object) -> PushOutcome:
        """Push as another hub would, without HTTP."""
        return push(self._store, Caller(hub_tables=True, clinics=hub.clinics), msgspec.json.encode(changes), _UTC)

    def rows(self, table: str, zone: str = "UTC") -> list[dict[str, object]]:
        """Return all rows as they are, deleted ones too, in the wire's form."""
        found = wire_rows(self._store, tables.BY_NAME[table], ZoneInfo(zone))
        return msgspec.json.decode(msgspec.json.encode(found), type=list[dict[str, object]])

    def row(self, table: str, record_id: str) -> dict[str, object] | None:
        """Return one row as it is."""
        return next((row for row in self.rows(table) if row["id"] == record_id), None)

    def bulk(self, patients: int, events_each: int, *, clinic: str, provider: str, form_data_bytes: int = 400) -> int:
        """Add so many patients, each with a visit and events, and return the number of rows."""
        with self._store.transaction() as transaction:
            clock = Clock(transaction.now, _UTC)
            ids = [(str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(patients)]
            patient = {"surname": "Haddad", "date_of_birth": "1984-02-29", "sex": "female", "primary_clinic_id": clinic}
            transaction.copy(
                pushed.PATIENTS,
                _copies(
                    pushed.PATIENTS,
                    patient,
                    clock,
                    ({"id": row, "given_name": f"Patient {number}"} for number, (row, _) in enumerate(ids)),
                ),
            )
            visit = {"clinic_id": clinic, "provider_id": provider}
            rows = ({"id": row, "patient_id": person} for person, row in ids)
            transaction.copy(pushed.VISITS, _copies(pushed.VISITS, visit, clock, rows))
            event = {"event_type": "Visit", "form_data": [{"name": "Note", "value": "x" * form_data_bytes}]}
            rows = (
                {"id": str(uuid.uuid4()), "patient_id": person, "visit_id": at}
                for person, at in ids
                for _ in range(events_each)
            )
            transaction.copy(pushed.EVENTS, _copies(pushed.EVENTS, event, clock, rows))
        return patients * (2 + events_each)


def insert(transaction: Transaction, table: Table, given: Mapping[str, object]) -> str:
    """Insert a row inside an open transaction, so that a test can commit it late (CLOUD.md 2.1)."""
    strict = replace(table, columns=tuple(replace(column, garbage=Garbage.REFUSED) for column in table.columns))
    row = values.row(strict, {"id": str(uuid.uuid4()), **_plain(given)}, Clock(transaction.now, _UTC))
    transaction.copy(table, [tuple(row.values())])
    return str(row["id"])


def edit(
    transaction: Transaction, table: Table, record_id: str, given: Mapping[str, object], *, announced: bool = True
) -> None:
    """Change columns of a row inside an open transaction."""
    clock = Clock(transaction.now, _UTC)
    new: dict[str, Value] = {name: values.stored(table.column(name), _plain(given), clock) for name in given}
    for name in ("updated_at", "last_modified") if announced else ():
        if name in table.names:
            new.setdefault(name, transaction.now)
    sets = ", ".join(f'"{name}" = ?' for name in new)
    transaction.execute(f'UPDATE "{table.name}" SET {sets} WHERE "id" = ?', (*new.values(), record_id))


def _stored(value: Any) -> Value:  # noqa: ANN401
    return values.Json(msgspec.json.decode(value)) if isinstance(value, msgspec.Raw) else value


def _plain(given: Mapping[str, object]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in given.items()}


def _copies(
    table: Table, same: Mapping[str, object], clock: Clock, own: Iterator[dict[str, str]]
) -> Iterator[tuple[Value, ...]]:
    template = values.row(table, same, clock)
    for columns in own:
        yield tuple((template | columns).values())
