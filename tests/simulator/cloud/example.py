"""Seeds a small organisation for the demo: the made-up clinic with its staff, another one, and a hub of the first."""

import time
from collections.abc import Mapping

from hub.core.records.access import Permission
from hub.core.records.table import SERVER_OWNED
from tests.simulator.clinic import Clinic
from tests.simulator.cloud.seed import RegisteredHub, Seed
from tests.simulator.cloud.store import CloudStore
from tests.simulator.reference import CLINIC_ID
from tests.simulator.staff import PASSWORD, STAFF

_NAMES = {"registration_forms": "patient_registration_forms"}
_ALLOWED = {permission.value: True for permission in Permission if permission is not Permission.ADMIN}
_SEED = 1
"""The clinic is the same in every cloud."""


def seed_example(store: CloudStore) -> RegisteredHub:
    """Add the organisation unless it is there, and register a hub for the made-up clinic."""
    seed = Seed(store)
    if not seed.rows("clinics"):
        _organisation(seed)
    return seed.hub(f"Demo hub {len(seed.rows('devices')) + 1}", CLINIC_ID)


def _organisation(seed: Seed) -> None:
    elsewhere = seed.clinic("Green Valley Clinic")
    other = seed.user("Omar Other", "other@demo.test", PASSWORD, clinic=elsewhere)
    for table, rows in Clinic(_SEED).reference(time.time_ns() // 1_000_000).items():
        for row in rows:
            _add(seed, table, row)
    users = [seed.user(person.name, person.email, PASSWORD, clinic=CLINIC_ID) for person in STAFF]
    for user in users:
        seed.permissions(user, CLINIC_ID, **_ALLOWED)
    for clinic, provider in ((CLINIC_ID, users[0]), (elsewhere, other)):
        seed.bulk(12, 2, clinic=clinic, provider=provider, form_data_bytes=40)


def _add(seed: Seed, table: str, row: Mapping[str, object]) -> None:
    given = {name: value for name, value in row.items() if value is not None and name not in SERVER_OWNED}
    if table == "registration_forms":
        given["clinic_id"] = CLINIC_ID
    if table == "clinic_inventory":
        batch = {"expiry_date": given["batch_expiry_date"], "quantity_remaining": given["quantity_available"]}
        named = {"drug_id": given["drug_id"], "batch_number": given["batch_number"]}
        seed.add("drug_batches", id=given["batch_id"], **named, **batch)
    seed.add(_NAMES.get(table, table), **given)
