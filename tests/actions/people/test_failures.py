"""Failed sign-ins make whoever guesses wait, and nobody else (S4, S10)."""

from pathlib import Path

import pytest

from hub.actions.people import failures
from hub.core.errors import TooMany
from hub.core.people.attempts import Attempts, Guess
from hub.store.database import Store
from hub.store.phones import sessions

ATTEMPTS = Attempts(free=3, wait_s=30, wait_max_s=100)
HERE = Guess("a", "192.0.2.1")


def guess(store: Store, one: Guess = HERE, *, is_right: bool = False) -> int:
    """Make a guess; returns for how many seconds it must wait, 0 when it was looked at."""
    with store.write() as tx:
        try:
            failures.begin(tx, one, ATTEMPTS)
        except TooMany as error:
            return error.retry_after_s or 0
        if is_right:
            failures.forgive(tx, one)
    return 0


def test_s4_the_first_failures_are_free_and_then_one_waits(store: Store) -> None:
    assert [guess(store) for _ in range(4)] == [0, 0, 0, 30]


def test_s4_guesses_at_many_accounts_from_one_address_close_it(store: Store) -> None:
    waits = [guess(store, Guess(f"account-{number}", "192.0.2.1")) for number in range(13)]
    assert waits == [0] * 12 + [30]


def test_s4_guesses_at_many_accounts_on_one_strange_phone_close_it_wherever_it_goes(store: Store) -> None:
    for number in range(3):
        assert guess(store, Guess(f"account-{number}", f"192.0.2.{number}", "phone")) == 0
    assert guess(store, Guess("another", "192.0.2.99", "phone")) == 30


def test_s10_who_presents_the_id_of_a_known_phone_closes_it_only_where_he_is(store: Store) -> None:
    for number in range(3):
        assert guess(store, Guess(f"account-{number}", "192.0.2.66", "phone", is_known=True)) == 0
    assert guess(store, Guess("another", "192.0.2.66", "phone", is_known=True)) == 30
    assert guess(store, Guess("another", "192.0.2.1", "phone", is_known=True)) == 0


def test_s4_who_guesses_at_an_account_from_many_addresses_has_one_guess_from_each(store: Store) -> None:
    for number in range(12):
        assert guess(store, Guess("a", f"192.0.2.{number}")) == 0
    assert guess(store, Guess("a", "192.0.2.3")) > 0
    assert guess(store, Guess("a", "198.51.100.1")) == 0
    assert guess(store, Guess("a", "198.51.100.1")) > 0


def test_s10_guesses_from_elsewhere_keep_nobody_out_where_the_account_signed_in_before(store: Store) -> None:
    assert guess(store, is_right=True) == 0
    for number in range(60):
        guess(store, Guess("a", f"198.51.100.{number}"))
    assert [guess(store), guess(store)] == [0, 0]  # she mistypes, and is heard again
    assert guess(store, is_right=True) == 0
    assert guess(store, Guess("a", "192.0.2.2"), is_right=True) == 0  # and on a phone that is new


def test_s4_a_place_that_is_known_is_no_place_to_guess_from_for_ever(store: Store) -> None:
    guess(store, is_right=True)
    assert [guess(store) for _ in range(4)] == [0, 0, 0, 30]


def test_s4_the_count_survives_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _ in range(3):
        guess(store)
    store.close()
    again = Store(tmp_path)
    assert guess(again) > 0
    again.close()


def test_a_sign_in_that_succeeds_forgives_what_was_guessed_here_at_this_account(store: Store) -> None:
    for _ in range(5):
        guess(store)
        guess(store)
        assert guess(store, is_right=True) == 0


def test_an_address_is_known_once_somebody_signed_in_from_it(store: Store) -> None:
    guess(store)
    assert not failures.was_here(store, "192.0.2.1")
    guess(store, is_right=True)
    assert failures.was_here(store, "192.0.2.1")
    assert not failures.was_here(store, "192.0.2.2")


def test_s8_failures_are_bounded_the_longest_untouched_go_and_places_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "ATTEMPT_KEYS", 6)
    guess(store, is_right=True)
    for number in range(20):
        guess(store, Guess("b", f"198.51.100.{number}"))
    assert failures.was_here(store, "192.0.2.1")
    with store.read() as db:
        assert db.table("attempts").count == 6
