"""Files in age's format with a passphrase, against the tool itself and against whoever changes a byte."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core import encrypted_stream
from hub.core.encrypted_stream import age
from hub.core.encrypted_stream.chunks import CHUNK_BYTES
from hub.core.errors import OperatorError
from tests import age_tool
from tests.age_tool import needs_age
from tests.draws import drawn

SECRET = "four words are enough"
PLAIN = bytes(range(256)) * 700  # 179,200 bytes: two whole chunks and a part
SEALED_BYTES = CHUNK_BYTES + 16
VECTORS = Path(__file__).parents[2] / "vectors" / "backup"
SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess cost nothing."""
    monkeypatch.setattr(age, "_WORK_FACTOR", 4)


def encrypted(plain: bytes = PLAIN) -> bytes:
    return b"".join(encrypted_stream.encrypt(SECRET, [plain]))


def decrypted(data: bytes, secret: str = SECRET) -> bytes:
    return b"".join(encrypted_stream.decrypt(secret, [data]))


def header_bytes(data: bytes) -> int:
    """Count the bytes before the chunks: the text and the nonce."""
    return data.index(b"\n", data.index(b"\n--- ") + 1) + 1 + 16


def chunks(data: bytes) -> tuple[bytes, list[bytes]]:
    size = header_bytes(data)
    body = data[size:]
    return data[:size], [body[at : at + SEALED_BYTES] for at in range(0, len(body), SEALED_BYTES)]


@needs_age
@pytest.mark.parametrize("size", SIZES[1:])  # age 1.1 makes no file of nothing
def test_age_opens_what_a_hub_wrote(size: int, tmp_path: Path) -> None:
    plain = (PLAIN * 2)[:size]
    (tmp_path / "hub.backup").write_bytes(encrypted(plain))
    age_tool.decrypt(SECRET, tmp_path / "hub.backup", tmp_path / "plain")
    assert (tmp_path / "plain").read_bytes() == plain


@pytest.mark.slow
@needs_age
def test_a_hub_opens_what_age_wrote(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(PLAIN)
    age_tool.encrypt(SECRET, tmp_path / "plain", tmp_path / "encrypted")
    assert decrypted((tmp_path / "encrypted").read_bytes()) == PLAIN


@pytest.mark.slow
def test_a_file_that_age_wrote_once_opens_for_ever() -> None:
    assert decrypted((VECTORS / "age_1.1.1.age").read_bytes()) == PLAIN[: CHUNK_BYTES + 1000]


def test_the_work_factor_is_the_one_chosen_for_a_pi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert next(encrypted_stream.encrypt(SECRET, [b""])).split(b"\n")[1].endswith(b" 16")


@drawn(30)
@given(sizes=st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=4), step=st.integers(1, 200_000))
def test_what_was_encrypted_opens_however_it_is_cut_into_pieces(sizes: list[int], step: int) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    data = b"".join(encrypted_stream.encrypt(SECRET, pieces))
    again = encrypted_stream.decrypt(SECRET, (data[at : at + step] for at in range(0, len(data), step)))
    assert b"".join(again) == b"".join(pieces)


@pytest.mark.parametrize("size", SIZES)
def test_sizes_around_a_chunk_open(size: int) -> None:
    assert decrypted(encrypted(bytes(size))) == bytes(size)


def test_two_files_of_the_same_have_nothing_secret_in_common() -> None:
    one, other = encrypted(), encrypted()
    assert one.split(b"\n")[1:4] != other.split(b"\n")[1:4]
    assert chunks(one)[1][0] != chunks(other)[1][0]


def test_the_wrong_passphrase_opens_nothing() -> None:
    with pytest.raises(OperatorError, match="passphrase is wrong"):
        decrypted(encrypted(), "four words are enougH")


@pytest.mark.parametrize("keep", [0, 10, 20])
def test_what_is_no_backup_is_said_to_be_none(keep: int) -> None:
    with pytest.raises(OperatorError, match="not a backup"):
        decrypted(encrypted()[:keep])
    with pytest.raises(OperatorError, match="not a backup"):
        decrypted(b"PK\x03\x04" * 100)


@pytest.mark.parametrize("work_factor", ["19", "22", "64", "99"])
def test_a_header_that_asks_for_all_memory_is_refused(work_factor: str) -> None:
    with pytest.raises(OperatorError, match="needs scrypt"):
        decrypted(encrypted().replace(b" 4\n", f" {work_factor}\n".encode(), 1))


@pytest.mark.parametrize("work_factor", ["", "0", "04", "+4", "4 4", "-1", "100", "4\r"])
def test_a_work_factor_is_written_in_one_way_alone(work_factor: str) -> None:
    with pytest.raises(OperatorError, match="damaged"):
        decrypted(encrypted().replace(b" 4\n", f" {work_factor}\n".encode(), 1))


def test_a_file_for_other_recipients_is_said_to_be_one() -> None:
    with pytest.raises(OperatorError, match="with a passphrase"):
        decrypted(encrypted().replace(b"-> scrypt", b"-> X25519", 1))


def test_a_second_recipient_is_refused() -> None:
    lines = encrypted().split(b"\n")
    with pytest.raises(OperatorError, match="damaged"):
        decrypted(b"\n".join([*lines[:3], *lines[1:3], *lines[3:]]))


def test_a_last_letter_that_stands_for_the_same_bytes_is_refused() -> None:
    """22 letters are 132 bits for a salt of 128: the last four must be zeros."""
    data = encrypted()
    salt = data.split(b" ")[2]
    other = salt[:-1] + bytes([salt[-1] + 1])
    with pytest.raises(OperatorError, match="damaged"):
        decrypted(data.replace(salt, other, 1))


@pytest.mark.parametrize("cut", [30, 60, 100, 160, 165, 180, 200, SEALED_BYTES, -1, -17])
def test_a_stream_that_was_cut_off_does_not_open_as_a_shorter_one(cut: int) -> None:
    with pytest.raises(OperatorError):
        decrypted(encrypted()[:cut])


@pytest.mark.parametrize("left", [1, 15])
def test_a_stream_that_was_cut_in_its_nonce_does_not_blame_the_passphrase(left: int) -> None:
    data = encrypted()
    with pytest.raises(OperatorError, match="the file is damaged or cut off"):
        decrypted(data[: header_bytes(data) - left])


def test_a_stream_that_ends_with_a_whole_chunk_does_not_open() -> None:
    header, [one, two, _] = chunks(encrypted())
    with pytest.raises(OperatorError, match="damaged"):
        decrypted(header + one + two)


def test_chunks_cannot_be_left_out_swapped_doubled_or_added() -> None:
    header, [one, two, last] = chunks(encrypted())
    for order in ([two, one, last], [one, last], [one, one, two, last], [one, two, last, last], [one, two]):
        with pytest.raises(OperatorError, match="damaged"):
            decrypted(header + b"".join(order))


@drawn(60)
@given(at=st.integers(0, 179_000), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(at: int, bit: int) -> None:
    data = bytearray(encrypted())
    data[at] ^= 1 << bit
    with pytest.raises(OperatorError):
        decrypted(bytes(data))


def test_nothing_of_a_chunk_is_given_before_it_is_proven() -> None:
    header, [one, two, last] = chunks(encrypted())
    spoilt = bytearray(two)
    spoilt[-1] ^= 1
    got = encrypted_stream.decrypt(SECRET, [header, one, bytes(spoilt), last])
    assert next(got) == PLAIN[:CHUNK_BYTES]
    with pytest.raises(OperatorError):
        next(got)


def test_memory_does_not_grow_with_the_stream() -> None:
    plain = (bytes(300_000) for _ in range(200))  # 60 MB
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in encrypted_stream.decrypt(SECRET, encrypted_stream.encrypt(SECRET, plain)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 60_000_000
    assert peak < 40 * CHUNK_BYTES
