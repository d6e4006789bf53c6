"""What is stored of a password, and what it costs to guess one."""

import pytest

from hub.core.errors import OperatorError
from hub.core.people import administrators, users
from hub.core.people.users import User, nobody
from hub.core.records.access import Permission


def test_an_administrators_password_costs_what_owasp_asks_for() -> None:
    assert administrators.hashed("long enough").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_administrators_password_matches_itself_alone() -> None:
    stored = administrators.hashed("long enough")
    assert administrators.matches(stored, "long enough")
    assert not administrators.matches(stored, "long enough ")


def test_where_nothing_is_stored_a_password_is_hashed_all_the_same_and_never_matches() -> None:
    assert administrators._NOBODY.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not administrators.matches(None, "nobody")


@pytest.mark.parametrize(
    ("password", "fits"), [("x" * 9, False), ("x" * 10, True), ("x" * 200, True), ("x" * 201, False)]
)
def test_an_administrators_password_has_bounds(password: str, fits: bool) -> None:  # noqa: FBT001
    assert administrators.is_fit(password) is fits


def test_a_users_password_costs_the_same_to_refuse_whether_there_is_a_user_or_not() -> None:
    assert users.hashed("secret")[:7] == nobody().hashed_password[:7] == "$2b$11$"


@pytest.mark.parametrize("password", ["12345", "ä" * 37])
def test_a_users_password_has_bounds(password: str) -> None:
    with pytest.raises(OperatorError):
        users.hashed(password)


def test_the_longest_password_counts_whole() -> None:
    user = User("u", "a@x", "A", "nurse", None, users.hashed("ä" * 36), is_deleted=False, source="hub")
    assert user.opens_with("ä" * 36)
    assert not user.opens_with("ä" * 35 + "b")


@pytest.mark.parametrize(("role", "without", "admin", "prescribes"), [
    ("admin", (), True, True),
    ("super_admin", (), True, True),
    ("a word nobody knows", (), False, True),
    ("registrar", (), False, False),
    ("admin", (Permission.ADMIN,), False, True),
])  # fmt: skip
def test_a_role_brings_its_permissions(
    role: str,
    without: tuple[Permission, ...],
    admin: bool,  # noqa: FBT001
    prescribes: bool,  # noqa: FBT001
) -> None:
    granted = users.permissions_of(role, without=without)
    assert (Permission.ADMIN in granted, Permission.PRESCRIBE in granted) == (admin, prescribes)
