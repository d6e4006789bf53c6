"""Tokens outlive a restart (S5)."""

from pathlib import Path

import pytest

from hub.core.people.users import User
from hub.store.database import Store
from hub.store.people import users
from hub.store.phones import callers, sessions

DAY_MS = 86_400_000


def issue(store: Store, device: int = 1, user_id: str = "u", days: int = 30) -> str:
    with store.write() as tx:
        users.put(tx, User(user_id, user_id, user_id, "provider", None, "", is_deleted=False, source="hub"))
        return sessions.issue_token(tx, device=device, user_id=user_id, days=days)


def user_of(store: Store, token: str, device: int = 1, later_ms: int = 0) -> str | None:
    with store.read() as db:
        found = callers.token_rights(db, token, device=device, now_ms=store.now_ms(db) + later_ms)
    return found.user_id if found else None


def test_s5_a_token_stands_for_its_user_on_its_device_alone(store: Store) -> None:
    token = issue(store)
    assert (user_of(store, token), user_of(store, token, device=2)) == ("u", None)


def test_p9_a_token_outlives_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    token = issue(store)
    store.close()
    again = Store(tmp_path)
    assert user_of(again, token) == "u"
    again.close()


def test_a_token_ends_after_its_days(store: Store) -> None:
    token = issue(store, days=30)
    assert user_of(store, token, later_ms=30 * DAY_MS - 60_000) == "u"
    assert user_of(store, token, later_ms=30 * DAY_MS + 60_000) is None


def test_s6_a_token_is_not_in_the_database(store: Store) -> None:
    token = issue(store)
    files = [path.read_bytes() for path in store.path.parent.iterdir()]
    assert not any(token.encode() in content for content in files)


def test_s8_a_device_has_a_bounded_number_of_tokens_and_keeps_the_newest(store: Store) -> None:
    tokens = [issue(store) for _ in range(sessions.TOKENS_PER_DEVICE + 5)]
    other = issue(store, device=2)
    assert [user_of(store, token) for token in tokens] == [None] * 5 + ["u"] * sessions.TOKENS_PER_DEVICE
    assert user_of(store, other, device=2) == "u"


@pytest.mark.parametrize(
    ("whose", "left"), [({"user_id": "u"}, "v"), ({"device": 1}, "w"), ({"user_id": "u", "device": 1}, "vw"), ({}, "")]
)
def test_tokens_end_for_a_user_a_device_or_all(store: Store, whose: dict[str, object], left: str) -> None:
    tokens = {"u": (issue(store, 1, "u"), 1), "v": (issue(store, 1, "v"), 1), "w": (issue(store, 2, "u"), 2)}
    with store.write() as tx:
        count = sessions.revoke_tokens(tx, **whose)  # type: ignore[arg-type]
    assert "".join(name for name, (token, device) in tokens.items() if user_of(store, token, device)) == left
    assert count == 3 - len(left)
