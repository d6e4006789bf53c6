"""The ring of samples of the hub's health, oldest first."""

import msgspec
from sqlite_utils import Database

from hub.core.fleet.health import Health
from hub.core.fleet.sample_time import ClockQuality, Moment, Placed
from hub.store.database import Transaction

_COLUMNS = "num, at, run, said, clock, time, data"


class Sample(msgspec.Struct, frozen=True):
    """A sample as it is kept; ``time_ms`` is the true time that it was given, None before it was first sent."""

    num: int
    moment: Moment
    time_ms: int | None
    health: Health

    @property
    def placed(self) -> Placed | None:
        """Return the time that it was given, if it was."""
        return None if self.time_ms is None else Placed(self.moment.at_ms, self.time_ms, self.moment.clock)


def add(tx: Transaction, moment: Moment, health: Health, *, kept: int, told: int) -> int:
    """Keep a sample, and of all the newest ``kept``; returns how many were dropped that nobody had.

    told: the newest that the fleet server has. It stays whatever its age: the next one tells what is over since.
    """
    data = msgspec.json.encode(health).decode()
    num = tx.db.execute(
        "INSERT INTO samples (at, run, said, clock, data) VALUES (?, ?, ?, ?, ?)",
        [moment.at_ms, moment.run_ms, moment.said_ms, moment.clock, data],
    ).lastrowid
    old = [(num or 0) - kept, told]
    lost = tx.db.execute("SELECT count(*) FROM samples WHERE num <= ? AND num > ?", old).fetchone()[0]
    tx.db.execute("DELETE FROM samples WHERE num <= ? AND num <> ?", old)
    return int(lost)


def newest(db: Database) -> tuple[int, int | None]:
    """Return the newest sample's number and hub time; 0 and None where there is none."""
    row = db.execute("SELECT num, at FROM samples ORDER BY num DESC LIMIT 1").fetchone()
    return (int(row[0]), int(row[1])) if row else (0, None)


def count(db: Database) -> int:
    """Count those that are kept."""
    return int(db.execute("SELECT count(*) FROM samples").fetchone()[0])


def after(db: Database, num: int, limit: int = -1) -> list[Sample]:
    """Return the samples after a number, at most ``limit``."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM samples WHERE num > ? ORDER BY num LIMIT ?", [num, limit])
    return [_sample(*row) for row in rows]


def before(db: Database, num: int) -> Sample | None:
    """Return the newest sample up to a number."""
    row = db.execute(f"SELECT {_COLUMNS} FROM samples WHERE num <= ? ORDER BY num DESC LIMIT 1", [num]).fetchone()
    return _sample(*row) if row else None


def moments(db: Database) -> list[tuple[int, Moment]]:
    """Return number and moment of those that were given no time yet."""
    rows = db.execute("SELECT num, at, run, said, clock FROM samples WHERE time IS NULL ORDER BY num")
    return [(num, Moment(at, run, said, ClockQuality(clock))) for num, at, run, said, clock in rows]


def newest_placed(db: Database) -> Placed | None:
    """Return the newest sample that was given a time."""
    row = db.execute(f"SELECT {_COLUMNS} FROM samples WHERE time IS NOT NULL ORDER BY num DESC LIMIT 1").fetchone()
    return _sample(*row).placed if row else None


def place(tx: Transaction, num: int, placed: Placed) -> None:
    """Keep the time that a sample was given: whoever asks again gets the same."""
    tx.db.execute("UPDATE samples SET time = ?, clock = ? WHERE num = ?", [placed.true_ms, placed.clock, num])


def _sample(num: int, at: int, run: int, said: int | None, clock: str, time: int | None, data: str) -> Sample:
    moment = Moment(at, run, said, ClockQuality(clock))
    return Sample(num, moment, time, msgspec.json.decode(data, type=Health))
