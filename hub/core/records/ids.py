"""Brings ids into one form: what PostgreSQL takes for one uuid is one record, however it was written (S5, CLOUD.md 7).

Ids that are no uuids stay as they are.
"""

import re

NIL = "00000000-0000-0000-0000-000000000000"
"""Names nobody: the cloud refuses it, or stores nothing."""

_USUAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ANY_FORM = re.compile(r"(?:urn:uuid:)?(\{?)([0-9a-f]{4}(?:-?[0-9a-f]{4}){7})(\}?)", re.ASCII | re.IGNORECASE)
_MARKS = dict.fromkeys((0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF))
"""Marks of direction and width, which copying brings along and nobody sees."""
_LONGEST = 64


def canonical(text: str) -> str:
    """Return a uuid in lower case, with dashes and without braces; the very same text where it is none."""
    if _USUAL.fullmatch(text) or len(text) > _LONGEST:
        return text
    found = _ANY_FORM.fullmatch(text.translate(_MARKS).strip())
    if found is None or bool(found[1]) != bool(found[3]):
        return text
    digits = found[2].replace("-", "").lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_nobody(text: str) -> bool:
    """Whether an id, in whatever form, names nobody."""
    return canonical(text) == NIL


def is_uuid(text: object) -> bool:
    """Whether a text is a uuid in its usual form."""
    return isinstance(text, str) and _USUAL.fullmatch(text) is not None
