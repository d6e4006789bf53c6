"""What this hub knows about itself: one value a key, for any process of it to read and change.

Numbers, texts and bytes are stored as they are, structs as JSON.
"""

from typing import Generic, TypeVar

import msgspec

from hub.core.copy.standing import Copy, CopyState
from hub.core.fleet.reporting import Told
from hub.store.database import Transaction, View

T = TypeVar("T")


class Key(msgspec.Struct, Generic[T], frozen=True):
    """A name in table ``hub``, and the type of what stands under it."""

    name: str
    type: type[T]


class Listening(msgspec.Struct, frozen=True):
    """An address of this machine, or 0.0.0.0 for all, and a TCP port."""

    host: str
    port: int


class Other(msgspec.Struct, frozen=True):
    """Another hub on the network, as it describes itself."""

    id: str
    name: str
    url: str


class Announced(msgspec.Struct, frozen=True):
    """``host`` is the name that was free, such as hikma-hub-2.local, when ``wanted`` was asked for."""

    wanted: str
    host: str
    others: tuple[Other, ...] = ()
    rivals: tuple[str, ...] = ()
    """Addresses of machines that go by ``wanted`` too."""


HUB_ID = Key("id", str)
PRIVATE_KEY = Key("private_key", bytes)
NAME = Key("name", str)
"""Given on the page; without it the hub has the name of its settings."""
SETUP_CODE = Key("setup_code", str)
SETUP_STEP = Key("setup_step", str)
"""Where the setup was left after its administrator was added; nothing once it is over."""
LISTENING = Key("listening", Listening)
ANNOUNCED = Key("announced", Announced)
PAIRING_UNTIL = Key("pairing_until", int)
LOCATING_UNTIL = Key("locating_until", int)
"""Hub times in ms."""
COPY = Key("copy", Copy)
COPY_STATE = Key("copy_state", CopyState)
BACKED_UP = Key("backed_up", int)
"""Hub time at which the last backup was whole."""
EPOCH = Key("epoch", int)
"""How often this hub was restored: of two boxes that are the same hub, the one with the lower number has died."""
REPLACED = Key("replaced", int)
"""1: another box is this hub now."""
PARTLY = Key("partly", int)
"""1: a part of the data could not be read, and was left out; until the hub is made anew of a backup or a copy."""
NOT_SERVING = Key("not_serving", int)
"""1: phones are refused until somebody lets them in again, or the hub starts."""
LAST_DEVICE = Key("devices", int)
"""The highest number that a device ever had."""
COUNTED_RUN = Key("counted_run", int)
"""Hub time at which the run of the machine began that was counted last."""
TOLD = Key("told", Told)
"""How far the fleet server is told of this hub."""


def get(db: View, key: Key[T]) -> T | None:
    """Return what stands under a key; None for nothing."""
    row = db.execute("SELECT value FROM hub WHERE key = ?", [key.name]).fetchone()
    if row is None:
        return None
    return msgspec.json.decode(row[0], type=key.type) if _is_struct(key) else key.type(row[0])  # type: ignore[call-arg]


def put(tx: Transaction, key: Key[T], value: T) -> None:
    """Set what stands under a key."""
    kept = msgspec.json.encode(value).decode() if _is_struct(key) else value
    tx.db.execute("INSERT OR REPLACE INTO hub (key, value) VALUES (?, ?)", [key.name, kept])


def forget(tx: Transaction, key: Key[T]) -> None:
    """Leave nothing under a key."""
    tx.db.execute("DELETE FROM hub WHERE key = ?", [key.name])


def left_s(db: View, until: Key[int], now_ms: int) -> int:
    """Return how many seconds are left until the time under a key, rounded up; 0 when it is over or not set."""
    return max(0, -(-((get(db, until) or 0) - now_ms) // 1000))


def _is_struct(key: Key[T]) -> bool:
    return issubclass(key.type, msgspec.Struct)
