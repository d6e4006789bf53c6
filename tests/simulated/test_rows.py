"""What the phone makes of a value (strict types)."""

from typing import Any

import pytest

from hub.core.records.tables import PHONE_TABLES
from tests.simulator import rows


@pytest.mark.parametrize(
    ("table", "column", "value", "stored"),
    [
        ("patients", "given_name", "Lina", "Lina"),
        ("patients", "given_name", 5, ""),
        ("patients", "given_name", None, ""),
        ("patients", "camp", 5, None),
        ("patients", "additional_data", {"a": 1}, ""),
        ("patients", "created_at", 1.5, 1.5),
        ("patients", "created_at", 5.0, 5),
        ("patients", "created_at", "2026-11-20T06:20:28.135Z", 0),
        ("patients", "created_at", "1795155628127", 0),
        ("patients", "created_at", True, 0),
        ("patients", "deleted_at", "yesterday", None),
        ("patients", "is_deleted", 1, True),
        ("patients", "is_deleted", 0, False),
        ("patients", "is_deleted", "true", False),
        ("patients", "is_deleted", "1", False),
        ("patients", "is_deleted", 2, False),
        ("patient_additional_attributes", "boolean_value", "true", None),
        ("drug_catalogue", "sale_price", 1.5, ""),
    ],
)
def test_wrong_types_become_blank(table: str, column: str, value: object, stored: object) -> None:
    result = rows.fitted(table, column, value)
    assert result == stored
    assert type(result) is type(stored)


def test_missing_columns_are_blanked_and_unknown_ones_dropped() -> None:
    raw: dict[str, Any] = {"name": "Clinic", "resources": 5, "_status": "created"}
    row = rows.complete("clinics", raw, row_id="c1", status="synced")
    assert row == {
        "id": "c1",
        "_status": "synced",
        "_changed": "",
        "name": "Clinic",
        "updated_at": 0,
        "created_at": 0,
        "is_deleted": False,
        "deleted_at": None,
        "is_archived": False,
    }


@pytest.mark.parametrize("table", PHONE_TABLES)
def test_a_row_has_every_column_in_the_order_of_the_schema(table: str) -> None:
    row = rows.complete(table, {}, row_id="x", status="created")
    assert list(row) == ["id", "_status", "_changed", *(column.name for column in PHONE_TABLES[table].columns)]
