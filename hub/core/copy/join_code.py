"""What a spare shows and a hub is given, so that the one keeps the other's copy: address, pinned certificate, token.

code = "hikma-spare:" + host + ":" + port + ":" + base32(SHA-256 of the certificate(32) + token(16)), without "="
"""

import base64
import binascii

import msgspec

from hub.core.errors import OperatorError

_MAGIC = "hikma-spare"
DIGEST_BYTES, TOKEN_BYTES = 32, 16
_PORTS = range(1, 65_536)


class JoinCode(msgspec.Struct, frozen=True):
    """A spare's address, the SHA-256 of its certificate, and the token that lets a hub write there."""

    host: str
    port: int
    digest: bytes
    token: bytes

    def __str__(self) -> str:
        """Return it as text."""
        secret = base64.b32encode(self.digest + self.token).decode().rstrip("=")
        return f"{_MAGIC}:{self.host}:{self.port}:{secret}"


def is_one(text: str) -> bool:
    """Return whether a text is meant as a code, and not as a folder."""
    return text.startswith(f"{_MAGIC}:")


def parse(text: str) -> JoinCode:
    """Read a code; raises OperatorError."""
    magic, _, rest = text.strip().partition(":")
    address, _, secret = rest.rpartition(":")
    host, _, port = address.rpartition(":")
    try:
        raw = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    except (binascii.Error, ValueError):
        raw = b""
    is_whole = magic == _MAGIC and host and port.isdecimal() and int(port[:6]) in _PORTS
    if not is_whole or len(raw) != DIGEST_BYTES + TOKEN_BYTES:
        raise OperatorError("this is not the code of a spare; 'hikma-hub spare start' there shows it")
    return JoinCode(host, int(port), raw[:DIGEST_BYTES], raw[DIGEST_BYTES:])
