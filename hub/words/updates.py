"""Says in every language why an update is not installed, and what became of one."""

from collections.abc import Iterator
from typing import Final

from hub.core.errors import UpdateRefused
from hub.core.update.last import Fate, LastUpdate
from hub.core.update.refusal import Refusal
from hub.core.update.trial import Need
from hub.core.update.wishes import Found, Source
from hub.words import Words

INSTALLED: Final = "The update to version {version} is installed and has not been tried yet."
TRYING: Final = "The update to version {version} is being tested. It is kept if all goes well for ten minutes at most."
KEPT: Final = "The hub was updated from version {before} to version {version}."
DID_NOT_START: Final = "The update to version {version} did not start. The hub has gone back to version {before}."
NOT_WELL: Final = "The update to version {version} was not well. The hub has gone back to version {before}."

TAKEN_BACK: Final = "The hub was taken back from version {version} to version {before}."


THERE: Final = {
    Source.STICK: "An update to version {version} is on the stick: install it.",
    Source.UPLOAD: "An update to version {version} was sent to the hub: install it.",
    Source.ADDRESS: "An update to version {version} is at the organisation's address: install it.",
}


def refused(words: Words, error: UpdateRefused) -> str:
    """Say why an update is not installed."""
    return words.say(error.refusal.sentence, **error.values)


def found(words: Words, found: Found) -> str:
    """Say which update is there, or why what is there is none for this hub."""
    if found.refused:
        refusal = found.refusal
        return words.say(refusal.sentence, **found.values) if refusal else ""
    return words.say(THERE[found.source], version=found.version or "?")


def became(words: Words, last: LastUpdate) -> str:
    """Say what became of the last update."""
    text = {
        Fate.INSTALLED: INSTALLED,
        Fate.TRYING: TRYING,
        Fate.KEPT: KEPT,
        Fate.TAKEN_BACK: TAKEN_BACK,
        Fate.RETURNED: NOT_WELL if last.missing else DID_NOT_START,
    }[last.fate]
    told = words.say(text, version=last.version, before=last.before)
    return " ".join([told, *(words.say(need.value) for need in last.needs)])


def messages() -> Iterator[str]:
    """Return every text that is said."""
    yield from (refusal.sentence for refusal in Refusal)
    yield from (need.value for need in Need)
    yield from (INSTALLED, TRYING, KEPT, DID_NOT_START, NOT_WELL, TAKEN_BACK)
    yield from THERE.values()
