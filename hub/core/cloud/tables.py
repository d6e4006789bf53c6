"""Declares the cloud's side of every table: names, order, and what it does not keep of a push (CLOUD.md 4-6)."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from hub.core.records.table import SERVER_OWNED
from hub.core.records.tables import NEXT_TABLES, TABLES

USERS = "users"
"""Comes in a pull beside the travelling tables and carries password hashes: it goes to the people, to no phone."""

UNWANTED = frozenset({"undefined", "devices", "device_pin_codes"})
"""API key hashes and PIN hashes of all hubs (CLOUD.md 2.3). What the hub must know of itself verify-key says."""

PUSH_ORDER = tuple(
    TABLES[name]
    for name in (
        *("patients", "patient_additional_attributes", "visits", "events", "appointments", "prescriptions"),
        *("patient_vitals", "patient_problems", "prescription_items", "dispensing_records"),
    )
)
"""The order in which records go up: whatever is named comes before what names it."""

PUSHED = PUSH_ORDER + NEXT_TABLES
"""The same, and behind them the tables of a later app, whose records go once the cloud takes them."""

OWN_REQUEST = "dispensing_records"
"""Within a request the cloud takes them before the items that they name: they go in a later one (CLOUD.md 4.4)."""

CLOUD_ONLY_MOMENTS = frozenset({"image_timestamp"})
"""Times that the cloud keeps and the phone has no column for."""

UNCOMPARED = SERVER_OWNED | {"id", "created_at", "updated_at", "deleted_at", "is_deleted"}
"""Columns that never make a difference: the cloud resets them (CLOUD.md 4.5), or they are said in another way."""


class Keeping(msgspec.Struct, frozen=True):
    """What the cloud does with the columns of a pushed record."""

    dropped: frozenset[str] = frozenset()
    """Never stored."""
    once: frozenset[str] = frozenset()
    """Stored when the record is new, never changed by a later push."""
    not_null: frozenset[str] = frozenset()
    """May be left out, but null fails the request."""
    now: frozenset[str] = frozenset()
    """Times that become the present one where there is none (CLOUD.md 7)."""
    defaults: Mapping[str, object] = MappingProxyType({})
    """What the cloud makes of nothing: it is not news, and neither is nothing where it has this (R4)."""
    visit: str | None = None
    """The column without which the cloud makes up a visit, each time anew (CLOUD.md 4.5, 4.7)."""
    edits_return: bool = True
    """An edit comes back in the next pull, so that it can be proven."""


_KEEPING: Mapping[str, Keeping] = {
    "events": Keeping(visit="visit_id"),
    "appointments": Keeping(
        not_null=frozenset({"duration", "reason", "notes", "status"}),
        now=frozenset({"timestamp"}),
        defaults=MappingProxyType({"duration": 60}),
        visit="current_visit_id",
    ),
    "prescriptions": Keeping(
        dropped=frozenset({"items", "metadata"}),
        once=frozenset({"prescribed_at", "filled_at"}),
        now=frozenset({"prescribed_at"}),
        defaults=MappingProxyType({"priority": "normal"}),
        visit="visit_id",
    ),
    "patient_vitals": Keeping(dropped=frozenset({"event_id"}), now=frozenset({"timestamp"})),
    "dispensing_records": Keeping(once=frozenset({"clinic_id", "patient_id"}), now=frozenset({"dispensed_at"})),
    "prescription_items": Keeping(dropped=frozenset({"recorded_by_user_id", "metadata"}), edits_return=False),
}
KEEPING: Mapping[str, Keeping] = MappingProxyType({name: _KEEPING.get(name, Keeping()) for name in TABLES})
"""What the cloud does with a table's columns, by its name."""
