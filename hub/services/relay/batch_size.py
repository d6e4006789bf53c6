"""Learns how much the line carries in one request, so that a request fits into its good moments (R6).

As TCP does it: little at first, twice as much after a success, half after a failure.
"""

FIRST_BYTES = 64 * 1024
"""Eight seconds at 64 kbit/s: a line that nothing is known of may be that slow and break at any moment."""
LEAST_BYTES = 16 * 1024
"""A line that cannot carry this is not helped by less."""


class BatchSize:
    """How large a request may be; ``size_bytes`` is to be kept for the next cycle."""

    def __init__(self, size_bytes: int, most_bytes: int) -> None:
        """Go on from a size of before, 0 for none; ``most_bytes`` is what the hub would send on any line."""
        self._most = most_bytes
        self.size_bytes = min(size_bytes or FIRST_BYTES, most_bytes)

    def carried(self, size_bytes: int) -> None:
        """Note that a request of this size got its answer."""
        self.size_bytes = max(self.size_bytes, min(2 * size_bytes, self._most))

    def broke(self, size_bytes: int) -> None:
        """Note that a request of this size got none, or was too large for someone on the way."""
        self.size_bytes = max(size_bytes // 2, LEAST_BYTES)
