r"""Writes and reads age files, which ``age -d`` opens on any computer (age-encryption.org/v1).

    header   = "age-encryption.org/v1\n" + stanza + "--- " + HMAC-SHA256(header up to "---") + "\n"
    stanza   = "-> scrypt " + salt + " " + log2 of N + "\n" + wrapped file key + "\n"      for a passphrase, or
               that of a public key (recipient.py)             salt, wrapped key and MAC in base64 without "="
    wrapping = ChaCha20-Poly1305(12 zeros as nonce), key: scrypt(passphrase, "age-encryption.org/v1/scrypt" + salt(16))
    file     = header + nonce(16) + ChaCha20-Poly1305 chunks (chunks.py)
    keys     = HKDF-SHA256(file key(16), info "header", no salt)   and   (file key, info "payload", salt = nonce)

The code is ours because pyrage, the only Python binding, encrypts by passphrase only what fits into memory.
"""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.core.encrypted_stream.chunks import PieceReader, seal, unseal
from hub.core.encrypted_stream.recipient import unwrap, wrap
from hub.core.errors import NotABackup, OperatorError, WrongPassphrase

MAGIC = b"age-encryption.org/v1\n"
BY_PASSPHRASE = b"-> scrypt "
_LABEL = b"age-encryption.org/v1/scrypt"
_WORK_FACTOR = 16
"""log2 of N: 64 MiB and about a second on a Pi; what each guess at the passphrase costs too."""
_WORK_FACTOR_MAX = 18
"""256 MiB, which is what ``age -p`` writes: a forged header must not take all memory of the smallest board."""
_LINE_BYTES = 128
"""No line of such a header is longer."""
_STANZA = re.compile(rb"-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)")
_TO_KEY = re.compile(rb"-> X25519 ([A-Za-z0-9+/]{43})")
_WRAPPED = re.compile(rb"[A-Za-z0-9+/]{43}")
_MAC = re.compile(rb"--- ([A-Za-z0-9+/]{43})")
_FILE_KEY_BYTES = _SALT_BYTES = _NONCE_BYTES = 16


def encrypt(passphrase: str, plain: Iterable[bytes]) -> Iterator[bytes]:
    """Return the age file that a passphrase opens, piece by piece."""
    file_key, salt = os.urandom(_FILE_KEY_BYTES), os.urandom(_SALT_BYTES)
    wrapped = _wrapping(passphrase, salt, _WORK_FACTOR).encrypt(bytes(12), file_key, None)
    return _written(file_key, b"-> scrypt %b %d" % (_base64(salt), _WORK_FACTOR), wrapped, plain)


def encrypt_to(recipient: bytes, plain: Iterable[bytes]) -> Iterator[bytes]:
    """Return the age file that the owner of a public key opens, piece by piece."""
    file_key = os.urandom(_FILE_KEY_BYTES)
    share, wrapped = wrap(file_key, recipient)
    return _written(file_key, b"-> X25519 " + _base64(share), wrapped, plain)


def decrypt(secret: str | bytes, source: PieceReader) -> Iterator[bytes]:
    """Return the plaintext of an age file, a chunk at a time; raises OperatorError.

    secret: a passphrase, or the private half of the key that it was encrypted to.
    """
    file_key = _open_header(secret, source)
    nonce = source.read(_NONCE_BYTES)
    if len(nonce) < _NONCE_BYTES:
        raise OperatorError("the file is damaged or cut off")
    yield from unseal(_payload_cipher(file_key, nonce), source)


def _written(file_key: bytes, stanza: bytes, wrapped: bytes, plain: Iterable[bytes]) -> Iterator[bytes]:
    nonce = os.urandom(_NONCE_BYTES)
    header = b"%b%b\n%b\n---" % (MAGIC, stanza, _base64(wrapped))
    yield header + b" " + _base64(_mac(file_key, header).finalize()) + b"\n" + nonce
    yield from seal(_payload_cipher(file_key, nonce), plain)


def _open_header(secret: str | bytes, source: PieceReader) -> bytes:
    """Return the file key."""
    source.read(len(MAGIC))
    stanza, wrapped, mac = (source.read_line(_LINE_BYTES) for _ in range(3))
    is_key, proof = _WRAPPED.fullmatch(wrapped), _MAC.fullmatch(mac)
    key = _plain(wrapped) if is_key else b""
    file_key = _by_passphrase(secret, stanza, key) if isinstance(secret, str) else _by_key(secret, stanza, key)
    try:
        if not proof:
            raise OperatorError("the header of the backup is damaged")
        _mac(file_key, b"%b%b\n%b\n---" % (MAGIC, stanza, wrapped)).verify(_plain(proof[1]))
    except InvalidSignature:
        raise WrongPassphrase("the passphrase is wrong, or the file is damaged") from None
    return file_key


def _by_passphrase(passphrase: str, stanza: bytes, wrapped: bytes) -> bytes:
    if not stanza.startswith(BY_PASSPHRASE):
        raise NotABackup("this age file is not encrypted with a passphrase")
    found = _STANZA.fullmatch(stanza)
    if not found or not wrapped:
        raise OperatorError("the header of the backup is damaged")
    work_factor = int(found[2])
    if work_factor > _WORK_FACTOR_MAX:
        raise OperatorError(f"the backup needs scrypt with N = 2^{work_factor}, more than 2^{_WORK_FACTOR_MAX}")
    try:
        return _wrapping(passphrase, _plain(found[1]), work_factor).decrypt(bytes(12), wrapped, None)
    except InvalidTag:
        raise WrongPassphrase("the passphrase is wrong, or the file is damaged") from None


def _by_key(private: bytes, stanza: bytes, wrapped: bytes) -> bytes:
    found = _TO_KEY.fullmatch(stanza)
    if not found or not wrapped:
        raise OperatorError("the header of the backup is damaged")
    return unwrap(_plain(found[1]), wrapped, private)


def _wrapping(passphrase: str, salt: bytes, work_factor: int) -> ChaCha20Poly1305:
    scrypt = Scrypt(salt=_LABEL + salt, length=32, n=2**work_factor, r=8, p=1)
    return ChaCha20Poly1305(scrypt.derive(passphrase.encode()))


def _payload_cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), length=32, salt=nonce, info=b"payload").derive(file_key))


def _mac(file_key: bytes, header: bytes) -> HMAC:
    mac = HMAC(HKDF(SHA256(), length=32, salt=None, info=b"header").derive(file_key), SHA256())
    mac.update(header)
    return mac


def _base64(value: bytes) -> bytes:
    return b64encode(value).rstrip(b"=")


def _plain(text: bytes) -> bytes:
    """Decode base64; raises OperatorError unless it is written in the one way that age allows."""
    value = b64decode(text + b"=" * (-len(text) % 4))
    if _base64(value) != text:
        raise OperatorError("the header of the backup is damaged")
    return value
