"""Users as the cloud sends them, without a cloud (S4)."""

from typing import Any

from hub.actions.cloud import users
from hub.core.cloud.pull_tally import PullTally
from hub.core.records.access import Permission
from hub.store.database import Store
from hub.store.people import users as rows
from hub.store.phones import callers, sessions

DEVICE = 1


def sent(**more: object) -> dict[str, Any]:
    """Return a row as the cloud sends it."""
    usual: dict[str, Any] = {"id": "pia", "email": "pia@test", "name": "Pia", "role": "provider"}
    return {**usual, "clinic_id": "north", "hashed_password": "$2a$04$one", **more}


def take(store: Store, *given: dict[str, Any]) -> PullTally:
    tally = PullTally()
    users.merge(store, given, tally)
    return tally


def sign_in(store: Store) -> str:
    with store.write() as tx:
        return sessions.issue_token(tx, device=DEVICE, user_id="pia", days=1)


def is_signed_in(store: Store, token: str) -> bool:
    with store.read() as db:
        found = callers.token_rights(db, token, device=DEVICE, now_ms=0)
    return found is not None and found.user_id == "pia"


def is_shut_out(store: Store) -> bool:
    with store.read() as db:
        user = rows.find(db, "pia")
    assert user is not None
    return user.is_deleted


def test_a_password_that_changed_in_the_cloud_ends_the_users_sign_ins(store: Store) -> None:
    take(store, sent())
    token = sign_in(store)
    assert is_signed_in(store, token)
    assert take(store, sent(hashed_password="$2a$04$two")).updated == 1
    assert not is_signed_in(store, token)


def test_any_other_change_leaves_the_user_signed_in(store: Store) -> None:
    take(store, sent())
    token = sign_in(store)
    assert take(store, sent(name="Pia P.")).updated == 1
    assert is_signed_in(store, token)


def test_the_same_row_again_changes_nothing(store: Store) -> None:
    assert take(store, sent()).created == 1
    assert take(store, sent()).unchanged == 1


def test_a_row_that_is_no_user_is_refused_and_the_next_one_is_taken(store: Store) -> None:
    tally = take(
        store, sent(email=7), sent(id="omar", clinic_id=[]), sent(id="amal", email="amal@test", clinic_id=None)
    )
    assert (tally.refused, tally.created) == (2, 1)


def test_the_hash_of_a_password_is_kept_in_its_own_column_alone(store: Store) -> None:
    take(store, sent())
    with store.read() as db:
        [[data]] = db.execute("SELECT data FROM users").fetchall()
    assert "hashed_password" not in data
    assert "Pia" in data


def test_a_user_whom_the_cloud_deletes_is_shut_out_and_counted_once(store: Store) -> None:
    take(store, sent())
    token, tally = sign_in(store), PullTally()
    users.delete(store, ["pia", "pia", "nobody"], tally)
    assert tally.deleted == 1
    assert is_shut_out(store)
    assert not is_signed_in(store, token)


def test_whom_the_cloud_shut_out_it_may_let_in_again_but_nobody_who_was_shut_out_here(store: Store) -> None:
    take(store, sent())
    users.delete(store, ["pia"], PullTally())
    take(store, sent())
    assert not is_shut_out(store)
    with store.write() as tx:
        user = rows.find(tx.db, "pia")
        assert user is not None
        rows.disable(tx, user)
    take(store, sent(name="Pia P."))
    assert is_shut_out(store)


def sweep(store: Store, *named: str) -> int:
    tally = PullTally()
    users.sweep(store, set(named), tally)
    return tally.deleted


def test_a_full_pull_shuts_out_whom_it_does_not_name_and_allows_nothing(store: Store) -> None:
    take(store, sent())
    assert sweep(store, "pia") == 0
    assert sweep(store) == 1
    assert is_shut_out(store)


def test_a_full_pull_that_still_allows_something_to_a_user_shuts_nobody_out(store: Store) -> None:
    take(store, sent())
    with store.write() as tx:
        rows.grant(tx, "pia", "north", {Permission.VIEW})
    assert sweep(store) == 0
    assert not is_shut_out(store)
