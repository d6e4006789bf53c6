"""Journal files open with the one key, whole and in their places, as far as they were written."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.copy.chain import Span
from hub.core.copy.frames import JournalFile, JournalSealer
from hub.core.encrypted_stream import recipient
from hub.core.encrypted_stream.chunks import PieceReader
from hub.core.errors import OperatorError
from tests.draws import drawn

PRIVATE = bytes(range(32))
PUBLIC = recipient.public_key(PRIVATE)


def written(*parts: bytes, number: int = 1) -> bytes:
    sealer = JournalSealer(number, PUBLIC)
    frames = [sealer.seal(Span(place, place), part, is_last=True) for place, part in enumerate(parts, 1)]
    return sealer.header + b"".join(frames)


def opened(data: bytes, private: bytes = PRIVATE) -> list[bytes]:
    journal = JournalFile(PieceReader([data]))
    opener = journal.opener(private)
    return [opener.open(frame) for frame in journal.frames()]


@drawn(30)
@given(st.lists(st.binary(max_size=200), max_size=5), st.data())
def test_a_file_opens_as_far_as_it_was_written(parts: list[bytes], data: st.DataObject) -> None:
    whole = written(*parts)
    assert opened(whole) == parts
    cut = data.draw(st.integers(len(written()), len(whole)))
    found = opened(whole[:cut])
    assert found == parts[: len(found)]


@drawn(50)
@given(st.data())
def test_a_changed_byte_is_seen(data: st.DataObject) -> None:
    whole = bytearray(written(b"one", b"two", b"three"))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    journal = JournalFile(PieceReader([bytes(whole)]))
    try:
        opener = None if journal.is_torn else journal.opener(PRIVATE)
        found = [opener.open(frame) for frame in journal.frames()] if opener else []
    except OperatorError:
        return
    assert journal.is_torn
    assert found == [b"one", b"two", b"three"][: len(found)]


def test_a_size_that_no_frame_has_is_damage_and_is_not_read() -> None:
    head = struct.pack(">QQBI", 1, 1, 1, 2**32 - 1)
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        yield written() + head
        while True:
            read.append(1)
            yield bytes(1024 * 1024)

    journal = JournalFile(PieceReader(endless()))
    assert list(journal.frames()) == []
    assert journal.is_torn
    assert not read


def test_a_frame_of_another_file_does_not_open() -> None:
    size = len(written())
    with pytest.raises(OperatorError, match="changed after it was written"):
        opened(written(b"one")[:size] + written(b"one", number=2)[size:])


def test_a_frame_in_the_place_of_another_does_not_open() -> None:
    start, end = len(written()), len(written(b"one"))
    whole = written(b"one", b"two")
    with pytest.raises(OperatorError, match="changed after it was written"):
        opened(whole[:start] + whole[end:])


def test_the_wrong_passphrase_opens_nothing() -> None:
    with pytest.raises(OperatorError, match="passphrase is wrong"):
        opened(written(b"one"), bytes(32))


def test_what_was_entered_is_not_in_the_file() -> None:
    assert b"a patient's name" not in written(b"a patient's name")
