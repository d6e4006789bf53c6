"""The declaration of the tables, against the phone's own schema."""

import json
from pathlib import Path

import pytest

from hub.core.records.table import ColumnKind, PushRule, Rank
from hub.core.records.tables import DELETES_WITH, NEXT_TABLES, PHONE_TABLES, TABLES

SCHEMA: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "phone_schema_v9.json").read_text("utf-8")
)["tables"]
NOT_SYNCED = {"event_logs", "peers"}


def test_the_hub_knows_exactly_the_tables_of_the_phone_that_travel() -> None:
    assert set(PHONE_TABLES) - {table.name for table in NEXT_TABLES} == set(SCHEMA) - NOT_SYNCED


@pytest.mark.parametrize("name", sorted(set(SCHEMA) - NOT_SYNCED))
def test_columns_types_order_and_optionality_are_the_phones(name: str) -> None:
    declared = {
        column.name: column.phone_type + ("?" if column.optional else "") for column in PHONE_TABLES[name].columns
    }
    assert list(declared.items()) == list(SCHEMA[name].items())


def test_users_are_never_pulled() -> None:
    assert "users" not in TABLES


def test_tables_stand_in_the_order_in_which_a_phone_needs_them() -> None:
    ranks = [table.rank.value for table in TABLES.values()]
    assert ranks == sorted(ranks)
    assert [name for name, table in TABLES.items() if table.rank is Rank.REFERENCE][:3] == [
        "clinics",
        "user_clinic_permissions",
        "app_config",
    ]


def test_a_phone_cannot_change_what_the_organisation_decides() -> None:
    assert {name for name, table in PHONE_TABLES.items() if table.push is PushRule.REFERENCE} == {
        "clinics",
        "user_clinic_permissions",
        "app_config",
        "registration_forms",
        "event_forms",
        "users",
    }


@pytest.mark.parametrize("parent", ["patients", "visits"])
def test_children_that_go_with_a_parent_are_looked_up_by_an_index(parent: str) -> None:
    for table, cascade in DELETES_WITH[parent]:
        assert cascade.value in table.keys


def test_what_a_column_refers_to_is_a_table_of_the_hub() -> None:
    named = {target for table in TABLES.values() for target in table.references.values()}
    assert named - set(TABLES) == {"users"}


def test_every_column_that_ends_like_a_reference_is_one_but_what_people_write() -> None:
    """Forgetting a reference is silent: its records would go to the cloud before what they name."""
    names = {column.name for table in TABLES.values() for column in table.columns if not column.refers_to}
    assert {name for name in names if name.endswith(("_id", "_by"))} == {
        *("attribute_id", "created_by", "external_patient_id", "government_id"),
    }


def test_a_column_refers_to_the_same_table_wherever_it_is() -> None:
    targets: dict[str, set[str]] = {}
    for table in TABLES.values():
        for name, target in table.references.items():
            targets.setdefault(name, set()).add(target)
    assert all(len(found) == 1 for found in targets.values())


def test_every_column_of_json_says_whether_it_is_a_list() -> None:
    lists = {column.name for table in TABLES.values() for column in table.columns if column.kind is ColumnKind.LIST}
    objects = {column.name for table in TABLES.values() for column in table.columns if column.kind is ColumnKind.OBJECT}
    assert lists == {
        *("form_data", "form_fields", "fields", "clinic_ids", "translations", "departments", "items"),
        "additional_capabilities",
    }
    assert objects == {"metadata", "additional_data"}


def test_dispensing_records_outlive_their_patient() -> None:
    assert "dispensing_records" not in {table.name for table, _ in DELETES_WITH["patients"]}


@pytest.mark.parametrize("name", PHONE_TABLES)
def test_the_columns_that_the_hub_reads_are_columns(name: str) -> None:
    table = PHONE_TABLES[name]
    assert {table.clinic, table.patient, *table.keys} - {None} <= table.names
