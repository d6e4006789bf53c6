"""Users and clinics that are made on this hub."""

import pytest

from hub.actions.people import audit, users
from hub.core.errors import OperatorError
from hub.core.people.users import User
from hub.core.records.access import Permission
from hub.store.database import Store
from hub.store.people import users as rows
from hub.store.phones import callers, sessions
from tests.hubs import PASSWORD, add_clinic, add_user


def add(store: Store, clinic: str, **values: object) -> User:
    given = {"email": "amal@x.example", "name": "Amal", "role": "provider", "clinic_id": clinic, "password": PASSWORD}
    return users.add(store, **{**given, **values})  # type: ignore[arg-type]


def permissions(store: Store, user: User) -> dict[str, frozenset[Permission]]:
    with store.read() as db:
        return dict(callers.rights(db, user.id, user.role).clinics)


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


@pytest.mark.parametrize(
    ("values", "says"),
    [({"name": " "}, "name"), ({"role": " "}, "role"), ({"clinic_id": "nowhere"}, "no clinic nowhere")],
)
def test_a_user_does_not_become_one_that_cannot_be(store: Store, values: dict[str, str], says: str) -> None:
    user = add(store, add_clinic(store, "A"))
    as_they_are = {"name": user.name, "role": user.role, "clinic_id": str(user.clinic_id)}
    with pytest.raises(OperatorError, match=says):
        users.edit(store, user.email, **{**as_they_are, **values})
    assert users.every(store) == [user]


def test_another_role_and_clinic_bring_their_permissions_and_take_the_others_away(store: Store) -> None:
    old, new = add_clinic(store, "A"), add_clinic(store, "B")
    user = add(store, old, role="nurse")
    users.edit(store, user.id, name="Amal B", role="admin", clinic_id=new)
    [edited] = users.every(store)
    assert (edited.name, edited.role, edited.clinic_id, edited.email) == ("Amal B", "admin", new, user.email)
    assert edited.opens_with(PASSWORD)
    granted = permissions(store, edited)
    assert Permission.ADMIN in granted[new]
    assert not granted.get(old)


def test_another_name_leaves_the_permissions_as_they_are(store: Store) -> None:
    clinic_id = add_clinic(store, "A")
    user = add(store, clinic_id, without=[Permission.DELETE])
    users.edit(store, user.email, name="Amal B", role=user.role, clinic_id=clinic_id)
    [edited] = users.every(store)
    assert edited.name == "Amal B"
    assert Permission.DELETE not in permissions(store, edited)[clinic_id]


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


@pytest.mark.parametrize("action", ["disable", "password"])
def test_s4_disabling_and_a_new_password_end_every_sign_in(store: Store, action: str) -> None:
    user = add_user(store, add_clinic(store, "A"))
    with store.write() as tx:
        token = sessions.issue_token(tx, device=1, user_id=user.id, days=1)
    if action == "disable":
        users.disable(store, user.email)
    else:
        users.change_password(store, user.email, "another one")
    with store.read() as db:
        assert callers.token_rights(db, token, device=1, now_ms=store.now_ms(db)) is None


def test_s1_a_password_is_not_in_the_database(store: Store) -> None:
    add(store, add_clinic(store, "A"), password="a rare password")
    assert not any(b"a rare password" in path.read_bytes() for path in store.path.parent.iterdir())


def test_a_user_of_the_cloud_gets_a_password_and_another_name_only_there(store: Store) -> None:
    user = add_user(store, add_clinic(store, "A"))
    with store.write() as tx:
        rows.put(tx, User(user.id, user.email, user.name, user.role, None, user.hashed_password, False, "cloud"))  # noqa: FBT003
    with pytest.raises(OperatorError, match="cloud"):
        users.change_password(store, user.email, "another one")
    with pytest.raises(OperatorError, match="cloud"):
        users.edit(store, user.email, name="Amal", role="admin", clinic_id=str(user.clinic_id))


def test_who_is_added_changed_and_disabled_is_in_the_log_of_what_was_done(store: Store) -> None:
    user = add(store, add_clinic(store, "A"))
    users.edit(store, user.email, name="Amal B", role=user.role, clinic_id=str(user.clinic_id))
    users.disable(store, user.email)
    noted = [(entry["event"], entry["user_id"]) for entry in audit.newest(store, limit=3).entries]
    assert noted == [("user.disabled", user.id), ("user.edited", user.id), ("user.added", user.id)]
