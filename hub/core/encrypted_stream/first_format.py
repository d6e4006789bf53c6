r"""Reads the backups that the first release wrote.

file   = header + chunks (chunks.py)
header = "hikma-hub-backup 1\n"(19) + log2 of scrypt's N(1) + salt(16)
chunk  = AES-256-GCM by scrypt(passphrase, salt, N, r = 8, p = 1), with the header as additional data
"""

from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.core.encrypted_stream.chunks import PieceReader, unseal
from hub.core.errors import OperatorError

MAGIC = b"hikma-hub-backup 1\n"
_SALT_BYTES = 16
_HEADER_BYTES = len(MAGIC) + 1 + _SALT_BYTES
_WORK_FACTOR_MAX = 18
"""256 MiB: a forged header must not take all memory of the smallest board."""


def decrypt(passphrase: str, source: PieceReader) -> Iterator[bytes]:
    """Return the plaintext, a chunk at a time; raises OperatorError."""
    header = source.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not 0 < header[len(MAGIC)] <= _WORK_FACTOR_MAX:
        raise OperatorError("the header of the backup is damaged")
    work_factor, salt = header[len(MAGIC)], header[len(MAGIC) + 1 :]
    cipher = AESGCM(Scrypt(salt=salt, length=32, n=2**work_factor, r=8, p=1).derive(passphrase.encode()))
    yield from unseal(cipher, source, header)
