"""Says in every language why a record was not accepted, waits, or is on hold."""

from collections.abc import Iterator

from hub.core import reasons
from hub.core.reasons import Code, Reason
from hub.words import Words


def said(words: Words, reason: Reason) -> str:
    """Write a reason in a language."""
    return reasons.said(reason, words.say, words.number)


def messages() -> Iterator[str]:
    """Return every text that a reason can be made of."""
    yield from (code.sentence for code in Code)
    yield from reasons.FORMS.values()
    yield from reasons.PERMISSIONS.values()
    yield from reasons.CALENDARS.values()
    yield reasons.ALTERNATIVES
