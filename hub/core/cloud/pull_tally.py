"""Counts what became of a pull's rows."""

import msgspec


class PullTally(msgspec.Struct):
    """What became of a pull's rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    foreign: int = 0
    """Rows of patients that this hub does not have: not kept (R8)."""
    later: int = 0
    """Rows of a later app that only the cloud has: not kept."""
    refused: int = 0
    seen: int = 0
    """Records that were sent, and are in the cloud."""
    lost: int = 0
    """Records that the cloud had, and does not show any more: they are sent again."""
    restored: int = 0
    """Records that the cloud had lost, and has again."""
    moved_in: int = 0
    """Patients who came to the hub's clinics: their older records have to be asked for (CLOUD.md 2.2)."""

    def __add__(self, other: "PullTally") -> "PullTally":
        """Count two pulls of one cycle together."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        return PullTally(**counts)

    @property
    def changed(self) -> bool:
        """Whether it brought anything new."""
        return self != PullTally(unchanged=self.unchanged, foreign=self.foreign, later=self.later)
