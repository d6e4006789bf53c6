"""Decides whether a phone finds room in the quarantine: one that fills it keeps no other one waiting (P7, S10)."""

import msgspec

BYTES = 512 * 1024 * 1024
"""Of all entries together: eight of the largest pushes."""


class Held(msgspec.Struct, frozen=True):
    """How much is held."""

    records: int = 0
    bytes: int = 0


def has_room(own: Held, total: Held, size: int, *, records_max: int) -> bool:
    """Return whether a phone that has ``own`` of ``total`` may add an entry of ``size`` bytes.

    It leaves others as much as it has itself: one phone takes half, and who comes after nine such ones finds a tenth.
    """
    return own.records + total.records < records_max and own.bytes + total.bytes + size <= BYTES
