"""The certificate of the pages: what a power cut leaves of it is told from a whole one."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from hub.core import certificate

MADE = certificate.make("0" * 36, "hikma-hub").certificate


def test_a_digest_is_that_of_the_certificate() -> None:
    assert certificate.digest(MADE) == x509.load_pem_x509_certificate(MADE).fingerprint(hashes.SHA256())


@given(st.integers(0, len(MADE) - 2))
def test_a_certificate_that_was_half_written_is_none(length: int) -> None:
    with pytest.raises(ValueError, match="certificate"):
        certificate.digest(MADE[:length])


@given(st.integers(0, len(MADE) - 1))
def test_a_certificate_whose_end_is_blank_is_none(length: int) -> None:
    with pytest.raises(ValueError, match="certificate"):
        certificate.digest(MADE[:length].ljust(len(MADE), b"\0"))
