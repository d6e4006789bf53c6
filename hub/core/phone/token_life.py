"""How long a sign-in on a phone lasts: so many days after its last use, and never longer than a bound on the whole."""

import msgspec

DAY_MS = 86_400_000


class TokenLife(msgspec.Struct, frozen=True):
    """Days after the last use, and days in all; the whole is never shorter than one life without use."""

    days: int
    days_max: int

    def ends_ms(self, issued_ms: int, now_ms: int) -> int:
        """When a sign-in ends that is used now."""
        return min(now_ms + self.days * DAY_MS, issued_ms + max(self.days, self.days_max) * DAY_MS)

    def renewed_ms(self, issued_ms: int, ends_ms: int, now_ms: int) -> int | None:
        """Return when a sign-in ends that is used now; None where it gains less than a day, to spare the card."""
        wanted_ms = self.ends_ms(issued_ms, now_ms)
        return wanted_ms if wanted_ms - ends_ms >= DAY_MS else None
