"""The laws of a phone's ledger, over thousands of lives without a database (P5, P6)."""

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st
from pyroaring import FrozenBitMap

from hub.core.phone import sheets
from hub.core.phone.open_ledger import OpenLedger
from hub.core.phone.opening import Resumed, StartOver
from hub.core.phone.sheets import ANY_CURSOR, Head
from tests.core.phone.model import BLANK, NAMES, Answer, ModelHub, ModelPhone, Row, carried, created, shown
from tests.draws import drawn

CLINICS = ("a", "b")
Step = tuple[str, int]
QUIET = (
    *("add", "edit", "delete", "back", "own_add", "own_edit", "merged", "forced"),
    *("sync", "sync", "lost", "lost", "wait"),
)
KNOWN = (*QUIET, "own_delete", "allow", "forbid", "move", "overlap")
ALL = (*KNOWN, "empty", "strange")


def steps(names: tuple[str, ...]) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.tuples(st.sampled_from(names), st.integers(0, 15)), max_size=25)


class Life:
    """One phone's life with a hub; the choice of each step picks the record, the clinic or the page size."""

    def __init__(self) -> None:
        self.hub = ModelHub()
        self.phone = ModelPhone()
        self.withheld: frozenset[str] = frozenset()
        self.overlaps = False
        """A sync is under way already, and the next answer comes beside it."""

    def step(self, name: str, choice: int) -> None:
        getattr(self, name)(choice)

    def add(self, choice: int) -> None:
        self.hub.add(NAMES[choice % 2], CLINICS[choice // 2 % 2])

    def edit(self, choice: int) -> None:
        if key := self._live(choice):
            self.hub.change(*key)

    def delete(self, choice: int) -> None:
        if key := self._live(choice):
            self.hub.change(*key, is_deleted=True)

    def back(self, choice: int) -> None:
        """What went along with what it belonged to lives again."""
        if key := self._pick(choice, lambda key: self.hub.rows[key[0]][key[1]].is_deleted):
            self.hub.change(*key)

    def own_add(self, choice: int) -> None:
        """The phone made a record and pushed it."""
        if device := self._pulled():
            name = NAMES[choice % 2]
            num = self.hub.add(name, CLINICS[choice // 2 % 2], device=device)
            self.phone.has[name, num] = self.hub.now

    def own_edit(self, choice: int) -> tuple[str, int] | None:
        """The phone's edit was taken as it is: it has just what the hub has."""
        device = self._pulled()
        key = self._own(choice) if device else None
        if key and device:
            self.hub.change(*key, device=device)
            self.phone.has[key] = self.hub.now
        return key

    def merged(self, choice: int) -> None:
        """The phone's edit was merged with another: it has something else."""
        if self._pulled() and (key := self._own(choice)):
            self.hub.change(*key)

    def forced(self, choice: int) -> None:
        """The phone's edit was refused: it has what the hub never had."""
        device = self._pulled()
        if device and (key := self._own(choice)):
            self.hub.force(*key, device)
            self.phone.has[key] = -1

    def own_delete(self, choice: int) -> None:
        """The phone's user deleted a record: the hub never hears of it."""
        if key := self._own(choice):
            self.phone.delete(key)

    def sync(self, choice: int) -> Answer:
        answer = self.pull(choice)
        self.phone.store(answer)
        return answer

    def lost(self, choice: int) -> None:
        self.pull(choice)

    def overlap(self, choice: int) -> None:
        """Two syncs at once: something changes between them, and either answer comes last."""
        first = self.pull(choice)
        self.overlaps = True
        for change in (self.edit, self.merged, self.add, self.own_edit)[choice // 4 :]:
            change(choice)
        self.overlaps = False
        second = self.pull(choice)
        for answer in (first, second) if choice % 2 else (second, first):
            self.phone.store(answer)

    def wait(self, choice: int) -> None:
        self.hub.now += 60 << choice

    def allow(self, choice: int) -> None:
        self.withheld -= {CLINICS[choice % 2]}

    def forbid(self, choice: int) -> None:
        self.withheld |= {CLINICS[choice % 2]}

    def move(self, choice: int) -> None:
        """A record's patient changes clinics, and so does the record, unchanged itself."""
        if key := self._live(choice):
            row = self.hub.rows[key[0]][key[1]]
            self.hub.rows[key[0]][key[1]] = row._replace(clinic=CLINICS[choice % 2])
            self.hub.moved = self.hub.tick()

    def empty(self, _choice: int) -> None:
        self.phone = ModelPhone()

    def strange(self, choice: int) -> None:
        """The phone has a cursor that this hub never gave: it visited another one, or forced an upload."""
        if self.phone.cursor:
            self.phone.cursor = choice + 0.5

    def pull(self, choice: int) -> Answer:
        return self.hub.pull(self.phone.cursor, self.withheld, budget_bytes=(30, 60, 200, 10**6)[choice % 4])

    def settle(self) -> None:
        """Let the phone sync until nothing more comes, however late."""
        for _ in range(4):
            idle = 0
            for _ in range(300):
                idle = 0 if carried(self.sync(3)) else idle + 1
                if idle > sheets.DELIVERIES:
                    break
            else:
                raise AssertionError("it never ends")
            self.hub.now += 10**12  # suspects are due again

    def missing(self) -> set[tuple[tuple[str, int], int]]:
        """Return what the phone does not have as the hub has it."""
        wanted = {(key, row.revision) for key, row in self.rows() if not row.is_deleted}
        return {each for each in wanted ^ set(self.phone.has.items()) if each[0] not in self.phone.deleted}

    def rows(self) -> list[tuple[tuple[str, int], Row]]:
        return [((name, num), row) for name in NAMES for num, row in self.hub.rows[name].items()]

    def _pulled(self) -> int | None:
        """Pull, as a phone always does before it pushes; returns under which number that is, None if it failed."""
        asked = self.phone.cursor
        return self.hub.pusher(asked) if self.overlaps or self.phone.store(self.pull(3)) else None

    def _live(self, choice: int) -> tuple[str, int] | None:
        return self._pick(choice, lambda key: not self.hub.rows[key[0]][key[1]].is_deleted)

    def _own(self, choice: int) -> tuple[str, int] | None:
        return self._pick(choice, lambda key: key in self.phone.has and not self.hub.rows[key[0]][key[1]].is_deleted)

    def _pick(self, choice: int, wanted: Callable[[tuple[str, int]], bool]) -> tuple[str, int] | None:
        keys = [key for name in NAMES for num in self.hub.rows[name] if wanted(key := (name, num))]
        return keys[choice % len(keys)] if keys else None


def lived(taken: list[Step]) -> Life:
    life = Life()
    for step in taken:
        life.step(*step)
    return life


@drawn(120)
@given(steps(ALL))
@example([("own_add", 0), ("own_add", 0), ("empty", 0), ("sync", 0), ("edit", 0)])  # its own, lost, edited by another
@example([("sync", 3), ("own_add", 0), ("edit", 0), ("overlap", 12)])  # an old answer over the phone's own edit
@example([("sync", 3), ("add", 0), ("delete", 0), ("sync", 3), ("sync", 3), ("back", 0)])  # deleted before it came
def test_p5_whatever_happens_a_phone_that_keeps_syncing_has_what_the_hub_has(taken: list[Step]) -> None:
    life = lived([*taken, ("allow", 0), ("allow", 1)])
    life.settle()
    assert life.missing() == set()


@drawn(120)
@given(steps(ALL))
@example([("add", 0), ("forbid", 0), ("sync", 3), ("sync", 3), ("move", 1)])  # comes into sight unchanged
@example([("sync", 0), ("overlap", 0), ("overlap", 0), ("strange", 0)])  # an old answer over its edit, and a new cursor
def test_p5_what_a_user_may_see_comes_whatever_else_is_withheld(taken: list[Step]) -> None:
    life = lived(taken)
    life.settle()
    seen = {key for key, row in life.rows() if row.clinic not in life.withheld and not row.is_deleted}
    assert not {key for key, _ in life.missing()} & seen


@drawn(120)
@given(steps(ALL), st.integers(0, 15))
@example([("add", 0), ("forbid", 0), ("sync", 3), ("edit", 0)], 1)
def test_p5_what_a_phone_lacks_is_due_or_withheld_once_its_ledger_is_open(taken: list[Step], cursor: int) -> None:
    life = lived(taken)
    if cursor == 0:
        life.empty(0)
    opened = life.hub.opened(life.phone.cursor, ",".join(sorted(life.withheld)))
    assert not any(sheet.due & sheet.withheld for sheet in opened.sheets.values())
    accounted = {(name, num) for name, sheet in opened.sheets.items() for num in sheet.due | sheet.withheld}
    suspects = {(suspect.table_name, suspect.num) for suspect in life.hub.kept.suspects}
    assert {key for key, _ in life.missing()} <= accounted | suspects


@drawn(120)
@given(steps((*QUIET, "allow", "forbid", "move", "empty")))
def test_p6_nothing_that_a_phone_has_comes_as_created(taken: list[Step]) -> None:
    life = lived(taken)
    assert created(life.pull(3)).isdisjoint(life.phone.has)


@drawn(120)
@given(steps((*QUIET, "allow", "forbid", "move")))
def test_p3_a_phone_is_never_taken_to_know_more_than_it_has(taken: list[Step]) -> None:
    life = lived([step for step in taken if step[0] != "forced"])
    for (name, num), has in life.phone.has.items():
        row = life.hub.rows[name][num]
        if row.revision <= life.hub.known(name, num):
            assert has in {row.revision, BLANK}  # what is blank was known until just now


@drawn(120)
@given(steps(ALL), st.integers(0, 15))
@example([("own_add", 0), ("own_add", 0), ("own_add", 0), ("edit", 0), ("edit", 1), ("edit", 2)], 0)
@example([("own_add", 0), ("own_add", 0), ("own_add", 0), ("edit", 0), ("edit", 1), ("edit", 2)], 1)
def test_p6_what_a_phone_just_pushed_is_not_due_to_it(taken: list[Step], choice: int) -> None:
    life = lived([step for step in taken if step[0] != "forced"])
    life.sync(0)
    life.sync(0)  # no other answer may be on its way
    if key := life.own_edit(choice):
        assert key[1] not in life.hub.opened(life.phone.cursor).sheets[key[0]].due


@drawn(120)
@given(steps(ALL))
def test_p6_no_phone_gets_what_its_user_may_not_see(taken: list[Step]) -> None:
    life = lived(taken)
    answer = life.pull(3)
    rows = life.hub.rows
    assert not [
        key
        for key in shown(answer)
        if rows[key[0]][key[1]].clinic in life.withheld and not rows[key[0]][key[1]].is_deleted
    ]


@drawn(120)
@given(steps(KNOWN))
@example([("add", 0), ("sync", 3), ("sync", 3), ("forbid", 0)])
@example([("add", 0), ("lost", 3), ("forbid", 0)])
@example([("add", 0), ("sync", 3), ("sync", 3), ("forbid", 0), ("sync", 3), ("allow", 0), ("lost", 3), ("forbid", 0)])
def test_s5_what_a_user_may_not_see_any_more_is_blank_on_the_phone_in_the_end(taken: list[Step]) -> None:
    life = lived([("sync", 3), ("sync", 3), *taken])
    life.settle()
    left = [key for key, row in life.rows() if row.clinic in life.withheld and not row.is_deleted]
    assert {life.phone.has.get(key, BLANK) for key in left} <= {BLANK}


@drawn(120)
@given(steps(ALL))
def test_p5_an_answer_is_settled_once_however_often_its_cursor_comes(taken: list[Step]) -> None:
    life = lived(taken)
    life.sync(3)
    once = life.hub.opened(life.phone.cursor)
    life.pull(0)
    assert life.hub.opened(life.phone.cursor).sheets.keys() == once.sheets.keys()
    again = life.hub.opened(life.phone.cursor)
    assert {name: sheet.has for name, sheet in again.sheets.items()} == {
        name: sheet.has for name, sheet in once.sheets.items()
    }
    assert due(again) == due(once)


@drawn(120)
@given(steps(QUIET), st.integers(1, 2**60))
def test_o4_after_a_restore_any_cursor_is_taken_for_the_last_settled_one(taken: list[Step], cursor: int) -> None:
    life = lived(taken)
    life.settle()
    for step in taken[:5]:
        if step[0] in {"add", "edit", "delete"}:
            life.step(*step)
    expected = life.hub.opened(life.phone.cursor)
    head = life.hub.kept.head
    assert head is not None
    life.hub.kept.answers = []
    life.hub.kept.head = Head(head.revision, head.since, ANY_CURSOR, 0, head.scope)
    assert due(life.hub.opened(cursor)) == due(expected)


@drawn(120)
@given(steps(ALL), st.floats(allow_nan=False))
def test_p10_a_phone_keeps_its_ledger_whatever_cursor_it_brings(taken: list[Step], cursor: float) -> None:
    life = lived(taken)
    head = life.hub.kept.head
    if not head or not head.settled or not cursor or len(life.hub.ledgers) > 1:
        return
    has = {name: sheet.has for name, sheet in life.hub.kept.sheets.items()}
    opened = life.hub.opened(cursor)
    assert all(has[name] <= sheet.has for name, sheet in opened.sheets.items())


def test_p3_an_answer_from_before_a_change_does_not_make_the_change_known() -> None:
    life = lived([("add", 0), ("sync", 3), ("sync", 3), ("edit", 0)])
    late = life.pull(3)
    life.edit(0)
    life.pull(3)
    life.phone.store(late)
    life.pull(3)
    assert life.hub.known("patients", 1) == life.phone.has["patients", 1]


def test_what_an_answer_showed_is_not_due_again_where_it_may_have_come_late() -> None:
    life = lived([("overlap", 3), ("allow", 6), ("overlap", 12)])
    assert not any(due(life.hub.opened(life.phone.cursor)).values())


def test_p5_once_a_phone_starts_over_its_former_cursor_counts_for_nothing() -> None:
    life = lived([("add", 0), ("sync", 3), ("sync", 3)])
    former = life.phone.cursor
    life.hub.pull(0)
    assert isinstance(life.hub.stored().resume(former), StartOver)


def test_what_arrived_is_outdated_no_more() -> None:
    life = lived([("add", 0), ("sync", 3), ("sync", 3), ("edit", 0), ("lost", 3)])
    assert life.hub.kept.outdated
    life.settle()
    assert not life.hub.kept.outdated


def test_two_changes_of_one_revision_are_both_remembered_as_outdated() -> None:
    life = lived([("add", 0), ("add", 4), ("sync", 3), ("sync", 3), ("edit", 0), ("forced", 1), ("lost", 3)])
    assert [life.hub.known("patients", num) > 0 for num in (1, 2)] == [True, True]


def test_a_ledger_cannot_say_what_is_due_before_it_is_open() -> None:
    hub = ModelHub()
    assert not hasattr(hub.stored(), "behind")
    assert not hasattr(Resumed, "behind")
    assert hasattr(OpenLedger, "behind")


def due(ledger: OpenLedger) -> dict[str, FrozenBitMap]:
    """Return what is due, also that of which it is not yet known whether the user may see it."""
    return {name: sheet.due | sheet.withheld for name, sheet in ledger.sheets.items()}
