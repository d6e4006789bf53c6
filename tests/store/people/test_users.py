"""Rows of users, and what each may do."""

import pytest

from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.people import users
from hub.store.phones import callers
from hub.store.records import record_rows
from tests.hubs import add_clinic, add_user


def config(store: Store, **values: object) -> None:
    table = TABLES["app_config"]
    with store.write() as tx:
        record_rows.put(tx, table, codec.build(table, {"id": "switch", **values}))


def test_a_super_admin_is_unrestricted(store: Store) -> None:
    user = add_user(store, add_clinic(store, "A"), role="super_admin")
    with store.read() as db:
        assert callers.rights(db, user.id, user.role).unrestricted


@pytest.mark.parametrize(
    ("values", "off"),
    [
        ({"namespace": "auth", "value": "true"}, True),
        ({"namespace": "auth", "value": "TRUE"}, True),
        ({"namespace": "auth", "value": "false"}, False),
        ({"namespace": "system", "value": "true"}, False),
    ],
)
def test_the_organisation_can_switch_permission_checking_off(
    store: Store,
    values: dict[str, object],
    off: bool,  # noqa: FBT001
) -> None:
    user = add_user(store, add_clinic(store, "A"))
    config(store, key="disable-mobile-permissions-checking", data_type="boolean", **values)
    with store.read() as db:
        assert callers.rights(db, user.id, user.role).unrestricted is off


def test_users_are_found_by_email_whatever_its_case(store: Store) -> None:
    user = add_user(store, add_clinic(store, "A"))
    with store.read() as db:
        assert users.find_by_email(db, user.email.upper()) == user


def test_of_two_users_whose_emails_differ_by_case_the_exact_one_is_found(store: Store) -> None:
    clinic_id = add_clinic(store, "A")
    lower = add_user(store, clinic_id, email="a@x.example")
    upper = add_user(store, clinic_id, email="A@x.example")
    with store.read() as db:
        assert users.find_by_email(db, "a@x.example") == lower
        assert users.find_by_email(db, "A@x.example") == upper
        assert users.find_by_email(db, "A@X.example") is None


def test_a_disabled_user_is_not_found_by_email(store: Store) -> None:
    user = add_user(store, add_clinic(store, "A"))
    with store.write() as tx:
        users.disable(tx, user)
        assert users.find_by_email(tx.db, user.email) is None


def test_an_email_that_an_older_program_kept_with_blanks_is_found_without_them(store: Store) -> None:
    user = add_user(store, add_clinic(store, "A"), email=" LF@c.test\u200f ")
    with store.read() as db:
        assert users.find_by_email(db, "lf@C.test ") == user
