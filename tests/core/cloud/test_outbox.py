"""Tests the states of a record on its way to the cloud: nothing leaves without the cloud's word, no edit is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.core.cloud import outbox
from hub.core.cloud.outbox import GIVE_UP, PROOF_PULLS, TRANSITIONS, TRIES, Entry, Event, OutboxState
from hub.core.reasons import Code

NO = Code.REFUSED.of(table="patients")
COLUMNS = st.sets(st.sampled_from("abc"), min_size=1)

ENTRIES = st.builds(
    Entry,
    revision=st.integers(1, 3),
    columns=st.none() | st.frozensets(st.sampled_from("abc"), min_size=1),
    sent=st.none() | st.integers(1, 3),
    sent_pull=st.integers(0, 3),
    held=st.none() | st.integers(1, 3),
    tries=st.integers(0, 4),
)


@pytest.mark.parametrize("state", OutboxState)
@pytest.mark.parametrize("event", Event)
def test_the_table_says_where_every_event_leads_from_every_state(state: OutboxState, event: Event) -> None:
    assert TRANSITIONS[state, event] in OutboxState


@pytest.mark.parametrize("state", [state for state in OutboxState if state is not OutboxState.PROVEN])
def test_there_is_a_way_out_of_every_state(state: OutboxState) -> None:
    reached: set[OutboxState] = set()
    found = {state}
    while found - reached:
        reached |= found
        found |= {TRANSITIONS[each, event] for each in reached for event in Event}
    assert OutboxState.PROVEN in reached


@given(ENTRIES, st.lists(st.sampled_from(["refused", "silent", "not kept"]), min_size=1, max_size=3))
def test_whatever_the_cloud_does_a_record_that_nobody_touches_goes_there_or_to_a_person(
    entry: Entry, habits: list[str]
) -> None:
    """A dozen cycles of a cloud that keeps to its habits, and the hub's rules (hub.actions.cloud)."""
    found: Entry | None = entry
    for pulls in range(entry.sent_pull or 0, (entry.sent_pull or 0) + 4 * (GIVE_UP + TRIES)):
        habit = habits[pulls % len(habits)]
        if found is None or found.state(pulls) is OutboxState.ON_HOLD:
            return
        if found.state(pulls) is OutboxState.WAITING:
            refused = habit == "refused"
            found = (
                found.refused(found.revision, NO)
                if refused
                else found.confirmed(found.revision, pulls=pulls, shown=True)
            )
        elif habit == "not kept":
            given_up = found.tries >= GIVE_UP
            found = found.refused(found.revision, NO) if given_up else found.differs({"a"}, {})
        elif found.state(pulls) is OutboxState.MISSED:
            found = found.refused(found.revision, NO)
        else:
            found = found.overdue(pulls, deleted=False)
    raise AssertionError(f"it ends nowhere: {found}")


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.CHANGED])
def test_only_a_change_puts_a_record_into_the_outbox(event: Event) -> None:
    assert TRANSITIONS[OutboxState.PROVEN, event] is OutboxState.PROVEN
    assert TRANSITIONS[OutboxState.PROVEN, Event.CHANGED] is OutboxState.WAITING


def test_what_a_change_makes_wait_leaves_by_the_clouds_word_alone() -> None:
    ways = {event for event in Event if TRANSITIONS[OutboxState.WAITING, event] is OutboxState.PROVEN}
    assert ways == {Event.CONFIRMED_UNSEEN, Event.SHOWN, Event.DELETED_THERE}


@given(ENTRIES, st.integers(0, 6))
def test_an_entry_moves_as_the_table_says(entry: Entry, pulls: int) -> None:
    def leads(event: Event, after: Entry | None, at: int = 0) -> None:
        assert (OutboxState.PROVEN if after is None else after.state(at)) is TRANSITIONS[entry.state(at), event]

    leads(Event.CHANGED, entry.changed(9))
    leads(Event.CONFIRMED, entry.confirmed(entry.revision, pulls=pulls, shown=True))
    leads(Event.CONFIRMED_UNSEEN, entry.confirmed(entry.revision, pulls=pulls, shown=False))
    leads(Event.CONFIRMED_OLDER, entry.confirmed(entry.revision - 1, pulls=pulls, shown=True))
    leads(Event.DIFFERS, entry.differs({"a"}, {}))
    leads(Event.REFUSED, entry.refused(entry.revision, NO))
    leads(Event.RELEASED, entry.released())
    if entry.is_late(pulls):
        leads(Event.OVERDUE, entry.overdue(pulls, deleted=False), pulls)
        leads(Event.OVERDUE_DELETE, entry.overdue(pulls, deleted=True), pulls)
    else:
        assert entry.overdue(pulls, deleted=False) == entry.overdue(pulls, deleted=True) == entry


@given(ENTRIES)
def test_the_clouds_no_to_an_older_revision_holds_no_later_one(entry: Entry) -> None:
    assert entry.refused(entry.revision - 1, NO) == entry


@given(st.lists(st.integers(0, 99), max_size=30), st.integers(0, 99))
def test_the_last_values_that_were_known_are_remembered_and_no_more(marks: list[int], last: int) -> None:
    entry = Entry(1)
    for mark in [*marks, last]:
        entry = entry.knowing({"a": mark})
    assert entry.known is not None
    kept = entry.known["a"]
    assert kept[-1] == last
    assert len(kept) == len(set(kept)) <= outbox.KNOWN
    assert entry.knew("a", last)
    assert not entry.knew("b", last)


class Journey(RuleBasedStateMachine):
    """One record, a hub and a cloud: anything may happen in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1
        self.pulls = 0
        self.entry: Entry | None = Entry(1)
        self.unproven = set("abc")
        """Columns changed here since the cloud last showed them, or said success to them where nothing shows them."""
        self.confirmed = 0
        """The last revision that the cloud said success to."""
        self.taken: list[int] = []
        """Revisions that are on the line."""

    @rule(columns=COLUMNS | st.none())
    def change(self, columns: set[str] | None) -> None:
        self.now += 1
        self.entry = outbox.changed(self.entry, self.now, columns)
        self.unproven |= columns or set("abc")

    @precondition(lambda self: self.entry and self.entry.state(self.pulls) is OutboxState.WAITING)
    @rule()
    def send(self) -> None:
        assert self.entry is not None
        self.taken.append(self.entry.revision)

    @precondition(lambda self: self.taken)
    @rule(shown=st.booleans())
    def succeed(self, shown: bool) -> None:  # noqa: FBT001
        revision = self.taken.pop()
        before, self.confirmed = self.entry, max(self.confirmed, revision)
        if before is None:
            return
        self.entry = before.confirmed(revision, pulls=self.pulls, shown=shown)
        if self.entry is None:
            assert not shown
            assert revision == before.revision
            self.unproven = set()

    @precondition(lambda self: self.taken)
    @rule()
    def refuse(self) -> None:
        revision = self.taken.pop()
        if self.entry is not None:
            self.entry = self.entry.refused(revision, NO)

    @precondition(lambda self: self.entry)
    @rule(columns=COLUMNS)
    def differ(self, columns: set[str]) -> None:
        assert self.entry is not None
        missing = {column for column in columns if self.entry.holds(column)}
        if missing:
            self.entry = self.entry.differs(missing, dict.fromkeys(missing, 7))
            self.unproven = missing

    @rule()
    def show(self) -> None:
        self.entry, self.unproven = None, set()

    @precondition(lambda self: self.entry)
    @rule()
    def release(self) -> None:
        assert self.entry is not None
        self.entry = self.entry.released()
        assert self.entry.state() is not OutboxState.ON_HOLD

    @rule()
    def pull(self) -> None:
        self.pulls += 1
        if self.entry is not None:
            tries, state = self.entry.tries, self.entry.state(self.pulls)
            self.entry = self.entry.overdue(self.pulls, deleted=False)
            assert self.entry is not None, "a record that is alive is never given up in silence"
            if self.entry.tries > tries:
                assert state is OutboxState.SENT
                assert self.entry.state(self.pulls) is OutboxState.WAITING

    @invariant()
    def nothing_left_without_the_clouds_word(self) -> None:
        assert self.entry is not None or not self.unproven

    @invariant()
    def every_unproven_column_is_still_on_its_way(self) -> None:
        if self.entry is not None:
            assert all(self.entry.holds(column) for column in self.unproven)

    @invariant()
    def sent_means_that_the_cloud_said_so_of_just_this_revision(self) -> None:
        if self.entry is not None and self.entry.state(self.pulls) in {OutboxState.SENT, OutboxState.MISSED}:
            assert self.entry.revision <= self.confirmed
            assert self.entry.held is None

    @invariant()
    def what_is_missed_was_tried_and_given_time(self) -> None:
        if self.entry is not None and self.entry.state(self.pulls) is OutboxState.MISSED:
            assert self.entry.tries >= TRIES
            assert self.entry.sent_pull is not None
            assert self.pulls - self.entry.sent_pull >= PROOF_PULLS


TestJourney = Journey.TestCase
