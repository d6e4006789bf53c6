"""A pull's answer is read as it arrives and merged in parts, without a cloud (R6, R7)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import NoLine, Unreadable
from hub.services.relay import pull
from hub.services.relay.answer import pieces as found
from hub.services.relay.pull import MergedPull
from hub.store.database import Store
from tests.store import pushes

UUID = "722ec9fb-c976-5da8-9803-ada1362fa54c"
DAY = "2026-11-20T00:00:00.000Z"


class Line:
    """Bytes that arrive in pieces, and perhaps never all of them."""

    def __init__(self, content: bytes, piece: int = 7, breaks_at: int | None = None) -> None:
        self._content = content if breaks_at is None else content[:breaks_at]
        self._breaks = breaks_at is not None
        self._piece = piece
        self.size = 0

    def read(self) -> bytes:
        found = self._content[self.size : self.size + self._piece]
        self.size += len(found)
        if not found and self._breaks:
            raise NoLine("it broke")
        return found


def answer(**tables: dict[str, list[Any]]) -> dict[str, Any]:
    return {"success": True, "changes": tables, "timestamp": 7}


def pieces(content: bytes, **line: int) -> Iterator[tuple[str, str, Any]]:
    for piece in found(Line(content, **line)):  # type: ignore[arg-type]
        yield piece.table, piece.part, piece.value


def merge(store: Store, content: dict[str, Any], *, full: bool = False, step: Callable[[], object] = int) -> MergedPull:
    return pull.pull(store, Line(json.dumps(content).encode(), 4096), full=full, step=step)  # type: ignore[arg-type]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["patients", "visits", "undefined", "allergies"]),
        st.dictionaries(st.sampled_from(["created", "updated", "deleted", "other"]), st.lists(JSON, max_size=4)),
    ),
    st.integers(1, 40),
)
def test_every_value_is_found_in_its_place_whatever_it_holds_and_however_it_arrives(
    tables: dict[str, dict[str, list[Any]]], piece: int
) -> None:
    came = list(pieces(json.dumps(answer(**tables)).encode(), piece=piece))
    wanted = [
        (table, part, value)
        for table, parts in tables.items()
        for part, values in parts.items()
        if part != "other"
        for value in values
    ]
    assert came == [("success", "", True), *wanted, ("timestamp", "", 7)]


def test_a_value_that_looks_like_the_answer_itself_is_but_a_value() -> None:
    row = {"changes": {"patients": {"created": [{"id": "x"}]}}, "timestamp": 9, "success": False}
    content = json.dumps(answer(patients={"created": [row]})).encode()
    assert list(pieces(content)) == [("success", "", True), ("patients", "created", row), ("timestamp", "", 7)]


@pytest.mark.parametrize("content", [b"", b"{", b'{"changes": {"patients": {"created": [{}', b"<html>", b'{"a": 1} x'])
def test_what_is_no_whole_json_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(Unreadable, match="ends early or is no JSON"):
        list(pieces(content))


@pytest.mark.parametrize("lacks", ["success", "timestamp"])
def test_an_answer_that_does_not_say_that_it_is_whole_moves_nothing_on(store: Store, lacks: str) -> None:
    content = answer()
    del content[lacks]
    with pytest.raises(Unreadable, match="whole"):
        merge(store, content)


def patient(number: int, **values: object) -> dict[str, Any]:
    return {"id": f"{number:08x}{UUID[8:]}", "given_name": "Layla", "created_at": DAY, "updated_at": DAY, **values}


def test_rows_of_every_part_are_merged_and_deletions_followed(store: Store) -> None:
    rows = [patient(1), patient(2)]
    assert merge(store, answer(patients={"created": rows})).tally.created == 2
    pulled = merge(store, answer(patients={"updated": [patient(1, surname="Haddad")], "deleted": [rows[1]["id"]]}))
    assert (pulled.cloud_ms, pulled.tally.updated, pulled.tally.deleted) == (7, 1, 1)
    assert pushes.kept(store, "patients", rows[0]["id"])["surname"] == "Haddad"
    assert list(pushes.live(store, "patients")) == [rows[0]["id"]]


def test_what_came_before_a_break_is_kept(store: Store) -> None:
    content = json.dumps(answer(patients={"created": [patient(number) for number in range(9)]})).encode()
    with pytest.raises(NoLine):
        pull.pull(store, Line(content, 64, len(content) - 200), full=False, step=int)  # type: ignore[arg-type]
    assert len(pushes.live(store, "patients")) >= 7


def test_a_stop_between_two_parts_ends_the_pull(store: Store) -> None:
    def stop() -> None:
        raise NoLine("stopped")

    with pytest.raises(NoLine):
        merge(store, answer(patients={"created": [patient(1)]}), step=stop)
    assert not pushes.live(store, "patients")


def test_what_is_no_row_and_tables_that_nobody_knows_are_passed_over(store: Store) -> None:
    tables: dict[str, dict[str, list[Any]]] = {
        "patients": {"created": [None, 7, "text", patient(1)], "deleted": [{}, None, 3]},
        "undefined": {"created": [{"id": UUID, "api_key_hash": "secret"}]},
        "allergies": {"created": [{"id": UUID}]},
    }
    pulled = merge(store, answer(**tables))
    assert (pulled.tally.created, pulled.tally.refused) == (1, 0)


def config(name: str) -> dict[str, Any]:
    return {"id": name, "namespace": "auth", "key": name, "value": "1", "data_type": "string"}


def test_a_full_pull_sweeps_what_it_does_not_name_and_another_one_does_not(store: Store) -> None:
    merge(store, answer(app_config={"created": [config("a"), config("b")]}))
    assert merge(store, answer(app_config={"created": [config("a")]})).tally.deleted == 0
    assert merge(store, answer(app_config={"created": [config("a")]}), full=True).tally.deleted == 1
    assert list(pushes.live(store, "app_config")) == ["a"]
