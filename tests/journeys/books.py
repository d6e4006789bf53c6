"""Keeps books on what the hub acknowledged, and says what it must therefore hold (P1 to P5).

Every value that is ever entered is a new one, so that a column's value tells which edit it is. An edit replaces
the values that its editor had seen, as far as the hub can know that: those that the phone confirmed by its cursor
or brought itself, and those that the record was made with. Such a value is dead: it must not come back.
"""

from collections import defaultdict
from typing import Any, NamedTuple, Protocol

import msgspec
from sqlite_utils import Database

from hub.core.records import blanked
from hub.core.records.tables import DELETES_WITH, TABLES
from hub.store.database import Store, hub_time
from hub.store.phones import ledger
from tests.journeys import schema
from tests.simulator.phone import Phone
from tests.simulator.rows import Value

TRACKED = {
    "patients": ("phone", "hometown", "camp"),
    "patient_additional_attributes": ("string_value",),
    "visits": ("provider_name",),
    "events": ("form_data", "event_type"),
    "patient_vitals": ("heart_rate", "bp_position"),
}
"""The columns that people edit."""

Place = tuple[str, str, str]
"""Table, id, column."""


class Row(NamedTuple):
    """A record as the hub holds it."""

    revision: int
    deleted: bool
    data: dict[str, Any]


class State(NamedTuple):
    """All that a push may change."""

    rows: dict[tuple[str, str], Row]
    outbox: list[tuple[Any, ...]]
    quarantined: list[str]
    now_ms: int

    def same(self, other: "State") -> bool:
        """Return whether nothing changed but the time."""
        return self[:3] == other[:3]


def state(store: Store) -> State:
    """Read everything in one view."""
    with store.read() as db:
        return State(
            {(table, record_id): row for table in TABLES for record_id, row in _rows(db, table)},
            db.execute("SELECT * FROM outbox").fetchall(),
            [row[0] for row in db.execute("SELECT record_id FROM quarantine")],
            hub_time(db),
        )


def _rows(db: Database, table: str) -> list[tuple[str, Row]]:
    return [
        (record_id, Row(revision, deleted is not None, msgspec.json.decode(data)))
        for record_id, revision, deleted, data in db.execute(
            f"SELECT id, local_server_last_modified, local_server_deleted_at, data FROM [{table}]"
        )
    ]


class Books:
    """What all phones together were told is safe."""

    def __init__(self) -> None:
        self.acknowledged: set[tuple[str, str]] = set()
        self.deleted: set[tuple[str, str]] = set()
        self.seen: dict[tuple[Place, Value], frozenset[Value]] = {}
        """Edit -> the values that its editor had seen in its place before."""
        self.made_with: dict[Place, Value] = {}
        self.accepted: defaultdict[Place, set[Value]] = defaultdict(set)
        self.dead: defaultdict[Place, set[Value]] = defaultdict(set)
        self.repeated_whole: defaultdict[Place, set[Value]] = defaultdict(set)
        """Values that a forced upload brought again: the newer whole record wins, whatever it holds (P3)."""
        self._tombstones: set[tuple[str, str]] = set()
        self._now_ms = 0

    def check(self, now: State) -> None:
        """Raise AssertionError unless the hub holds what it must."""
        assert now.now_ms >= self._now_ms, "hub time fell"
        self._now_ms = now.now_ms
        assert all(row.revision <= now.now_ms for row in now.rows.values()), "a revision lies in the future"
        lost = self.acknowledged - now.rows.keys() - {(t, i) for t, _ in self.acknowledged for i in now.quarantined}
        assert not lost, f"acknowledged and not there: {lost}"
        tombstones = {key for key, row in now.rows.items() if row.deleted}
        assert self._tombstones <= tombstones, f"revived: {self._tombstones - tombstones}"
        self._tombstones = tombstones
        alive = {key for key in self.deleted - tombstones if key[1] not in now.quarantined}
        assert not alive, f"deleted and still alive: {alive}"
        _check_children(now, tombstones)
        self._check_values(now)

    def _check_values(self, now: State) -> None:
        for place, accepted in self.accepted.items():
            table, record_id, column = place
            if record_id in now.quarantined:
                continue  # held for a person, by somebody who might not see the patient any more
            row = now.rows[table, record_id]
            value = row.data[column]
            if row.deleted:
                continue
            assert value in accepted, f"{place} holds {value!r}, which nobody pushed"
            dead = self.dead[place] - self.repeated_whole[place]
            assert value not in dead, f"{place} holds {value!r} again, which was replaced; pushed were {accepted}"


def _check_children(now: State, tombstones: set[tuple[str, str]]) -> None:
    for parent, pairs in DELETES_WITH.items():
        gone = {record_id for table, record_id in tombstones if table == parent}
        for child, cascade in pairs:
            orphans = [
                record_id
                for (table, record_id), row in now.rows.items()
                if table == child.name and not row.deleted and row.data[cascade.value] in gone
            ]
            assert not orphans, f"{child.name} {orphans} live on without their {parent}"


class StoreHolder(Protocol):
    """Whoever holds the hub's store, which is another one after a restart."""

    store: Store


class PhoneBook:
    """The page of one phone: what it showed, what the hub can know of that, and what it brought."""

    def __init__(self, books: Books, hub: StoreHolder, phone: Phone) -> None:
        self._books = books
        self._hub = hub
        self._phone = phone
        self.shown: defaultdict[Place, set[Value]] = defaultdict(set)
        self.unsent: set[tuple[Place, Value]] = set()
        """Edits made while a push was under way: the phone takes them for sent (PROTOCOL.md "Push")."""
        self.deleted_here: set[tuple[str, str]] = set()
        self._known: defaultdict[Place, set[Value]] = defaultdict(set)
        self._own: defaultdict[Place, set[Value]] = defaultdict(set)
        self._last: dict[tuple[str, str], Any] = {}
        self._confirming: tuple[float, dict[Place, Value]] | None = None
        self._arrived: set[tuple[str, str]] = set()
        self._blanked: set[tuple[str, str]] = set()
        self._held: set[tuple[str, str]] = set()
        """Records of which the hub must know that they are on the phone: made there, or confirmed by its cursor."""
        self._before: State | None = None
        self._after: State | None = None

    def emptied(self, *, same_device: bool) -> None:
        """Note that the phone's database is empty now."""
        self.shown.clear()
        self.unsent.clear()
        self.deleted_here.clear()
        self._known.clear()
        self._held.clear()
        self._confirming = None
        if not same_device:
            self._own.clear()
            self._last.clear()

    def look(self) -> None:
        """Note what the phone shows."""
        for place, value in self._showing().items():
            self.shown[place].add(value)

    def edited(self, table: str, record_id: str, column: str, value: Value) -> None:
        """Note an edit that is about to be made."""
        self.look()
        place = (table, record_id, column)
        self._books.seen[place, value] = frozenset(self.shown[place])

    def synced(self, *, in_order: bool) -> None:
        """Note that a sync ended well: the phone will come back with its new cursor.

        in_order: not if two answers arrived in another order than they were sent; nothing is claimed then.
        Who edits a row that was made blank has nothing of it before them, and replaces nothing knowingly.
        """
        for table, record_id in self._blanked:
            for column in TRACKED.get(table, ()):
                self.shown[table, record_id, column].clear()
        self.look()
        held = self._arrived | {place[:2] for place in self._known}
        showing = {place: value for place, value in self._showing().items() if place[:2] in held}
        self._confirming = (self._phone.cursor or 0, showing) if in_order else None

    # What the line sees

    def pulled(self, cursor: float, answer: dict[str, Any]) -> None:
        """Check an answer, and note what the cursor confirmed."""
        assert schema.faults(answer) == []
        if cursor and self._confirming and self._confirming[0] == cursor:
            for place, value in self._confirming[1].items():
                self._known[place].add(value)
                self._held.add(place[:2])
        else:
            self._known.clear()
            self._held.clear()
            self._confirming = None
        self._arrived = set()
        self._blanked = set()
        for table, lists in answer["changes"].items():
            self._check_names(table, lists)
            self._blanked |= {(table, record["id"]) for record in lists["updated"] if is_blank(table, record)}
            self._arrived |= {(table, record["id"]) for name in ("created", "updated") for record in lists[name]}

    def before_push(self, _data: dict[str, Any]) -> None:
        """Remember what the hub holds."""
        self._before = state(self._hub.store)

    def after_push(self, data: dict[str, Any], status: int) -> None:
        """Book what the hub acknowledged; check that it took all of it in at once, or none."""
        before, now = self._before, state(self._hub.store)
        self._after = now
        assert before is not None
        if status != 200:
            assert now.same(before), f"refused with {status}, and yet something changed"
            return
        changed = {row.revision for key, row in now.rows.items() if row != before.rows.get(key)}
        assert len(changed) <= 1, f"one push, several revisions: {changed}"
        assert all(revision > before.now_ms for revision in changed), "a revision does not rise"
        for table, lists in data["changes"].items():
            for record in (*lists["created"], *lists["updated"]):
                self._take(table, record, existed=(table, record["id"]) in before.rows)
            for gone in lists["deleted"]:
                record_id = gone["id"] if isinstance(gone, dict) else gone
                self._books.acknowledged.add((table, record_id))
                self._books.deleted.add((table, record_id))

    def repeated(self, status: int) -> None:
        """Check that a push that was sent again changed nothing (P2)."""
        assert status == 200
        assert self._after is not None
        assert state(self._hub.store).same(self._after), "a repeated push changed something"

    def _take(self, table: str, record: dict[str, Any], *, existed: bool) -> None:
        if TABLES[table].push.value == "reference":
            return
        key = (table, record["id"])
        self._books.acknowledged.add(key)
        if not existed:
            self._held.add(key)
        if record.get("is_deleted"):
            self._books.deleted.add(key)
        if self._last.get(key) == record:
            return
        self._last[key] = record
        changed = set(str(record["_changed"] or "").split(",")) - {""}
        for column in TRACKED.get(table, ()):
            place = (*key, column)
            if not existed or not changed or column in changed:
                self._take_value(place, record[column], existed=existed, whole=not changed)
            elif (place, record[column]) in self.unsent:  # it comes without its name, and may be told by its value
                self._take_value(place, record[column], existed=True, whole=True)

    def _take_value(self, place: Place, value: Value, *, existed: bool, whole: bool) -> None:
        books = self._books
        books.accepted[place].add(value)
        if not existed:
            books.made_with[place] = value
        elif whole:
            books.repeated_whole[place].add(value)
        else:
            knowable = self._known.get(place, set()) | self._own[place] | {books.made_with.get(place)}
            books.dead[place] |= (books.seen.get((place, value), frozenset()) & knowable) - {value}
        self._own[place].add(value)

    def _check_names(self, table: str, lists: dict[str, list[dict[str, Any]]]) -> None:
        here = self._phone.store.table(table)
        doubtful = doubts(self._hub.store, self._phone.client_id)
        # A blank row may be of what never came: it is skipped then, and nothing was to be seen.
        told = [record["id"] for record in lists["updated"] if not is_blank(table, record)]
        unknown = {(table, record_id) for record_id in told if record_id not in here} - doubtful
        assert not unknown, f"{unknown} would be skipped: the phone has no such row to update"
        created = {(table, record["id"]) for record in lists["created"]}
        blocked = {(t, i) for t, i in created if i in here and here[i]["_status"] == "deleted"} - self.deleted_here
        assert not blocked, f"{blocked} would block the phone for good"
        again = (created & self._held) - doubtful
        assert not again, f"{again} would block the phone for good, had its user deleted them there"

    def _showing(self) -> dict[Place, Value]:
        return {
            (table, str(row["id"]), column): row[column]
            for table, columns in TRACKED.items()
            for row in self._phone.store.rows(table)
            for column in columns
        }


def is_blank(table: str, record: dict[str, Any]) -> bool:
    """Return whether a row holds nothing, for its user may not see the record any more."""
    blank = blanked.text(TABLES[table], msgspec.json.encode({"id": record["id"]}))
    return record == msgspec.json.decode(blank, type=dict[str, Any])


_LEDGERS = """
SELECT num FROM devices WHERE client_id = :id
UNION ALL SELECT twins.num FROM twins JOIN devices ON devices.num = twins.device WHERE client_id = :id
"""


def doubts(store: Store, client_id: str) -> set[tuple[str, str]]:
    """Return the records of which the hub does not know whether the phone has them: suspects, and what is unsure."""
    with store.read() as db:
        rows = db.execute(
            f"SELECT table_name, num FROM doubts WHERE device IN ({_LEDGERS})", {"id": client_id}
        ).fetchall()
        sheets = db.execute(f"SELECT table_name, unsure FROM ledger WHERE device IN ({_LEDGERS})", {"id": client_id})
        rows += [(table, num) for table, unsure in sheets for num in ledger.unpack(unsure)]
        return {
            (table, db.execute(f"SELECT id FROM [{table}] WHERE num = ?", [num]).fetchone()[0]) for table, num in rows
        }
