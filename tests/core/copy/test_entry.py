"""What an entry of a copy may hold, and what is none."""

import pytest

from hub.core.copy import entry
from hub.core.copy.entry import Part, Rows
from hub.core.errors import OperatorError


def test_a_part_reads_as_it_was_written() -> None:
    part = Part({"t": [("a", 1)]}, {"t": Rows(("id", "n"), [("a", 2.5)])}, {"hub.toml": b"x"})
    assert entry.decode(entry.encode(part)) == part


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xc1", b"\x93\x81\xa4\xff\xff\xff\xff\x90\x80\x80", b"\x91\x81\xa1t\x91" + b"\x91" * 100_000, b"\x91\xdf"],
    ids=["nothing", "no message", "a name that is no text", "lists without end", "cut off"],
)
def test_what_no_hub_wrote_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(OperatorError, match="newer hub"):
        entry.decode(raw)
