"""The certificate of the page: drawn on this card, signed by itself, checked by people by its fingerprint."""

import datetime as dt
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.firstboot.machine import Machine, write

FOLDER = "/etc/hikma-hub/tls"
_ACCESS_POINT = ipaddress.IPv4Address("10.42.0.1")
"""Where NetworkManager puts the hub in its own network."""
# Fixed, because the clock cannot be trusted at first boot; browsers of phones ask of a certificate that was added by
# hand no more than that it is valid now.
_FROM = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
_TO = dt.datetime(2045, 1, 1, tzinfo=dt.UTC)


def ensure(machine: Machine, host_name: str) -> str:
    """Make the certificate if there is none for this host name; gives its SHA-256 fingerprint."""
    file, key_file = machine.path(f"{FOLDER}/page.crt"), machine.path(f"{FOLDER}/page.key")
    names = [f"{host_name}.local", "hikma-hub.local", host_name]
    if file.exists() and key_file.exists():
        made = x509.load_pem_x509_certificate(file.read_bytes())
        alternatives = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if alternatives.get_values_for_type(x509.DNSName) == names:
            return fingerprint(made)
    key = ec.generate_private_key(ec.SECP256R1())
    made = _signed(key, names)
    # The key first: a certificate without its key would be taken for complete after a power cut.
    write(key_file, _pem(key), mode=0o600)
    write(file, made.public_bytes(serialization.Encoding.PEM))
    return fingerprint(made)


def fingerprint(made: x509.Certificate) -> str:
    """Give SHA-256 as browsers show it."""
    return made.fingerprint(hashes.SHA256()).hex(":").upper()


def _signed(key: ec.EllipticCurvePrivateKey, names: list[str]) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = [*(x509.DNSName(name) for name in names), x509.IPAddress(_ACCESS_POINT)]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_TO)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
