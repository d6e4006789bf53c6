"""What is stored of a password, and what it costs to guess one."""

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import OperatorError
from hub.core.people import administrators, users
from hub.core.people.users import User
from hub.core.records.access import Permission


def test_an_administrators_password_costs_what_owasp_asks_for() -> None:
    assert administrators.hashed("long enough").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_administrators_password_matches_itself_alone() -> None:
    stored = administrators.hashed("long enough")
    assert administrators.matches(stored, "long enough")
    assert not administrators.matches(stored, "long enough ")


def test_where_nothing_is_stored_a_password_is_hashed_all_the_same_and_never_matches() -> None:
    assert not administrators._HASHER.check_needs_rehash(administrators._NOBODY)
    assert administrators._HASHER.verify(administrators._NOBODY, "nobody")
    assert not administrators.matches(None, "nobody")


@pytest.mark.parametrize(
    ("password", "fits"), [("x" * 9, False), ("x" * 10, True), ("x" * 200, True), ("x" * 201, False)]
)
def test_an_administrators_password_has_bounds(password: str, fits: bool) -> None:  # noqa: FBT001
    assert administrators.is_fit(password) is fits


def test_a_users_password_costs_so_much_to_guess() -> None:
    assert users.hashed("secret").startswith("$2b$11$")


STORED = {
    "the cheapest hash": bcrypt.hashpw(b"right one", bcrypt.gensalt(4)).decode(),
    "a hash of the cloud": bcrypt.hashpw(b"right one", bcrypt.gensalt(6, b"2a")).decode(),
    "the dearest hash": bcrypt.hashpw(b"right one", bcrypt.gensalt(8)).decode(),
    "the hash of another language": bcrypt.hashpw(b"right one", bcrypt.gensalt(5)).decode().replace("$2b$", "$2y$"),
    "no password yet": "",
    "no hash": "not a hash",
    "a hash cut short": "$2b$07$" + "." * 30,
    "a hash of no work": "$2b$00$" + "." * 53,
    "a hash that would take days": "$2b$31$" + "." * 53,
    "a hash of another kind": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
}


def account(stored: str) -> User:
    return User("u", "a@x", "A", "nurse", None, stored, is_deleted=False, source="cloud")


@pytest.mark.parametrize("password", ["right one", "wrong", "", "a\0b", "x" * 200, "\ud800"])
@pytest.mark.parametrize("stored", [None, *STORED.values()], ids=["nobody", *STORED])
def test_s4_a_sign_in_costs_the_same_whatever_is_stored_and_whatever_is_tried(
    stored: str | None, password: str, work: list[int]
) -> None:
    user = None if stored is None else account(stored)
    opened = users.check(user, password, rounds=9)
    assert sum(work) == 2**9
    assert opened == (password == "right one" and stored in list(STORED.values())[:4])


@pytest.mark.parametrize(("dearest", "rounds"), [(0, 11), (4, 11), (11, 11), (12, 12), (14, 14), (15, 14), (99, 14)])
def test_a_sign_in_costs_what_the_dearest_hash_does_within_bounds(dearest: int, rounds: int) -> None:
    assert users.rounds_for(dearest) == rounds


@pytest.mark.parametrize(
    "written",
    ["lf@c.test ", " lf@c.test", "\tlf@c.test\n", "\ufefflf@c.test", "\u200elf@c.test\u200f", "\xa0lf@c.test\u2003"],
)
def test_what_nobody_sees_around_an_email_is_no_part_of_it(written: str) -> None:
    assert users.trimmed(written) == "lf@c.test"


@given(st.text())
def test_trimming_takes_from_the_ends_alone_and_only_once(text: str) -> None:
    once = users.trimmed(text)
    assert once in text
    assert users.trimmed(once) == once


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
