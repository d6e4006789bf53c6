"""Where a copy may be kept: on a stick, or on another box; the writer knows no difference."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from hub.core.copy.chain import Span
from hub.core.copy.standing import Copy
from hub.services.copy.stick import Mark, Reach, StickPlace


class OpenJournal(Protocol):
    """A journal file that is being written; each call raises OSError where the place is away."""

    def add(self, span: Span, part: bytes, *, is_last: bool) -> None:
        """Write a part of an entry; it is there after ``flush``."""

    def flush(self) -> None:
        """Wait until all of it is there."""

    def close(self) -> None:
        """End it."""


class KeptCopy(Protocol):
    """The folder of one copy; each call raises OSError or OperatorError where it is away."""

    def look(self) -> None:
        """Raise OperatorError where it is not there any more."""

    def reach(self) -> Reach:
        """Return how far it can be rebuilt."""

    def base_age_s(self) -> float:
        """Return how old the newest whole backup is; infinite for none."""

    def begin_journal(self, recipient: bytes) -> OpenJournal:
        """Begin a new journal file."""

    def put_base(self, seq: int, pieces: Iterable[bytes]) -> int:
        """Keep a whole backup; returns its bytes."""

    def prune(self) -> None:
        """Remove what two newer backups made needless."""


class Place(Protocol):
    """A stick or a spare."""

    def epoch(self, hub_id: str) -> int:
        """Return the highest epoch in which the hub wrote there, -1 for none; raises where the place is away."""

    def open(self, mark: Mark) -> KeptCopy:
        """Return the copy with this mark; begins it where it is not there yet."""

    def close(self) -> None:
        """Let go of it, and of the copy that was opened."""


def of(copy: Copy) -> Place:
    """Return where a copy is kept."""
    if copy.spare is None:
        return StickPlace(Path(copy.folder))
    from hub.services.copy.spare import SparePlace  # noqa: PLC0415  only who keeps a copy there needs a client for it

    return SparePlace(copy.spare)
