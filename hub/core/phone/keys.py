"""Turns a handshake into a session key: X25519, then HKDF-SHA256.

    shared      = X25519(own private, their public)           RFC 7748 section 5
    session key = HKDF-SHA256(shared, salt, info, 32 bytes)   RFC 5869
    salt        = "hikma-health-pairing-v1"
    info        = hub public(32) + client public(32)

The hub draws a key pair for each handshake and keeps its private half no longer than that: what was recorded on the
Wi-Fi opens with nothing that can be found later, on the card or in a backup. Its identity, the pair whose public half
is in the QR code, vouches for the fresh one to an app that asks (PROTOCOL.md "Proof of identity"):

    proof key   = HKDF-SHA256(X25519(identity private, client public), salt, info, 32 bytes)
    salt        = "hikma-health-identity-v1"
    info        = identity public(32) + client public(32)
    proof       = HMAC-SHA256(proof key, hub public(32) + client public(32))

A shared secret of only zeros (a low-order public key) is refused, RFC 7748 section 6.1.
Source: PROTOCOL.md "Handshake".
"""

import hashlib
import hmac
from typing import NewType

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.core.errors import Malformed

KEY_BYTES = 32
_SALT = b"hikma-health-pairing-v1"
_PROOF_SALT = b"hikma-health-identity-v1"

PublicKey = NewType("PublicKey", bytes)
SessionKey = NewType("SessionKey", bytes)


class KeyPair:
    """An X25519 key pair; the private half leaves it only through ``private_bytes``."""

    def __init__(self, private: bytes | None = None) -> None:
        """Take a raw private key of 32 bytes, or draw a new one."""
        self._private = X25519PrivateKey.from_private_bytes(private) if private else X25519PrivateKey.generate()
        self.public = PublicKey(self._private.public_key().public_bytes_raw())

    def private_bytes(self) -> bytes:
        """Return the raw private key (32 bytes), for the identity file alone."""
        return self._private.private_bytes_raw()

    def agree(self, theirs: bytes) -> bytes:
        """Compute the shared secret (32 bytes) with ``theirs``, a raw public key.

        Raises Malformed for a key of the wrong length and for low-order points.
        """
        try:
            return self._private.exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError:
            raise Malformed("not a usable X25519 public key") from None


def fingerprint(public: PublicKey) -> str:
    """Return what people and the network compare a key by: the first 16 bytes of its SHA-256, in hex."""
    return hashlib.sha256(public).hexdigest()[:32]


def session_key(shared: bytes, *, hub_public: bytes, client_public: bytes) -> SessionKey:
    """Derive the AES-256 key of a session (32 bytes) from the shared secret."""
    return SessionKey(_derive(shared, _SALT, hub_public + client_public))


def hub_session_key(hub: KeyPair, client_public: PublicKey) -> SessionKey:
    """Derive the session key as the hub does it."""
    return session_key(hub.agree(client_public), hub_public=hub.public, client_public=client_public)


def client_session_key(client: KeyPair, hub_public: PublicKey) -> SessionKey:
    """Derive the session key as the phone does it."""
    return session_key(client.agree(hub_public), hub_public=hub_public, client_public=client.public)


def identity_proof(identity: KeyPair, *, hub_public: PublicKey, client_public: PublicKey) -> bytes:
    """Prove (32 bytes) to who drew ``client_public`` that the hub of this identity drew ``hub_public``."""
    return _proof(identity.agree(client_public), identity.public, hub_public, client_public)


def is_proven(proof: bytes, client: KeyPair, *, identity: PublicKey, hub_public: PublicKey) -> bool:
    """Check a proof as the phone does it, which scanned ``identity``."""
    expected = _proof(client.agree(identity), identity, hub_public, client.public)
    return hmac.compare_digest(proof, expected)


def _proof(shared: bytes, identity: bytes, hub_public: bytes, client_public: bytes) -> bytes:
    key = _derive(shared, _PROOF_SALT, identity + client_public)
    return hmac.digest(key, hub_public + client_public, "sha256")


def _derive(shared: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=info).derive(shared)
