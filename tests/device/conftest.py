"""Gives the device tier its boards; without an image it fails rather than passing for tested."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.demo.phone import Phone
from tests.device import guest
from tests.device.guest import Guest

EMAIL = "amal@clinic.example"
PASSWORD = "kestrel-harbour-4711"
WIFI_PASSWORD = "pelican-harbour-4711"
PASSPHRASE = "ten words on a zibbelquorn"
TOML = """[hub]
name = "Nord Süd عيادة"
language = "ar"
country = "JO"
timezone = "Asia/Amman"

[[wifi]]
name = "Clinic"
password = "{wifi}"  # of the router

[administrator]
email = "{email}"
password = "{password}"

[clinic]
name = "North"

[ssh]
key = "{key}"

[storage]
recovery_passphrase = "{passphrase}"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here: it takes minutes, a built image and QEMU."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.device)
            item.add_marker(pytest.mark.timeout(1800))


@dataclass(frozen=True)
class Keys:
    """A technician's ssh key."""

    private: Path
    public: str


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Draw a technician's key; fails when the tier cannot run here."""
    missing = list(guest.needs())
    assert not missing, f"the device tier needs {', '.join(missing)}"
    private = tmp_path_factory.mktemp("ssh") / "id"
    guest.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "technician", "-f", str(private))
    return Keys(private, private.with_name("id.pub").read_text("ascii").strip())


def toml(keys: Keys) -> str:
    """Give the one file that a technician puts on the card."""
    return TOML.format(passphrase=PASSPHRASE, wifi=WIFI_PASSWORD, email=EMAIL, password=PASSWORD, key=keys.public)


@pytest.fixture(scope="session")
def board(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """Give a board that was plugged in with a flashed card, and is ready."""
    folder = tmp_path_factory.mktemp("board")
    with Guest(guest.card(folder, "card", toml(keys)), keys.private) as made:
        print(f"\nfirst boot, until phones were served: {made.boot_s:.1f} s")  # noqa: T201  a measure for the log
        made.ssh("hikma-hub pairing open --minutes 240")
        yield made


def paired(board: Guest, seed: int) -> Phone:
    """Give a phone that paired and signed in as the administrator's first clinic allows."""
    phone = board.phone(seed)
    phone.pair({"type": "sync_hub", "url": board.url()})
    phone.login(EMAIL, PASSWORD)
    return phone
