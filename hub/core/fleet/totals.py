"""Names what a hub counts over its whole life."""

from enum import StrEnum

from hub.core.cloud.cycle_outcome import Outcome


class Total(StrEnum):
    """What is counted; it only ever rises."""

    PAGES = "pages"
    """Answers to pulls that carried something."""
    PUSHES = "pushes"
    BOOTS = "boots"
    """Starts of the machine."""
    STARTS = "starts"
    """Starts of the hub's program, those after a crash too."""
    SAMPLES_LOST = "samples_lost"
    """Samples that made room for newer ones before anybody had them."""


_RELAYS = "relays."


def relays(outcome: str) -> str:
    """Return the name under which cycles that ended so are counted."""
    return f"{_RELAYS}{outcome}"


def is_known(name: str) -> bool:
    """Whether a name is one of ours; another may be free text."""
    return name in {str(total) for total in Total} or outcome_of(name) is not None


def outcome_of(name: str) -> str | None:
    """Return the word of the outcome that a name counts; None for another total, and for one of a newer program."""
    word = name.removeprefix(_RELAYS)
    return word if word != name and word in {known.word for known in Outcome} else None
