"""Says in every language why an update is not installed, and what became of one."""

from collections.abc import Iterator
from typing import Final

from hub.core.errors import UpdateRefused
from hub.core.update.refusal import Refusal
from hub.core.update.trial import Need
from hub.words import Words

INSTALLED: Final = "The update to version {version} is installed and has not been tried yet."
TRYING: Final = "The update to version {version} is being tested. It is kept if all goes well for ten minutes at most."
KEPT: Final = "The hub was updated from version {before} to version {version}."
DID_NOT_START: Final = "The update to version {version} did not start. The hub has gone back to version {before}."
NOT_WELL: Final = "The update to version {version} was not well. The hub has gone back to version {before}."

TAKEN_BACK: Final = "The hub was taken back from version {version} to version {before}."


def refused(words: Words, error: UpdateRefused) -> str:
    """Say why an update is not installed."""
    return words.say(error.refusal.sentence, **error.values)


def messages() -> Iterator[str]:
    """Return every text that is said."""
    yield from (refusal.sentence for refusal in Refusal)
    yield from (need.value for need in Need)
    yield from (INSTALLED, TRYING, KEPT, DID_NOT_START, NOT_WELL, TAKEN_BACK)
