"""The facts of which the state of the hub is named, as they are measured (O2, O3)."""

from enum import StrEnum

import msgspec

from hub.core.status.card import CardShape

FREE_BYTES_LOW = 200 * 1024 * 1024
FREE_BYTES_FULL = 32 * 1024 * 1024
"""With less, what phones send is refused: they keep it, and what is here needs room to be sent on (R10)."""
FREE_BYTES_SPENT = FREE_BYTES_FULL // 2
"""With less, what the cloud sends is left there too."""
HOT_C = 80.0
"""A Pi slows itself down from here."""


class Trouble(StrEnum):
    """Why the last attempt at the cloud failed, by who must act."""

    LINE = "line"
    """No internet connection: nothing answers."""
    KEY = "key"
    """The cloud refuses this hub's key."""
    PAUSED = "paused"
    """The organisation suspended this hub."""
    NO_CLINIC = "no_clinic"
    """The organisation assigned no clinic."""
    CLOUD = "cloud"
    """It answers, but not as it should."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured; sizes in bytes, counts in records, ages in seconds."""

    answering: bool = True
    """False where status.json is missing or old: the hub has crashed or hangs."""
    ready: bool = True
    damage: tuple[str, ...] = ()
    card: CardShape = CardShape.SOUND
    writable: bool = True
    free_bytes: int = 0
    full: bool = False
    """What phones send does not fit on the storage any more."""
    quarantined: int = 0
    over_prescribed: int = 0
    """Prescribed drugs of which more was handed out than was prescribed."""
    over_stock: int = 0
    """Batches of which more was handed out than was in stock."""
    records: int = 0
    patients: int = 0
    visits: int = 0
    completed_forms: int = 0
    devices: int = 0
    devices_today: int = 0
    """Phones that synced within a day of hub time."""
    synced_ago_s: int | None = None
    """Since the last sync of any phone; None when none has synced yet."""
    syncing: int = 0
    """Phones that synced within the last seconds."""
    turned_away: int = 0
    """Phones whose last push was refused, for want of room here or because it was too large."""
    pairing_left_s: int = 0
    locating_left_s: int = 0
    rivals: tuple[str, ...] = ()
    """Addresses of machines on the network that claim the hub's name."""

    cloud: bool = False
    """Whether a cloud is connected; what follows means something only then."""
    waiting: int = 0
    waiting_s: int = 0
    """Age of the record that has waited longest."""
    unproven: int = 0
    """Sent, and not yet seen in the cloud."""
    held: int = 0
    """On hold: the cloud does not accept them, or does not keep what it accepted."""
    lost: int = 0
    """The cloud had lost them within the last week, and has them again."""
    later: int = 0
    """Records of a later app that only the cloud has."""
    relaying: bool = False
    relayed_ago_s: int | None = None
    trouble: Trouble | None = None

    copies: int | None = None
    """On how many media everything is that was acknowledged; None where no copy is kept."""
    backed_up_s: int | None = None
    """Since the last backup; None when none was made."""
    stopped: bool = False
    """Somebody stopped syncing with phones for a while."""
    replaced: bool = False
    """Another box is this hub now."""
    power_weak: bool = False
    clock_wrong: bool = False
    temperature_c: float | None = None


def is_full(free_bytes: int, turned_away: int) -> bool:
    """Whether what phones send does not fit on the storage any more."""
    return free_bytes < (FREE_BYTES_LOW if turned_away else FREE_BYTES_FULL)
