"""The audit log, the quarantine, and the facts that are gathered from them."""

import pytest

from hub.actions.box import facts
from hub.actions.records import refused
from hub.core.errors import Unavailable
from hub.core.people import audit_room
from hub.core.reasons import other
from hub.store import quarantine
from hub.store.database import Store
from hub.store.people import audit
from hub.store.quarantine import Action, Refused
from tests.hubs import changes, row
from tests.store.pushes import push


def refuse(store: Store, raw: str, *, most: int = 10) -> bool:
    store.quarantine_max = most
    with store.write() as tx:
        return refused.keep(
            tx,
            Refused(
                table_name="patients",
                record_id="p",
                action=Action.KEEP,
                reason=other("why"),
                raw=raw,
                device=1,
                user_id="u",
            ),
        )


# The audit log


def test_s6_an_entry_says_when_what_where_and_who(store: Store) -> None:
    with store.write() as tx:
        audit.note(tx, "login", device=3, user_id="u", detail="d")
        (entry,) = audit.entries(tx.db)
        assert (entry["at"], entry["event"], entry["device"], entry["user_id"], entry["detail"]) == (
            *(tx.now_ms, "login"),
            *(3, "u", "d"),
        )


def test_s8_the_audit_log_is_bounded_and_keeps_the_newest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_room, "ENTRIES", 50)
    monkeypatch.setattr(audit_room, "_PRUNE_EVERY", 10)
    with store.write() as tx:
        for number in range(200):
            audit.note(tx, f"event {number}")
        entries = list(audit.entries(tx.db, limit=1000))
    assert (len(entries), entries[0]["event"]) == (50, "event 199")


@pytest.mark.parametrize("event", ["device.paired", "login.refused", "page.refused", "setup.refused"])
def test_s10_a_flood_of_what_anybody_can_cause_takes_nothing_of_weight_out_of_the_log(
    store: Store, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    monkeypatch.setattr(audit_room, "ENTRIES", 50)
    monkeypatch.setattr(audit_room, "NOISE_ENTRIES", 30)
    monkeypatch.setattr(audit_room, "_PRUNE_EVERY", 10)
    with store.write() as tx:
        for number in range(40):
            audit.note(tx, "login", device=number)
        for number in range(500):  # a flood that is told from the others' entries
            audit.note(tx, event)
            if number % 10 == 0:
                audit.note(tx, "device.revoked")
        kept = [entry["event"] for entry in audit.entries(tx.db, limit=1000)]
    assert kept.count(event) <= 30 + 10
    assert kept.count("device.revoked") in range(50, 61)


def test_s10_many_entries_of_one_kind_in_a_minute_become_one(store: Store) -> None:
    with store.write() as tx:
        audit.note(tx, "login", device=1)
        for number in range(1000):
            audit.note(tx, "device.paired", device=number)
        entries = list(audit.entries(tx.db, limit=2000))
        assert [entry["event"] for entry in entries] == ["device.paired"] * 20 + ["login"]
        assert entries[0]["detail"] == "+980"
        audit.note(tx, "login", device=2)
        audit.note(tx, "device.paired", device=2000)
        assert [entry["detail"] for entry in audit.entries(tx.db, limit=2)] == [None, None]


# Quarantine


def test_p7_the_same_record_refused_again_is_kept_once(store: Store) -> None:
    assert [refuse(store, "x"), refuse(store, "x"), refuse(store, "y")] == [True, False, True]


def test_s8_quarantine_is_bounded_and_says_so_instead_of_dropping(store: Store) -> None:
    refuse(store, "x", most=1)
    with pytest.raises(Unavailable, match="quarantine is full"):
        refuse(store, "y", most=1)
    with store.read() as db:
        assert [entry["size"] for entry in quarantine.entries(db)] == [1]


def test_a_listing_does_not_show_the_records(store: Store) -> None:
    refuse(store, "secret")
    with store.read() as db:
        assert "secret" not in str(list(quarantine.entries(db)))


def test_an_entry_can_be_forgotten(store: Store) -> None:
    refuse(store, "x")
    with store.write() as tx:
        quarantine.remove(tx, 1)
        assert (quarantine.count(tx.db), quarantine.entry(tx.db, 1)) == (0, None)


# Facts


def test_facts_count_live_records_and_what_waits(store: Store) -> None:
    push(store, changes("patients", created=[row("patients", "a"), row("patients", "b"), {"id": 7}]))
    push(store, changes("patients", deleted=["a"]))
    now = facts.gather(store)
    assert (now.records, now.waiting, now.quarantined, now.writable, now.damage) == (1, 2, 1, True, ())
    assert now.free_bytes > 0


def test_a_hub_that_cannot_write_says_so(store: Store) -> None:
    with store.write() as tx:
        tx.db.execute("CREATE TRIGGER full BEFORE UPDATE ON hub BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert not facts.gather(store).writable
