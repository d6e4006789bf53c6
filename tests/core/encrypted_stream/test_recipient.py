"""Files that are encrypted to a public key, against the tool itself."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core import encrypted_stream
from hub.core.encrypted_stream import recipient
from hub.core.errors import OperatorError
from tests.age_tool import needs_age

PRIVATE = bytes(range(32))
PLAIN = bytes(range(256)) * 700


def encrypted() -> bytes:
    return b"".join(encrypted_stream.encrypt_to(recipient.public_key(PRIVATE), [PLAIN]))


def test_the_private_key_opens_what_was_encrypted_to_the_public_one() -> None:
    assert b"".join(encrypted_stream.decrypt_with(PRIVATE, [encrypted()])) == PLAIN


def test_another_key_opens_nothing() -> None:
    with pytest.raises(OperatorError, match="passphrase is wrong"):
        b"".join(encrypted_stream.decrypt_with(bytes(32), [encrypted()]))


def test_a_passphrase_does_not_open_it() -> None:
    with pytest.raises(OperatorError, match="not encrypted with a passphrase"):
        b"".join(encrypted_stream.decrypt("four words are enough", [encrypted()]))


def test_it_is_not_taken_for_a_backup_that_a_passphrase_opens() -> None:
    by_passphrase = (Path(__file__).parents[2] / "vectors/backup/age_1.1.1.age").read_bytes()
    assert [encrypted_stream.is_backup(data[:100]) for data in (by_passphrase, encrypted())] == [True, False]


def test_one_passphrase_and_salt_give_one_key() -> None:
    first = recipient.private_key("four words are enough", bytes(16))
    assert first == recipient.private_key("four words are enough", bytes(16))
    assert first != recipient.private_key("four words are enough", bytes(15) + b"x")


@needs_age
def test_age_opens_it_on_any_computer(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(bech32("AGE-SECRET-KEY-", PRIVATE))
    (tmp_path / "file").write_bytes(encrypted())
    asked = ["age", "--decrypt", "--identity", str(tmp_path / "key"), str(tmp_path / "file")]
    assert subprocess.run(asked, check=True, capture_output=True).stdout == PLAIN


def bech32(name: str, data: bytes) -> str:
    """Write a key as age does (BIP 173, of any length)."""
    letters, prefix = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", name.lower()
    values = list(fives(data))
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    total = 1
    for value in (*expanded, *values, *[0] * 6):
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for place, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            total ^= factor if top >> place & 1 else 0
    checks = [(total ^ 1) >> 5 * (5 - place) & 31 for place in range(6)]
    return (prefix + "1" + "".join(letters[value] for value in (*values, *checks))).upper()


def fives(data: bytes) -> Iterator[int]:
    number, bits = int.from_bytes(data, "big"), len(data) * 8
    padding = -bits % 5
    number, bits = number << padding, bits + padding
    return (number >> shift & 31 for shift in range(bits - 5, -1, -5))
