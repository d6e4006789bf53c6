"""Failed sign-ins make whoever signs in wait (S4)."""

from pathlib import Path

import pytest

from hub.actions.people import failures
from hub.core.errors import TooMany
from hub.core.people.attempts import Attempts
from hub.store.database import Store
from hub.store.phones import sessions

DAY_MS = 86_400_000
ATTEMPTS = Attempts(free=3, wait_s=30, wait_max_s=100)


def fail(store: Store, times: int, *keys: str) -> None:
    for _ in range(times):
        with store.write() as tx:
            sessions.note_failure(tx, list(keys))


def wait_s(store: Store, *keys: str, later_ms: int = 0) -> int:
    with store.read() as db:
        try:
            failures.check_within(db, list(keys), ATTEMPTS, now_ms=store.now_ms(db) + later_ms)
        except TooMany as error:
            return error.retry_after_s or 0
    return 0


def test_s4_the_first_failures_are_free(store: Store) -> None:
    fail(store, 2, "account:a")
    assert wait_s(store, "account:a") == 0


def test_s4_waiting_doubles_up_to_its_bound(store: Store) -> None:
    waits = []
    fail(store, 2, "account:a")
    for _ in range(5):
        fail(store, 1, "account:a")
        waits.append(wait_s(store, "account:a"))
    assert waits == [30, 60, 100, 100, 100]


@pytest.mark.parametrize(("key", "times"), [("account:a", 3), ("device:d", 3), ("address:x", 12)])
def test_s4_account_device_and_address_each_count(store: Store, key: str, times: int) -> None:
    fail(store, times - 1, key)
    assert wait_s(store, key) == 0
    fail(store, 1, "account:a", "device:d", "address:x")
    assert wait_s(store, "account:other", "device:other", key) > 0
    assert wait_s(store, "account:other", "device:other", "address:other") == 0


def test_s4_the_count_survives_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fail(store, 3, "account:a")
    store.close()
    again = Store(tmp_path)
    assert wait_s(again, "account:a") > 0
    again.close()


def test_waiting_ends(store: Store) -> None:
    fail(store, 3, "account:a")
    assert wait_s(store, "account:a", later_ms=31_000) == 0


def test_a_day_without_failures_forgives(store: Store) -> None:
    fail(store, 20, "account:a")
    assert wait_s(store, "account:a", later_ms=DAY_MS) == 0


def test_a_sign_in_that_succeeds_forgives(store: Store) -> None:
    fail(store, 9, "account:a")
    with store.write() as tx:
        sessions.forget_failures(tx, ["account:a"])
    assert wait_s(store, "account:a") == 0


def test_s8_failures_are_bounded_and_the_longest_untouched_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "ATTEMPT_KEYS", 4)
    for name in "abcdef":
        fail(store, 3, name)
    assert [wait_s(store, name) > 0 for name in "abcdef"] == [False, False, True, True, True, True]
