"""Patients who came many at once: indexed afterwards, whatever happens to them meanwhile."""

import sqlite3

import pytest

from hub.actions.records import search_index
from hub.store.database import Store, Transaction
from hub.store.records import search, unsearched
from tests.store.records.test_search import ALL, delete, found, put, put_many


def indexed(store: Store, word: str) -> list[int]:
    with store.read() as db:
        return [num for (num,) in db.execute("SELECT rowid FROM patient_words WHERE patient_words MATCH ?", [word])]


def test_who_came_many_at_once_are_indexed_afterwards_some_at_a_time(store: Store) -> None:
    put_many(store, "few", "Ali", count=unsearched.MANY - 1)
    assert len(found(store, "ali")) == unsearched.MANY - 1, "fewer are found at once"
    put_many(store, "p", "Zoé", count=400)
    put_many(store, "q", "Zoé", count=200)
    assert found(store, "zoe") == []
    with store.read() as db:
        assert search.scope(db, ALL).total == 600 + unsearched.MANY - 1, "they are counted and listed at once"
    assert search_index.index_some(store)
    assert 400 <= len(indexed(store, "nzoe")) < 600
    assert search_index.index_some(store)
    assert len(indexed(store, "nzoe")) == 600
    assert not search_index.index_some(store)


def test_what_happens_to_them_before_they_are_indexed_is_not_undone(store: Store) -> None:
    put_many(store, "p", "Ali")
    put(store, "p1", given_name="Zoé")
    put(store, "p2", given_name="Ali", hometown="Hama")
    delete(store, "p3")
    with store.write() as tx:
        tx.db.execute("DELETE FROM patients WHERE id = 'p4'")
    assert found(store, "zoe") == ["p1"]
    search_index.index_all(store)
    assert found(store, "zoe") == ["p1"]
    assert found(store, "hama", column="hometown") == ["p2"]
    assert set(found(store, "ali")) == {f"p{place}" for place in range(unsearched.MANY)} - {"p1", "p3", "p4"}


def test_what_cannot_be_indexed_now_is_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put_many(store, "p", "Ali")

    def fail(_tx: Transaction) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(unsearched, "index", fail)
        search_index.index_all(store)
    assert found(store, "ali") == []
    search_index.index_all(store)
    assert len(found(store, "ali")) == unsearched.MANY
