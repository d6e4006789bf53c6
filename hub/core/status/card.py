"""In what shape the card was when the hub started."""

from enum import StrEnum


class CardShape(StrEnum):
    """What first boot made of the data partition, and the hub of its database."""

    SOUND = "sound"
    MENDED = "mended"
    """A full check was needed, and the hub's data is there."""
    FAILED = "failed"
    """It takes nothing in. Its data can be read; what is written stays in memory and is gone with the power."""
    PARTLY = "partly"
    """It takes nothing in: a part of the hub's data could not be read, and the rest is given to whoever asks."""
    GONE = "gone"
    """This card was a hub, and the hub's data cannot be found on it."""

    @property
    def keeps(self) -> bool:
        """Whether what is written to it stays."""
        return self in KEEPING


KEEPING = frozenset({CardShape.SOUND, CardShape.MENDED})
