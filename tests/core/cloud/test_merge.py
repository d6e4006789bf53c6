"""Tests what a record becomes when the cloud's row of it arrives (R3, R4)."""

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.cloud import forms as cloud_forms
from hub.core.cloud import merge as cloud_merge
from hub.core.cloud import outbox
from hub.core.cloud.limits import REQUIRED
from hub.core.cloud.merge import Merged
from hub.core.cloud.outbox import Entry
from hub.core.cloud.tables import KEEPING, PUSH_ORDER
from hub.core.records import codec, merge
from hub.core.records.codec import Pushed
from hub.core.records.merge import History, Stamp, Version
from hub.core.records.table import ColumnKind, Table
from hub.core.records.tables import TABLES

UUID = "722ec9fb-c976-5da8-9803-ada1362fa54c"
OTHER = "0a1b2c3d-c976-5da8-9803-ada1362fa54c"
PATIENTS, EVENTS, ITEMS = TABLES["patients"], TABLES["events"], TABLES["prescription_items"]
COLUMNS = ("given_name", "surname", "phone", "hometown", "camp")
BASE_MS = 1_700_000_000_000
REVISION = 500

VALUES = st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from(["x", "y", "z", ""]), max_size=len(COLUMNS))
PENDING = st.frozensets(st.sampled_from(COLUMNS))


def version(table: Table = PATIENTS, **values: Any) -> Version:  # noqa: ANN401
    times = {"created_at": BASE_MS, "updated_at": BASE_MS}
    usual = dict.fromkeys(COLUMNS, "base") if table is PATIENTS else {}
    times |= dict.fromkeys(KEEPING[table.name].now, BASE_MS)
    usual |= dict.fromkeys(REQUIRED.get(table.name, ()), UUID)
    record = codec.build(table, {"id": UUID, **times, **usual, **values})
    return Version(record, History(Stamp(BASE_MS, 100, 1)))


def row(of: Version, table: Table = PATIENTS, **values: Any) -> cloud_forms.Row:  # noqa: ANN401
    """Return the record as the cloud sends it, with these columns as they are there."""
    sent = json.loads(cloud_forms.write(table, of.record, updated_ms=BASE_MS + 1, names={}))
    return cloud_forms.read(table, {**sent, **values})


def take(
    into: Version, theirs: cloud_forms.Row, entry: Entry | None = None, table: Table = PATIENTS, **names: str
) -> Merged:
    return cloud_merge.merge(table, into, theirs, pending=entry, names=names, revision=REVISION)


def held(of: Version | Merged) -> dict[str, Any]:
    return {column: of.record.get(column) for column in COLUMNS}


# What the cloud's row changes


@given(VALUES)
def test_without_a_change_here_the_clouds_row_stands(theirs: dict[str, Any]) -> None:
    base = version()
    merged = take(base, row(base, **theirs))
    assert {name: merged.record.get(name) or "" for name in COLUMNS} == {**dict.fromkeys(COLUMNS, "base"), **theirs}
    assert set(merged.changed) == {name for name, value in theirs.items() if value != "base"}
    assert not merged.missing


@given(VALUES, PENDING)
def test_what_changed_here_stays_and_everything_else_is_the_clouds(
    theirs: dict[str, Any], pending: frozenset[str]
) -> None:
    base = version()
    merged = take(base, row(base, **theirs), Entry(1, pending))
    for name in COLUMNS:
        assert (merged.record.get(name) or "") == ("base" if name in pending else theirs.get(name, "base"))
    assert merged.missing == {name for name in pending if name in theirs}


@given(VALUES, PENDING | st.none(), st.booleans())
def test_a_row_that_comes_twice_changes_nothing_the_second_time(
    theirs: dict[str, Any],
    pending: frozenset[str] | None,
    is_sent: bool,  # noqa: FBT001
) -> None:
    base = version()
    entry = Entry(1, pending, sent=1 if is_sent else None)
    once = take(base, row(base, **theirs), entry)
    twice = take(Version(once.record, once.history), row(base, **theirs), entry)
    assert twice.record == once.record
    assert twice.history == once.history
    assert twice.changed == ()
    assert twice.missing == once.missing


@given(VALUES, VALUES)
def test_rows_and_edits_of_different_columns_end_alike_in_every_order(
    theirs: dict[str, Any], ours: dict[str, Any]
) -> None:
    ours = dict([(name, value) for name, value in ours.items() if name not in theirs][:3])
    edits = [{name: value} for name, value in ours.items()]

    def ended(order: tuple[int, ...]) -> tuple[dict[str, Any], frozenset[str]]:
        first = now = version()
        entry: Entry | None = None
        for step in order:
            if step == len(edits):
                merged = take(now, row(first, **theirs), entry)
                now = Version(merged.record, merged.history)
            else:
                record = codec.replaced(PATIENTS, first.record, {**edits[step], "updated_at": BASE_MS + 10 + step})
                pushed = Pushed(record, ("updated_at", *edits[step]), synced=False)
                edit = merge.merge(
                    PATIENTS, now, pushed, device=2 + step, revision=200 + step, known=merge.Knowledge(100)
                )
                if edit.changed:
                    entry = outbox.changed(entry, 200 + step, edit.changed)
                now = Version(edit.record, edit.history)
        return held(now), entry.columns or frozenset() if entry else frozenset()

    steps = range(len(edits) + 1)
    ends = [ended(order) for order in itertools.permutations(steps)]
    assert ends == ends[:1] * len(ends)
    assert {name: ends[0][0][name] or "" for name in ours} == ours


@given(st.lists(st.sampled_from(["x", "y"]), max_size=3), st.sampled_from(["base", "x", "y", "z"]))
def test_an_edit_that_was_not_sent_survives_any_rows(rows: list[str], mine: str) -> None:
    now, entry = version(phone=mine), Entry(1, frozenset({"phone"}))
    for value in rows:
        merged = take(now, row(now, phone=value), entry)
        now = Version(merged.record, merged.history)
    assert now.record.get("phone") == mine


# What comes back as it was sent (R4)


def filled(table: Table) -> dict[str, Any]:
    """Return a value for every column, as a phone would have it."""
    values: dict[ColumnKind, Any] = {
        ColumnKind.TEXT: UUID,
        ColumnKind.LIST: '{"a": [1, {"b": null}]}',
        ColumnKind.OBJECT: '{"a": [1, {"b": null}]}',
        ColumnKind.DATE: "1984-02-29",
        ColumnKind.INT: 3,
        ColumnKind.NUMBER: 70.26,
        ColumnKind.MOMENT: BASE_MS + 1,
        ColumnKind.DAY: 86_400_000 * 9000,
        ColumnKind.FLAG: True,
    }
    every = {column.name: values[column.kind] for column in table.columns if column.name not in {"id", "is_deleted"}}
    return {name: "female" if name == "sex" else value for name, value in every.items()}


@pytest.mark.parametrize("table", PUSH_ORDER, ids=lambda table: table.name)
@given(st.data())
def test_a_row_that_comes_back_as_it_was_sent_changes_nothing(table: Table, data: st.DataObject) -> None:
    every = filled(table)
    names = data.draw(st.sets(st.sampled_from(sorted(every))))
    base = version(table, **{name: every[name] for name in names})
    for entry in (None, Entry(1), Entry(1, frozenset(every)), Entry(1, frozenset(every), sent=1)):
        merged = take(base, row(base, table), entry, table)
        assert merged.changed == ()
        assert merged.missing == frozenset()
        assert merged.record == base.record
        assert merged.history == base.history


@pytest.mark.parametrize(
    "table", [table for table in PUSH_ORDER if KEEPING[table.name].dropped or KEEPING[table.name].once]
)
def test_a_column_that_the_cloud_does_not_keep_stays_as_it_is_here_and_proves_nothing(table: Table) -> None:
    [name, *_] = sorted(KEEPING[table.name].dropped | KEEPING[table.name].once)
    base = version(table, **filled(table))
    theirs = row(base, table, **{name: None})
    merged = take(base, theirs, Entry(1, frozenset({name}), sent=1), table)
    assert merged.record.get(name) == base.record.get(name)
    assert merged.missing == frozenset()


ATTRIBUTES = TABLES["patient_additional_attributes"]


def test_r4_a_0_that_an_older_hub_sent_as_a_number_is_not_lost_to_the_null_that_the_cloud_made_of_it() -> None:
    base = version(ATTRIBUTES, number_value=0)
    theirs = row(base, ATTRIBUTES, number_value=None, updated_at="2023-11-14T22:13:20.000Z")
    merged = take(base, theirs, None, ATTRIBUTES)
    assert (merged.record.get("number_value"), merged.changed) == (0, ())
    waits = take(base, theirs, Entry(1, frozenset({"number_value"}), sent=1), ATTRIBUTES)
    assert waits.record.get("number_value") == 0
    assert waits.missing == {"number_value"}


def test_a_0_that_somebody_cleared_in_the_cloud_is_cleared() -> None:
    base = version(ATTRIBUTES, number_value=0)
    theirs = row(base, ATTRIBUTES, number_value=None, updated_at="2026-01-01T00:00:00.000Z")
    assert take(base, theirs, None, ATTRIBUTES).record.get("number_value") is None


def test_an_answer_of_0_is_proven_by_0_alone() -> None:
    base = version(ATTRIBUTES, number_value=0)
    sent = Entry(1, frozenset({"number_value"}), sent=1)
    assert not take(base, row(base, ATTRIBUTES, number_value=0), sent, ATTRIBUTES).missing
    assert take(base, row(base, ATTRIBUTES, number_value=None), sent, ATTRIBUTES).missing == {"number_value"}


# An edit that was sent


def mark(value: object, column: str = "phone") -> int:
    return cloud_forms.mark(PATIENTS.by_name[column], value)


def sent(*knowing: object) -> Entry:
    """Return an edit of the phone number that the cloud said success to, made knowing these values."""
    return Entry(1, frozenset({"phone"}), sent=1, known={"phone": tuple(mark(value) for value in knowing)})


def test_an_edit_that_was_sent_and_is_there_misses_nothing() -> None:
    base = version(phone="mine")
    assert take(base, row(base), sent("old")).missing == frozenset()


def test_an_edit_that_was_sent_is_missed_where_the_cloud_has_what_it_was_made_knowing() -> None:
    base = version(phone="mine")
    merged = take(base, row(base, phone="old"), sent("old"))
    assert merged.record.get("phone") == "mine"
    assert merged.missing == {"phone"}
    assert merged.known == {"phone": mark("old")}


def test_an_edit_that_was_sent_gives_way_to_a_third_value() -> None:
    base = version(phone="mine")
    merged = take(base, row(base, phone="theirs"), sent("old"))
    assert merged.record.get("phone") == "theirs"
    assert merged.missing == frozenset()


@given(st.lists(st.sampled_from(["old", "mine", "theirs"]), min_size=1, max_size=6))
def test_an_edit_ends_as_a_value_that_someone_entered_last(rows: list[str]) -> None:
    """Whatever the cloud shows in turn: ours while it shows what we knew, theirs once it shows something new."""
    now, entry = version(phone="mine"), sent("old")
    for value in rows:
        merged = take(now, row(now, phone=value), entry)
        now = Version(merged.record, merged.history)
        if value == "theirs":
            assert now.record.get("phone") == "theirs"
            return
        assert now.record.get("phone") == "mine"


# References, visits, unknown columns


def test_a_user_made_here_is_called_as_the_cloud_calls_them_once_it_shows_so() -> None:
    base = version(EVENTS, recorded_by_user_id=OTHER, visit_id=UUID)
    theirs = row(base, EVENTS, recorded_by_user_id=UUID)
    edit = Entry(1, frozenset({"recorded_by_user_id"}))
    assert take(base, theirs, edit, EVENTS).record.get("recorded_by_user_id") == OTHER
    assert take(base, theirs, edit, EVENTS, **{OTHER: UUID}).record.get("recorded_by_user_id") == UUID


def test_a_visit_that_the_cloud_made_up_is_taken_over_though_the_record_waits() -> None:
    base = version(EVENTS)
    merged = take(base, row(base, EVENTS, visit_id=UUID), Entry(1), EVENTS)
    assert merged.record.get("visit_id") == UUID
    kept = version(EVENTS, visit_id=OTHER)
    edit = Entry(1, frozenset({"visit_id"}))
    assert take(kept, row(kept, EVENTS, visit_id=UUID), edit, EVENTS).record.get("visit_id") == OTHER


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        (Entry(2, sent=1, known={"camp": (1,)}), "theirs"),  # sent, then edited elsewhere
        (Entry(2, sent=1, known={"phone": (1,)}), "base"),  # sent, then edited
        (Entry(1), "theirs"),  # the answer was lost
        (Entry(1, known={"phone": (1,)}), "base"),  # the same, and edited meanwhile
    ],
)
def test_9_of_a_new_record_only_what_was_edited_since_stands_against_what_changed_there(
    entry: Entry, wanted: str
) -> None:
    base = version()
    assert take(base, row(base, phone="theirs"), entry).record.get("phone") == wanted


def test_9_a_new_record_that_another_hub_brought_there_earlier_stands_as_it_was_entered_here() -> None:
    base = version()
    newer = Version(base.record, History(Stamp(BASE_MS + 5, BASE_MS + 9, 1)))
    assert take(newer, row(base, phone="theirs"), Entry(1)).record.get("phone") == "base"
    ahead = Version(base.record, History(Stamp(BASE_MS + 5, BASE_MS, 1)))  # by the clock of a phone
    assert take(ahead, row(base, phone="theirs"), Entry(1)).record.get("phone") == "theirs"


def test_columns_that_no_phone_has_are_kept_unseen() -> None:
    base = version()
    merged = take(base, row(base, image_timestamp="2026-01-01T00:00:00.000Z", portrait="p"))
    assert merged.unseen
    assert merged.changed == ()
    assert merged.record.extra == {"image_timestamp": "2026-01-01T00:00:00.000Z", "portrait": "p"}


def test_an_unknown_column_that_waits_stays_and_one_that_does_not_is_cleared_with_the_clouds() -> None:
    base = version(portrait="mine", other="mine")
    theirs = row(base, portrait="theirs", other=None)
    assert take(base, theirs, Entry(1)).record.extra == {"portrait": "mine", "other": "mine"}
    assert take(base, theirs, Entry(1, frozenset({"phone"}))).record.extra == {"portrait": "theirs"}


@pytest.mark.parametrize(
    ("updated_ms", "changed_ms", "table", "wanted"),
    [
        (BASE_MS - 1, BASE_MS, PATIENTS, True),
        (BASE_MS, BASE_MS, PATIENTS, False),  # nothing older
        (BASE_MS - 1, BASE_MS + 10, PATIENTS, False),  # changed since the last pull
        (BASE_MS - 1, 0, PATIENTS, False),  # does not say when it changed
        (BASE_MS - 1, BASE_MS, ITEMS, False),  # keeps the time of its making whatever is changed
    ],
)
def test_9_a_cloud_was_set_back_where_a_row_is_older_than_seen_and_no_news(
    updated_ms: int, changed_ms: float, table: Table, *, wanted: bool
) -> None:
    record = codec.build(table, {"id": UUID, "updated_at": updated_ms})
    theirs = cloud_forms.Row(record, frozenset(), changed_ms)
    assert cloud_merge.is_set_back(table, theirs, seen_ms=BASE_MS, shown_until_ms=BASE_MS + 10) is wanted


def test_9_of_a_record_that_the_cloud_was_set_back_from_everything_here_stays_and_goes_again() -> None:
    ours = version(phone="3")
    sent = outbox.changed(None, 1, ["phone"]).confirmed(1, pulls=0, shown=True)
    for entry in (Entry(1), sent):
        assert entry
        merged = take(ours, row(ours, phone="1", hometown="other"), entry.set_back(COLUMNS))
        assert (held(merged), merged.missing) == (held(ours), frozenset({"phone", "hometown"}))
        assert entry.set_back(COLUMNS).state() is outbox.OutboxState.WAITING


def test_a_change_carries_the_newest_time_and_the_revision_of_the_merge() -> None:
    base = version()
    theirs = cloud_forms.Row(
        msgspec.structs.replace(
            row(base, phone="x").record, row=msgspec.structs.replace(row(base, phone="x").record.row, updated_at=9)
        ),
        frozenset(),
    )
    merged = take(base, theirs)
    assert merged.record.row.updated_at == BASE_MS
    assert merged.history.columns == {"phone": Stamp(9, REVISION, 0)}
