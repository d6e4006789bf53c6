"""Streams that are locked with a passphrase."""

import tracemalloc

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core import encrypted_stream
from hub.core.encrypted_stream import CHUNK_BYTES
from hub.core.errors import OperatorError

SECRET = "four words are enough"
PLAIN = bytes(range(256)) * 700  # 179,200 bytes: two whole chunks and a part
HEADER_BYTES, SEALED_BYTES = 36, CHUNK_BYTES + 16


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess cost nothing."""
    monkeypatch.setattr(encrypted_stream, "_COST", 4)


def locked(plain: bytes = PLAIN) -> bytes:
    return b"".join(encrypted_stream.lock(SECRET, [plain]))


def unlocked(data: bytes, secret: str = SECRET) -> bytes:
    return b"".join(encrypted_stream.unlock(secret, [data]))


def chunks(data: bytes) -> tuple[bytes, list[bytes]]:
    body = data[HEADER_BYTES:]
    return data[:HEADER_BYTES], [body[at : at + SEALED_BYTES] for at in range(0, len(body), SEALED_BYTES)]


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=4), step=st.integers(1, 200_000))
def test_what_was_locked_opens_however_it_is_cut_into_pieces(sizes: list[int], step: int) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    data = b"".join(encrypted_stream.lock(SECRET, pieces))
    again = encrypted_stream.unlock(SECRET, (data[at : at + step] for at in range(0, len(data), step)))
    assert b"".join(again) == b"".join(pieces)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_sizes_around_a_chunk_open(size: int) -> None:
    assert unlocked(locked(bytes(size))) == bytes(size)


def test_the_bytes_are_those_that_the_document_says() -> None:
    data = locked(b"hello")
    assert data.startswith(b"hikma-hub-backup 1\n\x04")
    header, [chunk] = chunks(data)
    key = Scrypt(salt=header[20:], length=32, n=16, r=8, p=1).derive(SECRET.encode())
    assert AESGCM(key).decrypt(bytes(11) + b"\x01", chunk, header) == b"hello"


def test_two_locks_of_the_same_have_nothing_in_common_but_the_name() -> None:
    one, other = locked(), locked()
    assert one[20:] != other[20:]
    assert chunks(one)[1][0] != chunks(other)[1][0]


def test_the_wrong_passphrase_opens_nothing() -> None:
    with pytest.raises(OperatorError, match="passphrase is wrong"):
        unlocked(locked(), "four words are enougH")


@pytest.mark.parametrize("keep", [0, 10, 35])
def test_what_is_no_backup_is_said_to_be_none(keep: int) -> None:
    with pytest.raises(OperatorError, match="not a backup"):
        unlocked(locked()[:keep])
    with pytest.raises(OperatorError, match="not a backup"):
        unlocked(b"PK\x03\x04" * 100)


@pytest.mark.parametrize("cost", [0, 19, 31])
def test_a_header_that_asks_for_all_memory_or_for_none_is_refused(cost: int) -> None:
    with pytest.raises(OperatorError, match="newer one"):
        unlocked(locked().replace(b"\n\x04", b"\n" + bytes([cost]), 1))


@pytest.mark.parametrize("cut", [36, 40, 36 + SEALED_BYTES, 36 + SEALED_BYTES + 5, -1, -17])
def test_a_stream_that_was_cut_off_does_not_open_as_a_shorter_one(cut: int) -> None:
    with pytest.raises(OperatorError):
        unlocked(locked()[:cut])


def test_chunks_cannot_be_left_out_swapped_doubled_or_added() -> None:
    header, [one, two, last] = chunks(locked())
    for order in ([two, one, last], [one, last], [one, one, two, last], [one, two, last, last], [one, two]):
        with pytest.raises(OperatorError, match="damaged"):
            unlocked(header + b"".join(order))


@settings(max_examples=60)
@given(at=st.integers(0, 179_000), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(at: int, bit: int) -> None:
    data = bytearray(locked())
    data[at] ^= 1 << bit
    if data[len(b"hikma-hub-backup 1\n")] not in {4, 5, 6, 0, 12, 20}:  # do not wait for a costly key
        return
    with pytest.raises(OperatorError):
        unlocked(bytes(data))


def test_nothing_of_a_chunk_is_given_before_it_is_proven() -> None:
    header, [one, two, last] = chunks(locked())
    spoilt = bytearray(two)
    spoilt[-1] ^= 1
    got = encrypted_stream.unlock(SECRET, [header, one, bytes(spoilt), last])
    assert next(got) == PLAIN[:CHUNK_BYTES]
    with pytest.raises(OperatorError):
        next(got)


def test_memory_does_not_grow_with_the_stream() -> None:
    plain = (bytes(300_000) for _ in range(200))  # 60 MB
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in encrypted_stream.unlock(SECRET, encrypted_stream.lock(SECRET, plain)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 60_000_000
    assert peak < 40 * CHUNK_BYTES
