from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hub.core.errors import Unavailable
from hub.store.box import write_check
from hub.store.database import Store


def test_a_write_is_proven_when_it_is_kept(store: Store) -> None:
    assert write_check.reaches_card(store)


def test_the_proof_waits_for_the_card(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    write = store.write

    @contextmanager
    def watched(*, durable: bool = True) -> Iterator[object]:
        asked.append(durable)
        with write(durable=durable) as tx:
            yield tx

    monkeypatch.setattr(store, "write", watched)
    assert write_check.reaches_card(store)
    assert asked == [True]


def test_a_card_that_cannot_be_written_is_no_proof(store: Store) -> None:
    store._writer.conn.execute("PRAGMA query_only = ON")
    assert not write_check.reaches_card(store)


def test_a_full_disk_is_told_from_a_failing_one(store: Store) -> None:
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 90000) SELECT * FROM n"
    pages = store._writer.conn.execute("PRAGMA page_count").fetchone()[0]
    store._writer.conn.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable) as full, store.write() as tx:
        tx.db.execute(f"CREATE TABLE filler AS {rows}")
    with pytest.raises(Unavailable) as failing, store.write() as tx:
        tx.db.execute("INSERT INTO hub (key) VALUES (NULL)")
    assert write_check.is_full(full.value)
    assert not write_check.is_full(failing.value)
