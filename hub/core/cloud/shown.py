"""Which records a full pull showed: one bit each, so that the memory of a small hub does (R6, R9)."""

from collections.abc import Iterable
from datetime import datetime

WINDOW_SLACK_MS = 2 * 86_400_000
"""By so much the clocks of phones, by which records are dated here, may differ from the cloud's."""


class Shown:
    """The numbers of records that a pull showed, by table; and the oldest change among them.

    until_ms: up to when earlier pulls certainly showed everything, by the cloud's clock; 0 for none.
    """

    def __init__(self, until_ms: float = 0) -> None:
        self.until_ms = until_ms
        self.oldest = ""
        """ISO text of the cloud; '' while nothing was shown."""
        self._bits: dict[str, bytearray] = {}

    def add(self, table: str, nums: Iterable[int]) -> None:
        """Note records."""
        bits = self._bits.setdefault(table, bytearray())
        for num in nums:
            place = num >> 3
            if place >= len(bits):
                bits.extend(bytes(place + 1024 - len(bits)))
            bits[place] |= 1 << (num & 7)

    def has(self, table: str, num: int) -> bool:
        """Whether a record was shown."""
        bits = self._bits.get(table, b"")
        return num >> 3 < len(bits) and bool(bits[num >> 3] & 1 << (num & 7))

    def changed_at(self, times: Iterable[str]) -> None:
        """Note when rows last changed in the cloud: it may serve only so much history (CLOUD.md 2.4)."""
        self.oldest = min([*times, *([self.oldest] if self.oldest else [])], default="")

    def since_ms(self) -> float:
        """Return from when on the pull would have shown what the cloud has: its oldest row, with some slack."""
        try:
            return datetime.fromisoformat(self.oldest).timestamp() * 1000 - WINDOW_SLACK_MS
        except ValueError:
            return 0
