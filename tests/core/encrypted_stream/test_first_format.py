"""Backups of the first release, which open for ever: the files are its own."""

from pathlib import Path

import pytest

from hub.core import encrypted_stream
from hub.core.encrypted_stream.chunks import CHUNK_BYTES
from hub.core.errors import OperatorError

SECRET = "four words are enough"
PLAIN = bytes(range(256)) * 260  # 66,560 bytes: a whole chunk and a part
FILE = (Path(__file__).parents[2] / "vectors" / "backup" / "chunks_format_1.backup").read_bytes()
HEADER_BYTES, SEALED_BYTES = 36, CHUNK_BYTES + 16


def decrypted(data: bytes, secret: str = SECRET) -> bytes:
    return b"".join(encrypted_stream.decrypt(secret, [data]))


def test_a_backup_of_the_first_release_opens() -> None:
    assert decrypted(FILE) == PLAIN


def test_the_wrong_passphrase_opens_nothing() -> None:
    with pytest.raises(OperatorError, match="passphrase is wrong"):
        decrypted(FILE, "four words are enougH")


def test_it_is_told_from_what_is_no_backup() -> None:
    assert encrypted_stream.is_backup(FILE[:100])
    assert not encrypted_stream.is_backup(b"PK\x03\x04" * 25)


@pytest.mark.parametrize("cost", [0, 19, 31])
def test_a_header_that_asks_for_all_memory_or_for_none_is_refused(cost: int) -> None:
    with pytest.raises(OperatorError, match="header"):
        decrypted(FILE.replace(b"\n\x04", b"\n" + bytes([cost]), 1))


@pytest.mark.parametrize("cut", [20, 35, 36, 40, HEADER_BYTES + SEALED_BYTES, -1, -17])
def test_one_that_was_cut_off_does_not_open_as_a_shorter_one(cut: int) -> None:
    with pytest.raises(OperatorError):
        decrypted(FILE[:cut])


@pytest.mark.parametrize("at", [25, 36, 1000, HEADER_BYTES + SEALED_BYTES, len(FILE) - 1])
def test_no_byte_can_be_changed(at: int) -> None:
    data = bytearray(FILE)
    data[at] ^= 1
    with pytest.raises(OperatorError):
        decrypted(bytes(data))
