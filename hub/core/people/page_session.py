"""How long whoever signed in on the page stays signed in; times in ms of hub time."""

LONGEST_MS = 12 * 3_600_000
"""After a long day everybody signs in again."""
MOST = 200
_NOTED_MS = 20_000
"""How exactly it is noted when somebody was last there: exact enough for minutes, and sparing with the card."""


def is_over(issued: int, used: int, now_ms: int, *, idle_ms: int) -> bool:
    """Whether a session has ended: by itself, or because nobody was there for so long."""
    return now_ms - used >= idle_ms or now_ms - issued >= LONGEST_MS


def is_to_be_noted(used: int, now_ms: int) -> bool:
    """Whether it is worth a write that somebody is still there."""
    return now_ms - used >= _NOTED_MS
