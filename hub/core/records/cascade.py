"""Plans what a deletion takes along: with a patient or a visit go the records that name it (P4, CLOUD.md 4.6)."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from hub.core.records.table import Cascade, Table
from hub.core.records.tables import DELETES_WITH

LiveChildren = Callable[[Table, Cascade, Sequence[str]], Iterable[tuple[int, str]]]
"""Looks up the live records of a table whose column names one of these parents: their numbers and ids."""


class Tombstones(NamedTuple):
    """Records of one table that are to be deleted."""

    table: Table
    nums: list[int]


def plan(parent: Table, record_id: str, live_children: LiveChildren) -> list[Tombstones]:
    """Name the records that go with a deleted one, each named once, the deleted one itself not among them.

    With a patient go the visits, and with these also what names another patient by mistake.
    """
    found: dict[str, Tombstones] = {}
    seen: set[tuple[str, int]] = set()
    parents: list[tuple[Table, list[str]]] = [(parent, [record_id])]
    for table, ids in parents:  # grows while it is walked
        for child, column in DELETES_WITH.get(table.name, ()):
            new = [row for row in live_children(child, column, ids) if (child.name, row[0]) not in seen]
            if not new:
                continue
            seen.update((child.name, num) for num, _ in new)
            found.setdefault(child.name, Tombstones(child, [])).nums.extend(num for num, _ in new)
            parents.append((child, [child_id for _, child_id in new]))
    return list(found.values())
