"""Users, clinics, and what each user may do."""

import pytest

from hub.core.errors import OperatorError
from hub.core.records import codec
from hub.core.records.access import Permission
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.people import users
from hub.store.people.users import User
from hub.store.phones import sessions
from hub.store.records import record_rows
from tests.hubs import PASSWORD, add_clinic, add_user


def add(store: Store, clinic: str, **values: object) -> User:
    given = {"email": "amal@x.example", "name": "Amal", "role": "provider", "clinic_id": clinic, "password": PASSWORD}
    with store.write() as tx:
        return users.add(tx, **{**given, **values})  # type: ignore[arg-type]


def permissions(store: Store, user: User) -> dict[str, frozenset[Permission]]:
    with store.read() as db:
        return dict(users.rights(db, user).clinics)


def config(store: Store, **values: object) -> None:
    table = TABLES["app_config"]
    with store.write() as tx:
        record_rows.put(tx, table, codec.build(table, {"id": "switch", **values}))


def test_a_user_signs_in_with_the_password_and_with_no_other(store: Store) -> None:
    user = add(store, add_clinic(store, "A"))
    assert user.opens_with(PASSWORD)
    assert not user.opens_with(PASSWORD + "x")
    assert not user.opens_with("")


@pytest.mark.parametrize("role", ["provider", "nurse", "admin", "super_admin", "registrar"])
def test_a_role_brings_its_permissions_in_the_users_clinic(store: Store, role: str) -> None:
    clinic_id = add_clinic(store, "A")
    granted = permissions(store, add(store, clinic_id, role=role))[clinic_id]
    assert {Permission.REGISTER, Permission.VIEW, Permission.EDIT} <= granted
    assert (Permission.ADMIN in granted) is (role in {"admin", "super_admin"})


def test_a_permission_can_be_left_out(store: Store) -> None:
    clinic_id = add_clinic(store, "A")
    user = add(store, clinic_id, without=[Permission.DELETE])
    assert Permission.DELETE not in permissions(store, user)[clinic_id]


def test_a_super_admin_is_unrestricted(store: Store) -> None:
    user = add_user(store, add_clinic(store, "A"), role="super_admin")
    with store.read() as db:
        assert users.rights(db, user).unrestricted


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
        assert users.rights(db, user).unrestricted is off


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"email": "no at sign"}, "@"),
        ({"name": "  "}, "name"),
        ({"role": ""}, "role"),
        ({"clinic_id": "nowhere"}, "no clinic nowhere"),
        ({"password": "12345"}, "6 characters"),
        ({"password": "ä" * 40}, "72 bytes"),
    ],
)
def test_a_user_that_cannot_be_is_refused_in_words(store: Store, values: dict[str, object], says: str) -> None:
    clinic_id = add_clinic(store, "A")
    with pytest.raises(OperatorError, match=says):
        add(store, clinic_id, **values)


def test_an_email_is_taken_whatever_its_case(store: Store) -> None:
    clinic_id = add_clinic(store, "A")
    add(store, clinic_id)
    with pytest.raises(OperatorError, match="already"):
        add(store, clinic_id, email="AMAL@x.example")


@pytest.mark.parametrize("name", ["", "  ", "A"])
def test_a_clinic_needs_a_name_of_its_own(store: Store, name: str) -> None:
    add_clinic(store, "A")
    with pytest.raises(OperatorError):
        add_clinic(store, name)


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


@pytest.mark.parametrize("action", ["disable", "password"])
def test_s4_disabling_and_a_new_password_end_every_sign_in(store: Store, action: str) -> None:
    user = add_user(store, add_clinic(store, "A"))
    with store.write() as tx:
        token = sessions.issue_token(tx, device=1, user_id=user.id, days=1)
        if action == "disable":
            users.disable(tx, user)
        else:
            users.set_password(tx, user, "another one")
        assert sessions.token_user(tx.db, token, device=1, now_ms=tx.now_ms) is None


def test_a_disabled_user_is_not_found_by_email(store: Store) -> None:
    user = add_user(store, add_clinic(store, "A"))
    with store.write() as tx:
        users.disable(tx, user)
        assert users.find_by_email(tx.db, user.email) is None


def test_s1_a_password_is_not_in_the_database(store: Store) -> None:
    add(store, add_clinic(store, "A"), password="a rare password")
    assert not any(b"a rare password" in path.read_bytes() for path in store.path.parent.iterdir())
