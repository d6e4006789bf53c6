"""For how long new phones may pair (S2)."""

from pathlib import Path

from hub.actions.phones import pairing
from hub.store.box import state
from hub.store.database import Store


def left_s(store: Store, later_ms: int = 0) -> int:
    with store.read() as db:
        return state.left_s(db, state.PAIRING_UNTIL, store.now_ms(db) + later_ms)


def test_s2_pairing_is_closed_on_a_new_hub(store: Store) -> None:
    assert left_s(store) == 0


def test_s2_pairing_ends_by_itself(store: Store) -> None:
    pairing.open_for(store, 10)
    assert 590 < left_s(store) <= 600
    assert left_s(store, later_ms=600_001) == 0


def test_s2_pairing_can_be_closed(store: Store) -> None:
    pairing.open_for(store, 10)
    pairing.close(store)
    assert left_s(store) == 0


def test_pairing_opened_by_another_process_counts(tmp_path: Path) -> None:
    one, other = Store(tmp_path), Store(tmp_path)
    pairing.open_for(one, 10)
    assert left_s(other) > 0
    one.close()
    other.close()
