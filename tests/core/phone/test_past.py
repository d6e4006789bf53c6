"""Phones that share one id, that are put back from backups and lose answers: each gets what it lacks, and no more."""

import copy
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyroaring import FrozenBitMap

from hub.core.phone import past
from hub.core.phone.sheets import NO_RECORDS, ChangedRow, Delivered, Delivery, Head, Sheet, SuspectRecord
from tests.core.phone.model import NAMES, PHONE, Answer, ModelHub, ModelPhone, carried, told_deleted, updated
from tests.draws import drawn

Step = tuple[str, int, int]
Key = tuple[str, int]
WORK = ("add", "edit", "delete", "own_add", "own_edit", "sync", "sync", "sync", "begin", "finish", "wait")
LOSSES = ("pull_lost", "push_lost", "push_answer_lost", "cut")
OTHERS = ("copy", "back_up", "put_back")
RARE = ("own_delete", "empty", "refused_edit")
PHONES_MAX = 4
CLINIC = "a"
IDLE = 4
"""After so many rounds in which nothing came, nothing will."""
WAITS = 3


def steps(*names: str) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.tuples(st.sampled_from(names), st.integers(0, 3), st.integers(0, 15)), max_size=40)


class CrowdPhone(ModelPhone):
    """A phone with what it has yet to push, and a sync that may be under way."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, str] = {}
        """What was made here and not pushed yet: a name of its own -> table."""
        self.edited: set[Key] = set()
        self.sync: Answer | None = None

    def copied(self) -> "CrowdPhone":
        twin = copy.copy(self)
        twin.has, twin.deleted, twin.made = dict(self.has), set(self.deleted), dict(self.made)
        twin.edited, twin.sync = set(self.edited), None
        return twin


class Crowd:
    """A hub, and phones of one id in people's hands."""

    def __init__(self) -> None:
        self.hub = ModelHub()
        self.phones = [CrowdPhone()]
        self.backups: dict[int, CrowdPhone] = {}
        self.born: dict[str, Key] = {}
        """What the hub has of what was made on a phone."""
        self.failed = 0
        self.waits = 0
        self.crossed = False
        """Syncs of several phones were under way at the same time."""

    def step(self, name: str, who: int, choice: int) -> None:
        getattr(self, name)(who % len(self.phones), choice)

    # On the hub

    def add(self, _who: int, choice: int) -> None:
        self.hub.add(NAMES[choice % 2], CLINIC)

    def edit(self, _who: int, choice: int) -> None:
        if key := self._pick(choice, self._is_live):
            self.hub.change(*key)

    def delete(self, _who: int, choice: int) -> None:
        if key := self._pick(choice, self._is_live):
            self.hub.change(*key, is_deleted=True)

    def wait(self, _who: int, choice: int) -> None:
        self.hub.now += 60 << choice

    # On the phones

    def own_add(self, who: int, choice: int) -> None:
        self.phones[who].made[f"{self.hub.tick()}"] = NAMES[choice % 2]

    def own_edit(self, who: int, choice: int) -> None:
        phone = self.phones[who]
        if key := self._pick(choice, lambda key: key in phone.has):
            phone.edited.add(key)

    def own_delete(self, who: int, choice: int) -> None:
        """The hub never hears of it."""
        phone = self.phones[who]
        if key := self._pick(choice, lambda key: key in phone.has):
            phone.delete(key)
            phone.edited.discard(key)

    def refused_edit(self, who: int, choice: int) -> None:
        """An edit is not taken as it is: the phone is to get the hub's version."""
        phone = self.phones[who]
        key = self._pick(choice, lambda key: key in phone.has and self._is_live(key))
        asked = phone.cursor
        if key and self._pulled(phone) and key in phone.has:
            self.hub.force(*key, self.hub.pusher(asked))
            phone.has[key] = -1
            self._finished(phone)

    def sync(self, who: int, _choice: int) -> None:
        phone = self.phones[who]
        if self._pulled(phone):
            self._push(phone)
            self._finished(phone)

    def begin(self, who: int, _choice: int) -> None:
        """A sync comes to its push, and others come between."""
        self.crossed = True
        self._pulled(self.phones[who])

    def finish(self, who: int, _choice: int) -> None:
        phone = self.phones[who]
        if phone.sync:
            self._push(phone)
            self._finished(phone)

    def pull_lost(self, who: int, choice: int) -> None:
        self._pull(self.phones[who], choice)

    def push_lost(self, who: int, _choice: int) -> None:
        self._pulled(self.phones[who])
        self.phones[who].sync = None

    def push_answer_lost(self, who: int, _choice: int) -> None:
        phone = self.phones[who]
        waiting = dict(phone.made), set(phone.edited)
        if self._pulled(phone):
            self._push(phone)
        phone.made, phone.edited = waiting
        phone.sync = None

    def cut(self, who: int, choice: int) -> None:
        """The app is ended while it stores an answer."""
        phone = self.phones[who]
        answer = self._pull(phone, choice)
        phone.store(answer, most=choice % 3)

    def copy(self, who: int, _choice: int) -> None:
        """A backup of a phone is put onto another one, which goes on under its id."""
        if len(self.phones) < PHONES_MAX:
            self.phones.append(self.phones[who].copied())

    def back_up(self, who: int, _choice: int) -> None:
        self.backups[who] = self.phones[who].copied()

    def put_back(self, who: int, _choice: int) -> None:
        if who in self.backups:
            self.phones[who] = self.backups[who].copied()

    def empty(self, who: int, _choice: int) -> None:
        self.phones[who] = CrowdPhone()

    # In the end

    def settle(self) -> None:
        """Let all phones sync in turn until nothing comes any more, however late."""
        while self._comes_to_rest() and any(kept.suspects for kept in self.hub.ledgers.values()) and self.waits < WAITS:
            self.hub.now += 10**12  # suspects are due again
            self.waits += 1

    def _comes_to_rest(self) -> bool:
        idle = 0
        for _ in range(60 * len(self.phones)):
            idle = 0 if any(list(map(self._settled, self.phones))) else idle + 1
            if idle > IDLE:
                return True
        raise AssertionError("it never ends")

    def _settled(self, phone: CrowdPhone) -> bool:
        answer = self._pulled(phone)
        if answer:
            self._push(phone)
            self._finished(phone)
        return answer is None or bool(carried(answer))

    def missing(self) -> list[tuple[int, Key, int]]:
        """Return what a phone has otherwise than the hub."""
        wanted = {
            ((name, num), row.revision)
            for name in NAMES
            for num, row in self.hub.rows[name].items()
            if not row.is_deleted
        }
        return [
            (number, *each)
            for number, phone in enumerate(self.phones)
            for each in wanted ^ set(phone.has.items())
            if each[0] not in phone.deleted
        ]

    # A sync

    def _pull(self, phone: CrowdPhone, choice: int = 3) -> Answer:
        answer = self.hub.pull(phone.cursor, budget_bytes=(30, 60, 200, 10**6)[choice % 4])
        suspects = self.hub.kept.suspects
        lacking = {key for key in updated(answer) if key not in phone.has and key not in phone.deleted}
        if not self.crossed:
            assert not {key for key in lacking if SuspectRecord(*key) not in suspects}, (
                "updated, and the phone lacks it"
            )
        return answer

    def _pulled(self, phone: CrowdPhone) -> Answer | None:
        """Pull and store; the cursor moves at the end of a sync."""
        answer, asked = self._pull(phone), phone.cursor
        is_stored = phone.store(answer)
        phone.cursor = asked
        for name in [name for name in phone.made if name in self.born]:
            key = self.born[name]
            if key in told_deleted(answer):
                phone.deleted.add(key)
            if key in phone.has or key in phone.deleted:
                del phone.made[name]  # what comes from the hub under the same id is not pushed any more
        phone.sync = answer if is_stored else None
        self.failed += not is_stored
        return phone.sync

    def _push(self, phone: CrowdPhone) -> None:
        device = self.hub.pusher(phone.cursor)
        for name, table in phone.made.items():
            if name not in self.born:
                self.born[name] = (table, self.hub.add(table, CLINIC, device=device))
            self._take(phone, self.born[name], device, is_made=True)
        for key in sorted(phone.edited):
            self._take(phone, key, device, is_made=False)
        phone.made, phone.edited = {}, set()

    def _take(self, phone: CrowdPhone, key: Key, device: int, *, is_made: bool) -> None:
        """Take in what is pushed: what was made is the same however often it comes, and an edit another one."""
        row = self.hub.rows[key[0]][key[1]]
        if key in phone.deleted:
            return
        if row.is_deleted:
            phone.has.setdefault(key, row.revision)
        elif not is_made:
            if phone.has[key] == row.revision:
                self.hub.change(*key, device=device)
                phone.has[key] = self.hub.now
            else:
                self.hub.change(*key)  # merged with another one
        elif key not in phone.has:
            phone.has[key] = row.revision if row.device == row.origin else row.created

    def _finished(self, phone: CrowdPhone) -> None:
        if phone.sync:
            phone.cursor = phone.sync.timestamp
        phone.sync = None

    def _is_live(self, key: Key) -> bool:
        return not self.hub.rows[key[0]][key[1]].is_deleted

    def _pick(self, choice: int, wanted: Callable[[Key], bool]) -> Key | None:
        keys = [key for name in NAMES for num in self.hub.rows[name] if wanted(key := (name, num))]
        return keys[choice % len(keys)] if keys else None


def lived(taken: list[Step]) -> Crowd:
    crowd = Crowd()
    for step in taken:
        crowd.step(*step)
    return crowd


@drawn(100)
@given(steps(*WORK, *LOSSES, *OTHERS))
@example([("copy", 0, 0), ("begin", 1, 0), ("add", 0, 0)])  # an answer that nobody confirmed for long
@example(
    [("own_add", 0, 0), ("copy", 0, 0), ("sync", 1, 0), ("sync", 0, 0), ("sync", 1, 0)]
)  # both have the same to push
@example(
    [
        *[("sync", 0, 0), ("copy", 0, 0), ("own_add", 1, 0), ("sync", 0, 0), ("own_edit", 0, 0)],
        *[("push_answer_lost", 0, 0), ("sync", 1, 0), ("copy", 0, 0), ("sync", 1, 0), ("push_answer_lost", 2, 0)],
    ]
)
@example(
    [
        *[("sync", 0, 0), ("copy", 0, 0), ("own_add", 0, 0), ("begin", 0, 0), ("begin", 1, 0), ("finish", 0, 0)],
        *[("finish", 1, 0), ("sync", 1, 0), ("sync", 0, 0)],
    ]
)  # one pushed after the other's answer, which came first to the hub
@example(
    [
        *[("begin", 0, 0), ("own_add", 0, 0), ("copy", 0, 0), ("finish", 0, 0), ("begin", 1, 0), ("sync", 0, 0)],
        *[("own_edit", 1, 0), ("finish", 1, 0)],
    ]
)  # so it did, and the hub had not read that yet when both were told apart
@example(
    [("copy", 1, 0), ("begin", 1, 1), ("own_add", 1, 0), ("sync", 0, 1), ("finish", 1, 1), ("edit", 1, 0)]
)  # what one was given and did not confirm proves nothing of what the other pushed
@example([("sync", 0, 0), ("back_up", 0, 0), ("own_add", 0, 0), ("sync", 0, 0), ("put_back", 0, 0), ("edit", 0, 0)])
def test_p5_phones_under_one_id_all_have_everything_in_the_end(taken: list[Step]) -> None:
    crowd = lived(taken)
    crowd.settle()
    assert crowd.missing() == []
    assert crowd.failed == 0


@drawn(100)
@given(steps(*WORK, *LOSSES, *OTHERS, *RARE))
def test_p5_so_they_have_when_their_users_delete_and_databases_are_emptied(taken: list[Step]) -> None:
    crowd = lived(taken)
    crowd.settle()
    assert crowd.missing() == []


def test_p5_when_two_phones_show_what_was_pushed_since_they_were_one_is_due_and_in_doubt() -> None:
    """The row of 1 was pushed and absorbed, and changed by another one since; those of 2 and 3 were pushed just now."""
    had, pushed = Delivered(NO_RECORDS, None), FrozenBitMap([1])
    answers = [
        Delivery(10, 9, is_retry=False, tables={"visits": had}, after=5),
        Delivery(20, 19, is_retry=False, tables={"visits": had._replace(nums=pushed, gained=pushed)}, after=10),
    ]
    rows = {"visits": [ChangedRow(1, 21, 0, 0, 1), ChangedRow(2, 22, PHONE, 0, 2), ChangedRow(3, 23, 0, PHONE, 3)]}
    sheets = {"visits": Sheet(has=FrozenBitMap([1, 4]))}
    ledger = msgspec.structs.replace(ModelHub().stored(), head=Head(settled=10), sheets=sheets, newest=answers[1:])
    shared = past.shared(ledger, answers, 5, lambda _since: rows)
    assert shared.sheets["visits"] == Sheet(
        has=FrozenBitMap([4]), due=FrozenBitMap([1, 2, 3]), unsure=FrozenBitMap([1, 2, 3])
    )
    assert [each.tables["visits"].nums for each in shared.expected] == [NO_RECORDS]


@pytest.mark.parametrize(("cursor", "known"), [(10, [10]), (20, [10, 20]), (30, [10, 20, 30])])
def test_p5_a_phone_that_was_put_back_has_the_answers_up_to_its_cursor_and_no_other(
    cursor: float, known: list[int]
) -> None:
    answers = [Delivery(at, at - 1, is_retry=False, tables={}, after=at - 10) for at in (10, 20, 30)]
    point = past.find(answers, cursor)
    assert point is not None
    fork = past.rewound(ModelHub().stored(), answers, point, cursor).fork
    assert fork is not None
    assert [each.timestamp for each in fork.answers] == known


def test_p5_a_phone_that_was_put_back_has_what_it_had_in_the_versions_of_then() -> None:
    """What was noted before it left, or as it left, holds on; what was noted later says nothing of it."""
    at = [FrozenBitMap([num]) for num in range(3)]
    answer = Delivery(10, 7, is_retry=False, tables={"visits": Delivered(at[1], None)})
    outdated = {("visits", 6): at[0] | at[1], ("visits", 7): at[1] | at[2], ("visits", 8): at[0]}
    stored = msgspec.structs.replace(ModelHub().stored(), head=Head(revision=8, settled=10), outdated=outdated)
    begun = past.rewound(stored, [answer], past.Point(0, [answer], None), 0)
    assert begun.outdated == {("visits", 6): at[0], ("visits", 7): at[2]}
