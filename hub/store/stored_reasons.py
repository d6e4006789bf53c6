"""Reads the reason that a row holds twice: as a code, and as the sentence that older programs write and read."""

from hub.core import reasons
from hub.core.reasons import Reason
from hub.store.migrations import old_reasons


def read(table_name: str, why: str | None, sentence: str) -> Reason:
    """Return a row's reason; ``why`` is missing where an older program wrote it after an update was rolled back."""
    return reasons.from_json(why or old_reasons.why(table_name, sentence), sentence)
