"""The certificate of the pages."""

from hub.actions.box import certificate
from hub.store.database import Store


def test_the_certificate_is_made_once_and_kept_for_the_hub_alone(store: Store) -> None:
    made = certificate.load(store, "hikma-hub.local")
    assert certificate.load(store, "other.local") == made
    assert len(made.fingerprint.split(":")) == 32
    assert {path.stat().st_mode & 0o077 for path in certificate.paths(store)} == {0}


def test_half_a_certificate_is_made_anew(store: Store) -> None:
    made = certificate.load(store, "hikma-hub.local")
    certificate.paths(store)[0].unlink()
    assert certificate.load(store, "hikma-hub.local").fingerprint != made.fingerprint
