r"""Encrypts to a public key, as age does, so that whoever writes cannot read (age-encryption.org/v1, X25519 stanza).

    stanza  = "-> X25519 " + ephemeral public key(32) + "\n" + wrapped file key + "\n"      in base64 without "="
    wrapped = ChaCha20-Poly1305(12 zeros as nonce, file key), key: HKDF-SHA256(X25519(ephemeral, recipient),
              salt = ephemeral public key + recipient, info = "age-encryption.org/v1/X25519")

The private key is scrypt(passphrase, salt): it exists while somebody recovers, and at no other time.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.core.errors import WrongPassphrase

_LABEL = b"age-encryption.org/v1/X25519"
SALT_BYTES = 16
_WORK_FACTOR = 16
"""log2 of N: 64 MiB and about a second on a Pi; what each guess at the passphrase costs too."""


def private_key(passphrase: str, salt: bytes) -> bytes:
    """Derive the private key from the recovery passphrase."""
    return Scrypt(salt=salt, length=32, n=2**_WORK_FACTOR, r=8, p=1).derive(passphrase.encode())


def public_key(private: bytes) -> bytes:
    """Return the public half."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def wrap(file_key: bytes, recipient: bytes) -> tuple[bytes, bytes]:
    """Return the ephemeral public key and the wrapped file key."""
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    return share, _cipher(shared, share, recipient).encrypt(bytes(12), file_key, None)


def unwrap(share: bytes, wrapped: bytes, private: bytes) -> bytes:
    """Return the file key; raises WrongPassphrase for the wrong passphrase."""
    try:
        key = X25519PrivateKey.from_private_bytes(private)
        shared = key.exchange(X25519PublicKey.from_public_bytes(share))
        return _cipher(shared, share, public_key(private)).decrypt(bytes(12), wrapped, None)
    except (InvalidTag, ValueError):
        raise WrongPassphrase("the recovery passphrase is wrong, or the file is damaged") from None


def _cipher(shared: bytes, share: bytes, recipient: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt=share + recipient, info=_LABEL).derive(shared))
