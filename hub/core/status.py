"""Names the one state of the hub from its facts: what the page says, the lights show and scripts read (O2, O3)."""

from enum import Enum

import msgspec


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured; sizes in bytes, counts in records."""

    damage: tuple[str, ...] = ()
    writable: bool = True
    free_bytes: int = 0
    quarantined: int = 0
    waiting: int = 0
    records: int = 0
    devices: int = 0
    pairing_left_s: int = 0


class State(Enum):
    """The states, worst first: sentence and remedy."""

    DAMAGED = ("The memory of the hub is damaged.", "Stop using it and call your technician. Do not switch it off.")
    READ_ONLY = ("The hub cannot store anything.", "Call your technician; phones keep what they have.")
    DISK_LOW = ("The hub's memory is nearly full.", "Call your technician soon.")
    QUARANTINE = ("Some records could not be taken in.", "See 'hikma-hub quarantine list'.")
    WAITING = ("Everything entered is safe on this hub, and waits to be sent to the cloud.", "Nothing to do.")
    SAFE = ("Everything entered is safe on this hub.", "Nothing to do.")

    @property
    def sentence(self) -> str:
        """Give what it means."""
        return self.value[0]

    @property
    def remedy(self) -> str:
        """Give what to do."""
        return self.value[1]


FREE_BYTES_LOW = 200 * 1024 * 1024


def state(facts: Facts) -> State:
    """Name the state: the worst that is true."""
    if facts.damage:
        return State.DAMAGED
    if not facts.writable:
        return State.READ_ONLY
    if facts.free_bytes < FREE_BYTES_LOW:
        return State.DISK_LOW
    if facts.quarantined:
        return State.QUARANTINE
    return State.WAITING if facts.waiting else State.SAFE
