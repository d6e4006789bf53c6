"""Decides when the next request to the cloud may go: it counts 60 a minute for a whole address (CLOUD.md 2.4)."""

import msgspec

WINDOW_MS = 60_000


class RequestLog(msgspec.Struct, frozen=True):
    """The requests of the last minute; times are of the monotonic clock of one boot, in ms."""

    boot: str
    noted_ms: int = 0
    """When this was written."""
    sent_ms: tuple[int, ...] = ()
    hold_until_ms: int = 0
    """Until when the cloud asked for silence."""

    def resumed(self, boot: str, now_ms: int) -> "RequestLog":
        """Return the log as it counts now.

        Nobody knows how long the hub was off: after a restart of the machine all that was sent, and all that the cloud
        asked to wait, counts from the new start on.
        """
        if self.boot == boot:
            sent = tuple(min(at_ms, now_ms) for at_ms in self.sent_ms if at_ms > now_ms - WINDOW_MS)
            return RequestLog(boot, now_ms, sent, self.hold_until_ms)
        sent = (0,) * len(self.sent_ms) if now_ms < WINDOW_MS else ()
        return RequestLog(boot, now_ms, sent, max(0, self.hold_until_ms - self.noted_ms))

    def room_in_ms(self, per_minute: int) -> int:
        """Return in how long ``per_minute`` allows one more; 0 for now."""
        if len(self.sent_ms) < per_minute:
            return 0
        return max(0, self.sent_ms[-per_minute] + WINDOW_MS - self.noted_ms)

    def hold_ms(self) -> int:
        """Return for how much longer the cloud asked for silence."""
        return max(0, self.hold_until_ms - self.noted_ms)

    def sent(self) -> "RequestLog":
        """Return the log with a request that goes now."""
        return msgspec.structs.replace(self, sent_ms=(*self.sent_ms, self.noted_ms))

    def held(self, wait_ms: int) -> "RequestLog":
        """Return the log with a wait that the cloud asked for now."""
        return msgspec.structs.replace(self, hold_until_ms=self.noted_ms + wait_ms)
