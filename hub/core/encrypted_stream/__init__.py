"""Encrypts a stream of bytes with a passphrase and decrypts it again, in bounded memory: backups.

Backups are written in age's format (age.py); those of the first release had a format of their own (first_format.py) and
can be read for ever.
"""

from collections.abc import Iterable, Iterator

from hub.core.encrypted_stream import age, first_format
from hub.core.encrypted_stream.chunks import PieceReader
from hub.core.errors import NotABackup

PASSPHRASE_CHARS_MIN = 12


def encrypt(passphrase: str, plain: Iterable[bytes]) -> Iterator[bytes]:
    """Return the age file that holds ``plain``, piece by piece."""
    return age.encrypt(passphrase, plain)


def encrypt_to(recipient: bytes, plain: Iterable[bytes]) -> Iterator[bytes]:
    """Return the age file of ``plain`` for the owner of a public key (recipient.py), piece by piece."""
    return age.encrypt_to(recipient, plain)


def decrypt_with(private: bytes, encrypted: Iterable[bytes]) -> Iterator[bytes]:
    """Return the plaintext of what was encrypted to a public key; raises OperatorError."""
    source = PieceReader(encrypted)
    if not source.starts_with(age.MAGIC):
        raise NotABackup("this is not a backup of a Hikma Hub")
    return age.decrypt(private, source)


def decrypt(passphrase: str, encrypted: Iterable[bytes]) -> Iterator[bytes]:
    """Return the plaintext, a chunk at a time; each was authenticated before it is yielded, the end when it has come.

    Raises OperatorError: not a backup, the wrong passphrase, or a file that is damaged or incomplete.
    """
    source = PieceReader(encrypted)
    if source.starts_with(age.MAGIC):
        return age.decrypt(passphrase, source)
    if source.starts_with(first_format.MAGIC):
        return first_format.decrypt(passphrase, source)
    raise NotABackup("this is not a backup of a Hikma Hub")


def is_backup(beginning: bytes) -> bool:
    """Return whether a file begins as one that a passphrase opens."""
    return beginning.startswith((age.MAGIC + age.BY_PASSPHRASE, first_format.MAGIC))


def is_fit(passphrase: str) -> bool:
    """Return whether a passphrase is long enough."""
    return len(passphrase) >= PASSPHRASE_CHARS_MIN
