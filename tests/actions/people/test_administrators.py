"""Who may administer the hub by its page."""

import pytest

from hub.actions.people import administrators, page_sign_in, setup
from hub.actions.people.failures import Attempts
from hub.core.errors import OperatorError
from hub.store.database import Store

ATTEMPTS = Attempts(free=5, wait_s=30, wait_max_s=900)


def sign_in(store: Store, name: str, password: str) -> str | None:
    return page_sign_in.sign_in(store, name, password, address="192.0.2.1", attempts=ATTEMPTS)


def signed_in(store: Store, token: str | None) -> bool:
    return token is not None and page_sign_in.recognise(store, token, idle_ms=1_000_000) is not None


@pytest.mark.parametrize(("name", "password"), [("", "long enough"), ("x" * 61, "long enough"), ("a", "short")])
def test_a_bad_administrator_is_refused(store: Store, name: str, password: str) -> None:
    with pytest.raises(OperatorError):
        administrators.add(store, name, password)
    assert administrators.every(store) == []


def test_names_of_administrators_differ_by_more_than_case(store: Store) -> None:
    administrators.add(store, "Amal", "long enough")
    with pytest.raises(OperatorError):
        administrators.add(store, "amal", "long enough")
    assert sign_in(store, "AMAL", "long enough")
    assert not sign_in(store, "AMAL", "long enough?")


def test_the_first_administrator_ends_the_setup(store: Store) -> None:
    assert setup.code(store)
    administrators.add(store, "Amal", "long enough")
    assert setup.code(store) is None


@pytest.mark.parametrize("end", ["password", "remove"])
def test_a_new_password_and_a_removal_sign_an_administrator_out_however_the_name_is_written(
    store: Store, end: str
) -> None:
    administrators.add(store, "Amal", "long enough")
    administrators.add(store, "other", "long enough")
    ended, stays = sign_in(store, "amal", "long enough"), sign_in(store, "other", "long enough")
    if end == "password":
        administrators.change_password(store, "AMAL", "another one")
    else:
        administrators.remove(store, "AMAL")
    assert (signed_in(store, ended), signed_in(store, stays)) == (False, True)


def test_they_are_listed_with_how_long_they_are_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    administrators.add(store, "Amal", "long enough")
    now_ms = store.now_ms
    monkeypatch.setattr(store, "now_ms", lambda db: now_ms(db) + 90_000)
    assert [(each.name, each.age_s) for each in administrators.every(store)] == [("Amal", 90)]


def test_one_administrator_stays(store: Store) -> None:
    administrators.add(store, "Amal", "long enough")
    with pytest.raises(OperatorError, match="last"):
        administrators.remove(store, "Amal")


@pytest.mark.parametrize("name", ["nobody", ""])
def test_who_is_no_administrator_is_named_in_the_refusal(store: Store, name: str) -> None:
    with pytest.raises(OperatorError, match=f"no administrator called {name}"):
        administrators.change_password(store, name, "long enough")
    with pytest.raises(OperatorError, match=f"no administrator called {name}"):
        administrators.remove(store, name)
