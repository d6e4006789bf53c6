"""Merging a record that is pushed again (P2, P3)."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.core.records import codec, merge
from hub.core.records.codec import Pushed
from hub.core.records.merge import History, Knowledge, MergedEdit, Stamp, Version
from hub.core.records.tables import TABLES

PATIENTS = TABLES["patients"]
COLUMNS = ("phone", "hometown", "surname", "camp")
BASE_REVISION = 100
MAKER = 1


class Edit(NamedTuple):
    """What one device changed, by its own clock."""

    device: int
    updated_at: int
    values: dict[str, Any]
    knowing: int = BASE_REVISION
    has: int = 0


def base(**values: object) -> Version:
    record = codec.build(PATIENTS, {"id": "p", "updated_at": 1000, **dict.fromkeys(COLUMNS, "base"), **values})
    return Version(record, History(Stamp(1000, BASE_REVISION, MAKER)))


def pushed(version: Version, edit: Edit, *, whole: bool = False) -> Pushed:
    """Return the edit as its phone pushes it, made on top of ``version``."""
    record = codec.replaced(PATIENTS, version.record, {**edit.values, "updated_at": edit.updated_at})
    return Pushed(record, () if whole else ("updated_at", *edit.values), synced=False)


def take(version: Version, push: Pushed, edit: Edit, revision: int) -> MergedEdit:
    known = Knowledge(edit.knowing, edit.has)
    return merge.merge(PATIENTS, version, push, device=edit.device, revision=revision, known=known)


def after(edits: Iterable[Edit], *, whole: bool = False) -> dict[str, Any]:
    """Return what the record is after these edits, all made on top of the same version, came one after the other."""
    first = version = base()
    for revision, edit in enumerate(edits, BASE_REVISION + 1):
        merged = take(version, pushed(first, edit, whole=whole), edit, revision)
        version = Version(merged.record, merged.history)
    return {column: version.record.get(column) for column in COLUMNS}


def every_order(edits: Sequence[Edit], *, whole: bool = False) -> list[dict[str, Any]]:
    return [after(order, whole=whole) for order in itertools.permutations(edits)]


WHOLE_A = dict.fromkeys(COLUMNS, "a")
WHOLE_B = {**WHOLE_A, "surname": "b"}
TIMES = st.integers(-5, 5).map(lambda step: 1000 + step)
VALUES = st.sampled_from(["a", "b", "c"])


@st.composite
def concurrent(draw: st.DrawFn, *, columns: st.SearchStrategy[set[str]]) -> list[Edit]:
    """Draw edits of different devices, none of which knew of another."""
    count = draw(st.integers(2, 4))
    edits = []
    for device in range(2, 2 + count):
        values = {column: draw(VALUES) for column in sorted(draw(columns))}
        edits.append(Edit(device, draw(TIMES), values))
    return edits


@given(st.permutations(COLUMNS), st.lists(TIMES, min_size=4, max_size=4))
def test_p3_edits_of_different_columns_all_survive_in_every_order(columns: list[str], times: list[int]) -> None:
    edits = [Edit(2 + n, times[n], {column: f"by {n}"}) for n, column in enumerate(columns)]
    for record in every_order(edits):
        assert {column: record[column] for column in columns} == {c: f"by {n}" for n, c in enumerate(columns)}


@given(concurrent(columns=st.sets(st.sampled_from(COLUMNS), min_size=1, max_size=3)))
@example([Edit(2, 1001, {"phone": "a"}), Edit(3, 1002, {"phone": "a"}), Edit(4, 1001, {"phone": "b"})])
def test_p3_edits_of_the_same_columns_end_the_same_in_every_order(edits: list[Edit]) -> None:
    first, *others = every_order(edits)
    assert all(other == first for other in others)


@given(concurrent(columns=st.just(set(COLUMNS))))
@example([Edit(2, 1001, WHOLE_A), Edit(3, 1001, WHOLE_B), Edit(4, 1002, WHOLE_A)])
@example([Edit(2, 1001, WHOLE_A), Edit(3, 1002, WHOLE_A), Edit(4, 1002, WHOLE_B)])
def test_p3_whole_records_end_the_same_in_every_order(edits: list[Edit]) -> None:
    first, *others = every_order(edits, whole=True)
    assert all(other == first for other in others)


@given(concurrent(columns=st.sets(st.sampled_from(COLUMNS), min_size=1)), st.booleans())
def test_p2_an_edit_sent_again_changes_nothing(edits: list[Edit], whole: bool) -> None:  # noqa: FBT001
    first = version = base()
    for revision, edit in enumerate(edits, BASE_REVISION + 1):
        push = pushed(first, edit, whole=whole)
        merged = take(version, push, edit, revision)
        version = Version(merged.record, merged.history)
        again = take(version, push, edit, revision + 1)
        assert (again.changed, again.record, again.history) == ((), version.record, version.history)


@given(concurrent(columns=st.sets(st.sampled_from(COLUMNS), min_size=1)))
def test_p2_a_late_repetition_does_not_undo_what_came_after_it(edits: list[Edit]) -> None:
    first = version = base()
    pushes = [pushed(first, edit) for edit in edits]
    for revision, (push, edit) in enumerate(zip(pushes, edits, strict=True), BASE_REVISION + 1):
        merged = take(version, push, edit, revision)
        version = Version(merged.record, merged.history)
    knowing_all = Edit(9, 1, {"phone": "last"}, knowing=BASE_REVISION + 40)
    merged = take(version, pushed(version, knowing_all), knowing_all, BASE_REVISION + 40)
    version = Version(merged.record, merged.history)
    for push, edit in zip(pushes, edits, strict=True):
        assert take(version, push, edit, BASE_REVISION + 50).changed == ()


@given(TIMES, TIMES)
def test_p3_an_edit_made_knowing_the_other_wins_whatever_the_clocks(first_at: int, second_at: int) -> None:
    one = Edit(2, first_at, {"phone": "first"})
    merged = take(base(), pushed(base(), one), one, 101)
    version = Version(merged.record, merged.history)
    other = Edit(3, second_at, {"phone": "second"}, knowing=101)
    assert take(version, pushed(version, other), other, 102).record.get("phone") == "second"


@given(TIMES, TIMES)
def test_p3_a_devices_own_later_edit_replaces_its_earlier_one_whatever_its_clock(first_at: int, second_at: int) -> None:
    one = Edit(2, first_at, {"phone": "first"})
    merged = take(base(), pushed(base(), one), one, 101)
    version = Version(merged.record, merged.history)
    other = Edit(2, second_at, {"phone": "second"})
    assert take(version, pushed(version, other), other, 102).record.get("phone") == "second"


@pytest.mark.parametrize(("later", "winner"), [(1001, "second"), (999, "first")])
def test_p3_of_edits_that_did_not_know_each_other_the_newer_wins(later: int, winner: str) -> None:
    edits = [Edit(2, 1000, {"phone": "first"}), Edit(3, later, {"phone": "second"})]
    assert after(edits)["phone"] == winner


def test_p3_only_the_columns_that_were_changed_are_taken() -> None:
    stale = base(hometown="old town")
    edit = Edit(2, 9000, {"phone": "2"})
    merged = take(base(hometown="new town"), pushed(stale, edit), edit, 101)
    assert merged.record.get("hometown") == "new town"
    assert merged.changed == ("phone",)


def test_p3_a_whole_record_that_is_older_changes_nothing() -> None:
    edit = Edit(2, 999, {"phone": "2"})
    assert take(base(), pushed(base(), edit, whole=True), edit, 101).changed == ()


def test_updated_at_is_the_newest_of_both() -> None:
    for updated_at, expected in ((500, 1000), (2000, 2000)):
        edit = Edit(2, updated_at, {"phone": "2"})
        assert take(base(), pushed(base(), edit), edit, 101).record.row.updated_at == expected


def test_an_edit_of_updated_at_alone_is_no_change() -> None:
    edit = Edit(2, 5000, {})
    assert take(base(), Pushed(pushed(base(), edit).record, ("updated_at",), synced=False), edit, 101).changed == ()


@pytest.mark.parametrize("column", ["id", "last_modified", "server_created_at"])
def test_columns_that_are_the_hubs_own_are_not_taken(column: str) -> None:
    table = TABLES["patient_problems"]
    version = Version(codec.build(table, {"id": "p", "updated_at": 1}), History(Stamp(1, 1, MAKER)))
    values = {"id": "q" if column == "id" else "p", "updated_at": 2, "last_modified": 7, "server_created_at": 7}
    push = Pushed(codec.build(table, values), (column,), synced=False)
    assert merge.merge(table, version, push, device=2, revision=5, known=Knowledge(1)).changed == ()


def test_p8_unknown_columns_stay_when_a_phone_that_does_not_know_them_pushes_the_whole_record() -> None:
    edit = Edit(2, 2000, {"phone": "2"})
    without = pushed(base(), edit, whole=True)
    assert take(base(from_the_cloud=7), without, edit, 101).record.extra == {"from_the_cloud": 7}


@pytest.mark.parametrize("whole", [True, False])
def test_a_phone_whose_edit_was_taken_as_it_is_holds_just_this(whole: bool) -> None:  # noqa: FBT001
    edit = Edit(2, 2000, {"phone": "2"})
    assert take(base(), pushed(base(), edit, whole=whole), edit, 101).exact


@pytest.mark.parametrize("updated_at", [999, 2000])
def test_a_phone_whose_edit_ended_otherwise_does_not_hold_this(updated_at: int) -> None:
    one, other = Edit(2, 1500, {"phone": "2", "camp": "2"}), Edit(3, updated_at, {"phone": "3"})
    merged = take(base(), pushed(base(), one), one, 101)
    version = Version(merged.record, merged.history)
    assert not take(version, pushed(base(), other), other, 102).exact


# Nothing named: a forced upload, and what the app could not read (PHONE.md 11)


@st.composite
def mixed(draw: st.DrawFn) -> list[tuple[Edit, bool]]:
    """Draw edits and whole records of devices that did not know each other, with blanks."""
    drawn = []
    for device in range(2, 2 + draw(st.integers(2, 4))):
        columns = sorted(draw(st.sets(st.sampled_from(COLUMNS), min_size=1)))
        values = {column: draw(st.sampled_from(["a", "b", ""])) for column in columns}
        drawn.append((Edit(device, draw(TIMES), values), draw(st.booleans())))
    return drawn


def after_mixed(edits: Iterable[tuple[Edit, bool]], first: Version) -> dict[str, Any]:
    version = first
    for revision, (edit, whole) in enumerate(edits, BASE_REVISION + 1):
        push = pushed(first, edit, whole=whole)
        # A whole record says nothing of what its phone did not fill in: it never had the base's values.
        if whole:
            record = codec.replaced(PATIENTS, push.record, {c: "" for c in COLUMNS if c not in edit.values})
            push = Pushed(record, (), synced=False)
        merged = take(version, push, edit._replace(knowing=0), revision)
        version = Version(merged.record, merged.history)
    return {column: version.record.get(column) for column in COLUMNS}


@given(mixed(), st.sampled_from(["base", ""]))
@example([(Edit(2, 1000, {"phone": ""}), False), (Edit(4, 998, {"phone": "a"}), False)], "")
@example([(Edit(2, 999, {"phone": ""}), False), (Edit(4, 1000, {"phone": "a"}), False)], "")
@example(
    [
        (Edit(2, 1000, {"hometown": "a", "phone": "a"}), False),
        (Edit(3, 1000, {"phone": "a"}), False),
        (Edit(4, 1002, {"hometown": ""}), False),
        (Edit(5, 1002, {"phone": "a"}), True),
    ],
    "",
)
def test_p3_edits_and_whole_records_with_blanks_end_the_same_in_every_order(
    edits: list[tuple[Edit, bool]], filled: str
) -> None:
    first = base(**dict.fromkeys(COLUMNS, filled))
    ends = [after_mixed(order, first) for order in itertools.permutations(edits)]
    assert all(end == ends[0] for end in ends)


VITALS = TABLES["patient_vitals"]
MEASURED = {"height_cm": 191, "weight_kg": 80.5, "oxygen_saturation": 97, "heart_rate": 70}


def vitals(**values: object) -> codec.Record:
    return codec.build(VITALS, {"id": "v", "updated_at": 1000, "metadata": '{"a":1}', **values})


@pytest.mark.parametrize("ahead", [0, 3_600_000])
def test_p3_a_new_record_that_a_copy_of_its_phone_pushes_again_undoes_no_edit(ahead: int) -> None:
    """A clock that was ahead when it was made says that it is newer than the edit."""
    made = base(created_at=1000 + ahead, updated_at=1000 + ahead)
    edit = Edit(2, 2000, {"phone": "edited", "hometown": ""})
    edited = Version(pushed(made, edit).record, History(Stamp(2000, BASE_REVISION, 2)))
    again = take(edited, Pushed(made.record, (), synced=False, untouched=True), Edit(3, 1000 + ahead, {}), 101)
    assert again.record.get("phone") == "edited"
    assert not again.exact


@pytest.mark.parametrize("updated_at", [999, 1000, 1001], ids=["older", "tie", "newer"])
@pytest.mark.parametrize("synced", [True, False])
@pytest.mark.parametrize("maker", [merge.HUB, MAKER, 2])
def test_p3_nulls_of_a_forced_upload_wipe_nothing(updated_at: int, maker: int, *, synced: bool) -> None:
    version = Version(vitals(**MEASURED), History(Stamp(1000, BASE_REVISION, maker)))
    push = Pushed(vitals(updated_at=updated_at, metadata="{}", **dict.fromkeys(MEASURED)), (), synced=synced)
    known = Knowledge(BASE_REVISION, BASE_REVISION)
    merged = merge.merge(VITALS, version, push, device=2, revision=101, known=known)
    assert merged.changed == ()
    assert not merged.exact


def test_p3_a_value_fills_what_a_forced_upload_left_blank_whichever_came_first() -> None:
    blank = Version(vitals(**dict.fromkeys(MEASURED)), History(Stamp(1000, BASE_REVISION, MAKER)))
    merged = merge.merge(
        VITALS, blank, Pushed(vitals(**MEASURED), (), synced=True), device=2, revision=101, known=Knowledge()
    )
    assert {name: merged.record.get(name) for name in MEASURED} == MEASURED


def test_p3_a_column_is_emptied_by_its_name() -> None:
    version = Version(vitals(**MEASURED), History(Stamp(1000, BASE_REVISION, MAKER)))
    push = Pushed(vitals(**{**MEASURED, "weight_kg": None}, updated_at=1001), ("weight_kg",), synced=False)
    merged = merge.merge(VITALS, version, push, device=2, revision=101, known=Knowledge(BASE_REVISION))
    assert merged.record.get("weight_kg") is None


@pytest.mark.parametrize(("knows", "synced"), [(True, False), (True, True), (False, True)])
def test_p3_on_a_tie_the_hubs_row_stays(*, knows: bool, synced: bool) -> None:
    edit = Edit(2, 1000, {"phone": "zzz"}, has=BASE_REVISION if knows else 0)
    record = pushed(base(), edit, whole=True).record
    assert take(base(), Pushed(record, (), synced=synced), edit, 101).changed == ()


# Edited while a push was under way: the app forgets the name of the column (PHONE.md 11)

NAMES = st.sampled_from(COLUMNS)


@given(NAMES, NAMES, st.sampled_from([MAKER, 2]), TIMES)
def test_p3_a_column_edited_during_a_push_is_taken_with_the_next_one(
    during: str, later: str, maker: int, updated_at: int
) -> None:
    edit = Edit(2, updated_at, {during: "during", later: "later"}, has=BASE_REVISION)
    push = Pushed(pushed(base(), edit).record, ("updated_at", later), synced=False)
    version = Version(base().record, History(Stamp(1000, BASE_REVISION, maker)))
    merged = take(version, push, edit, 101)
    assert {name: merged.record.get(name) for name in (during, later)} == edit.values
    assert merged.exact


@given(NAMES, TIMES, TIMES, st.booleans())
def test_p3_of_a_column_that_someone_else_has_changed_since_theirs_stays(
    column: str,
    first_at: int,
    second_at: int,
    named_first: bool,  # noqa: FBT001
) -> None:
    """In both orders."""
    other = next(name for name in COLUMNS if name != column)
    named = Edit(3, first_at, {column: "named"})
    unnamed = Edit(2, second_at, {column: "during", other: "later"}, has=BASE_REVISION)
    pushes = [
        (pushed(base(), named), named),
        (Pushed(pushed(base(), unnamed).record, ("updated_at", other), synced=False), unnamed),
    ]
    version = base()
    for revision, (push, edit) in enumerate(pushes if named_first else reversed(pushes), BASE_REVISION + 1):
        merged = take(version, push, edit, revision)
        version = Version(merged.record, merged.history)
    assert (version.record.get(column), version.record.get(other)) == ("named", "later")


def test_p3_what_the_phone_is_not_known_to_have_is_no_edit_of_its() -> None:
    edit = Edit(2, 2000, {"phone": "old", "camp": "new"})
    push = Pushed(pushed(base(), edit).record, ("camp",), synced=False)
    assert take(base(), push, edit, 101).changed == ("camp",)


def test_p3_json_in_another_wrapping_is_no_edit() -> None:
    version = base(additional_data='{"a":1}')
    edit = Edit(2, 2000, {"additional_data": '"{\\"a\\": 1}"', "camp": "new"}, has=BASE_REVISION)
    assert take(version, Pushed(pushed(version, edit).record, ("camp",), synced=False), edit, 101).changed == ("camp",)
