"""A first boot that a power cut ended is followed by one that ends the same."""

import contextlib
import sqlite3

import pytest

from hub.actions.people import setup
from hub.firstboot import steps, vault
from hub.store.database import Store
from hub.store.people import users
from tests.firstboot.flashed import Flashed, card
from tests.firstboot.test_steps import FILE, SECRETS, flash_again, passwords

__all__ = ["card"]


@pytest.mark.parametrize("every", [pytest.param(9, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)])
@pytest.mark.timeout(600)
def test_a_power_cut_at_any_step_is_followed_by_a_boot_that_ends_the_same(card: Flashed, every: int) -> None:
    cuts = 0
    while True:
        file = flash_again(card)
        if card.boot(cut_at=cuts * every):
            break
        before = drawn(card)
        report = card.boot()
        assert report is not None, f"cut {cuts * every}"
        assert before.items() <= drawn(card).items(), f"cut {cuts * every}"
        assert report.refused is None
        assert card.header()["label"] == vault.MADE
        assert not [secret for secret in SECRETS if secret in file.read_text()]
        assert "psk=open sesame" in (card.root / "data/connections/hikma-wifi-0.nmconnection").read_text()
        store = Store(card.root / "data/hub")
        with store.read() as db:
            assert users.find_by_email(db, "amal@clinic.example"), f"cut {cuts * every}"
        assert setup.is_done(store)
        store.close()
        cuts += 1
    assert cuts * every > 60


def drawn(card: Flashed) -> dict[str, object]:
    """Return whatever has been drawn for a card that is switched off, as far as it is whole."""
    data, root = card.root / "data", card.root
    files = (root / "etc/machine-id", root / "etc/hikma-hub/data.key", root / "etc/ssh/hub/ssh_host_ed25519_key.pub")
    found: dict[str, object] = {path.name: path.read_bytes() for path in files if path.exists() and path.read_bytes()}
    if card.header().get("label") != vault.MADE:  # what lies there is of a hub before this one
        return found
    point = data / "connections/hikma-access-point.nmconnection"
    found |= {path.name: path.read_bytes() for path in (point, *data.glob("hub/tls/*")) if path.exists()}
    if (data / "hub/hub.db").exists():
        with contextlib.closing(sqlite3.connect(data / "hub/hub.db")) as db, contextlib.suppress(sqlite3.Error):
            found |= dict(db.execute("SELECT key, value FROM hub WHERE key NOT IN ('time', 'clock')"))
    return {**found, **card.header()}


@pytest.mark.parametrize("step", [name for name, _ in steps._STEPS])
def test_of_a_first_boot_that_was_cut_before_a_step_nothing_is_drawn_or_done_twice(card: Flashed, step: str) -> None:
    file = card.put(FILE)
    assert card.boot(cut_before=step) is None
    before = drawn(card)
    report = card.boot()
    assert report is not None
    assert report.refused is None
    assert before.items() <= drawn(card).items()
    assert passwords(card) == {"Clinic": "open sesame"}
    assert not [secret for secret in SECRETS if secret in file.read_text()]
    store = Store(card.root / "data/hub")
    with store.read() as db:
        assert [clinic["name"] for clinic in users.clinics(db)] == ["North"]
    store.close()
    assert card.boot() == report


def test_a_cut_after_the_identity_was_drawn_does_not_change_it(card: Flashed) -> None:
    first = card.boot()
    for moment in range(0, 60, 3):
        card.boot(cut_at=moment)
        assert card.boot() == first
