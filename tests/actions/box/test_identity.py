"""Who the hub is."""

from pathlib import Path

from hub.actions.box import identity
from hub.store.database import Store
from hub.store.people import audit


def test_p9_a_hub_stays_the_same_over_restarts(tmp_path: Path) -> None:
    hubs = []
    for _ in range(2):
        store = Store(tmp_path)
        found = identity.load(store)
        hubs.append((found.id, found.keys.public))
        store.close()
    assert hubs[0] == hubs[1]


def test_s7_two_hubs_are_two(tmp_path: Path) -> None:
    hubs = []
    for name in "ab":
        store = Store(tmp_path / name)
        hubs.append(identity.load(store))
        store.close()
    assert hubs[0].id != hubs[1].id
    assert hubs[0].keys.public != hubs[1].keys.public


def test_a_new_identity_keeps_the_id_and_forgets_the_keys_used_under_the_old_one(store: Store) -> None:
    before = identity.load(store)
    with store.write() as tx:
        tx.db.execute("INSERT INTO spent_keys (key) VALUES (1)")  # as 0.1.0 did
        identity.new_keys(tx)
        assert tx.db.table("spent_keys").count == 0
    after = identity.load(store)
    assert (after.id, after.keys.public == before.keys.public) == (before.id, False)


def test_the_hub_is_renamed_and_the_log_says_so(store: Store) -> None:
    assert identity.name(store) is None
    identity.rename(store, "North clinic")
    assert identity.name(store) == "North clinic"
    with store.read() as db:
        assert [(entry["event"], entry["detail"]) for entry in audit.entries(db)] == [("hub.renamed", "North clinic")]
