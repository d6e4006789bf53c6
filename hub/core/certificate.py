"""Makes the certificate under which the hub's pages are encrypted: by the hub itself, for nobody else to sign."""

import base64
import datetime as dt
import hashlib
import re
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives import hashes

from hub.late import Late

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
else:
    x509 = Late("cryptography.x509")
    serialization = Late("cryptography.hazmat.primitives.serialization")
    ec = Late("cryptography.hazmat.primitives.asymmetric.ec")

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\n(.+)\n-----END CERTIFICATE-----\n*", re.DOTALL)
"""RFC 7468, as it is written below; a start that looks at it does without the library that makes it."""
_FROM = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_UNTIL = dt.datetime(2056, 1, 1, tzinfo=dt.UTC)
"""A hub has no clock to be relied on, and nobody renews a certificate in a clinic without internet."""


class Certificate(msgspec.Struct, frozen=True):
    """Both as PEM."""

    certificate: bytes
    private_key: bytes

    @property
    def fingerprint(self) -> str:
        """Return SHA-256 of the certificate, as browsers show it: ``AB:CD:...``."""
        return digest(self.certificate).hex(":").upper()


def digest(pem: bytes) -> bytes:
    """Return SHA-256 of a certificate; raises ValueError for what a power cut left half written."""
    found = _PEM.fullmatch(pem)
    if found is None:
        raise ValueError("no whole certificate")
    return hashlib.sha256(base64.b64decode(found[1].replace(b"\n", b""), validate=True)).digest()


def make(hub_id: str, host_name: str) -> Certificate:
    """Draw a key on P-256, which every browser takes, and sign it with itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, f"Hikma Hub {hub_id[:8]}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host_name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
