"""Proves how often a hub was restored: of two boxes with one identity the one that was restored more often is the hub.

    text = times + "." + hex(first 16 bytes of HMAC-SHA256(key, times(8)))                       big-endian
    key  = HKDF-SHA256(X25519(identity private, identity public), salt = "hikma-hub succession", info = identity public)

Only who has the identity can write it, so nobody else on the network can put a hub out of work. It never becomes
untrue, so whoever says it again harms nobody.
"""

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.core.phone.keys import KeyPair

_PROOF_BYTES = 16
_TIMES_DIGITS = 9


def proof(identity: KeyPair, times: int) -> str:
    """Return the text that proves it."""
    key = HKDF(SHA256(), 32, salt=b"hikma-hub succession", info=identity.public).derive(identity.agree(identity.public))
    return f"{times}.{hmac.digest(key, times.to_bytes(8, 'big'), 'sha256')[:_PROOF_BYTES].hex()}"


def is_successor(text: str, identity: KeyPair, times: int) -> bool:
    """Whether a text proves that another box is this hub, restored more often than this one was."""
    told, _, _ = text.partition(".")
    is_number = told.isascii() and told.isdecimal() and len(told) <= _TIMES_DIGITS
    return is_number and int(told) > times and hmac.compare_digest(text.encode(), proof(identity, int(told)).encode())
