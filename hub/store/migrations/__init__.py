"""The schema of the database: steps of frozen SQL, each applied once and never changed again.

A new step is a file ``NN_name.sql`` and its line in ``STEPS``. It only expands the schema: new tables, indexes and
triggers, new columns that may be null or have a default, and filling those columns. The previous release must still
serve and write the database, because an update may be rolled back; so what a step adds may be missing from rows that
the older program wrote since. A column to look records up by is therefore computed (see 04_lookups.sql).
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from sqlite_utils import Database, Migrations

from hub.store.migrations import old_ids, old_reasons


class Step(NamedTuple):
    """A step of the schema, by the name under which databases remember that it was applied."""

    name: str
    fill: Callable[[Database], None] | None = None
    """Fills new columns where SQL cannot; frozen like the text, so it imports nothing that may change."""


STEPS = (
    Step("records"),
    Step("hub"),
    Step("custody"),
    Step("lookups"),
    Step("patient_search"),
    Step("page"),
    Step("relay"),
    Step("reached"),
    Step("reasons", old_reasons.fill),
    Step("rights"),
    Step("phones"),
    Step("held"),
    Step("cloud_states"),
    Step("cloud_lost"),
    Step("counters"),
    Step("fleet"),
    Step("page_size"),
    Step("copy"),
    Step("doubt"),
    Step("quarantine_held"),
    Step("kurdish_search"),
    Step("set_aside"),
    Step("one_id", old_ids.fill),
    Step("twins"),
    Step("blanked"),
    Step("along"),
    Step("past"),
    Step("former_clinics"),
    Step("next_tables"),
    Step("outbox_counts"),
    Step("ended"),
    Step("dispensed_items"),
    Step("shared_ids"),
    Step("outbox_sent"),
    Step("search_later"),
)
_HERE = resources.files(__name__)


def schema(steps: Sequence[Step] = STEPS, folder: Traversable = _HERE) -> Migrations:
    """Return the steps, ready to be applied to a database in their order."""
    made = Migrations("hub")
    for number, step in enumerate(steps, 1):
        made(name=step.name)(_applier(folder / f"{number:02}_{step.name}.sql", step))
    return made


def statements(file: Traversable) -> Iterator[str]:
    """Read the statements of a step. Line breaks are for readers: SQLite would keep them in the schema."""
    statement = ""
    for line in file.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("--"):
            statement = f"{statement} {line.strip()}".lstrip()
            if sqlite3.complete_statement(statement):
                yield statement.removesuffix(";")
                statement = ""
    if statement:
        raise ValueError(f"{file.name}: no semicolon after {statement!r}")


def is_newer(db: Database) -> bool:
    """Whether a later release made this database: it has steps that this one does not know."""
    return not {step.name for step in migrations.applied(db)} <= {step.name for step in STEPS}


def _applier(file: Traversable, step: Step) -> Callable[[Database], None]:
    def apply(db: Database) -> None:
        for statement in statements(file):
            db.execute(statement)
        if step.fill:
            step.fill(db)

    return apply


migrations = schema()
