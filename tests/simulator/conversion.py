"""Converts an answer before a forced download applies it; a normal sync converts nothing.

ISO text in times becomes ms, JSON in some columns becomes text. Not additional_data, items and
additional_capabilities: those stay what they are. Source: PROTOCOL.md "What the phone makes of a value".
"""

from datetime import UTC, datetime
from typing import Any

from tests.simulator import javascript
from tests.simulator.local_store import LocalStoreError

TIMES = (
    "created_at",
    "updated_at",
    "deleted_at",
    "timestamp",
    "prescribed_at",
    "filled_at",
    "expiration_date",
    "batch_expiry_date",
    "check_in_timestamp",
)
JSON_COLUMNS = ("departments", "metadata", "form_fields", "translations", "clinic_ids", "form_data", "fields")

_ALWAYS = ("created_at", "updated_at")


def convert(changes: Any, now_ms: int) -> None:  # noqa: ANN401  whatever the hub put there
    """Convert every record of ``changes`` in place; ``now_ms`` stands in for a time that cannot be read."""
    if not isinstance(changes, dict) or None in changes.values():
        raise LocalStoreError("TypeError: Cannot convert undefined or null to object")
    for arrays in changes.values():
        for name in ("created", "updated", "deleted"):
            for record in (arrays.get(name) if isinstance(arrays, dict) else None) or ():
                if isinstance(record, dict):
                    _convert_record(record, now_ms)


def _convert_record(record: dict[str, Any], now_ms: int) -> None:
    for column in TIMES:
        if column in _ALWAYS or record.get(column):
            record[column] = _moment_ms(record.get(column), now_ms)
    for column in JSON_COLUMNS:
        if record.get(column) and not isinstance(record[column], str):
            record[column] = javascript.write(record[column]).decode()


def _moment_ms(value: object, now_ms: int) -> int | float:
    number = javascript.number(value)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        return now_ms
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
