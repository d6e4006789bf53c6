"""Does to values what the app's own models do before they reach the database; a hub must live with the results.

Source: PROTOCOL.md "Push".
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.simulator.rows import Row, Value, Values

TWICE_ENCODED = frozenset({("events", "metadata"), ("prescriptions", "metadata"), ("patient_problems", "metadata")})
"""JSON columns whose text is encoded as JSON once more."""


def stored(table: str, values: Mapping[str, Value]) -> Values:
    """Return ``values`` as the app stores them; JSON columns come in as plain JSON text."""
    result = {column: _encoded(table, column, value) for column, value in values.items()}
    if table == "prescriptions" and "items" in result:
        result["items"] = ""
    return result


def patient_metadata(patient: Row, now_ms: int) -> str:
    """Return the patient's metadata after an appointment was made at ``now_ms``."""
    try:
        metadata = json.loads(str(patient["metadata"]))
    except ValueError:
        metadata = {}
    known = metadata if isinstance(metadata, dict) else {}
    return json.dumps({**known, "lastAppointmentTimestamp": iso(now_ms)}, separators=(",", ":"), ensure_ascii=False)


def iso(moment_ms: float) -> str:
    """Return a moment as JavaScript's toISOString: UTC, milliseconds, Z."""
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{int(moment_ms) % 1000:03d}Z"


def _encoded(table: str, column: str, value: Value) -> Value:
    if (table, column) in TWICE_ENCODED and isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return value
