"""Gives the device tier its boards; without an image it is skipped, saying so, and in CI it fails."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.device import card
from tests.device.guest import Guest
from tests.simulator.phone import Phone

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

[access_point]
name = "Hikma Nord"

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


_IDENTITY = """
echo machine-id $(cat /etc/machine-id)
echo ssh-key $(cut -d' ' -f2 /etc/ssh/hub/ssh_host_ed25519_key.pub)
echo partition $(cryptsetup luksUUID /dev/vda4)
echo data-key $(sha256sum </etc/hikma-hub/data.key)
python3 -c 'import json; told = json.load(open("/run/hikma-hub-firstboot.json"))
for name in ("hub_id", "certificate", "ssh_fingerprint", "access_point_password"): print(name, told[name])'
"""
_BARE = " ".join(f"systemd.mask=hikma-hub-{name}.service" for name in ("lights", "console", "update", "roam"))
"""What keeps no record; emulated, each start of theirs would cost a cut some seconds."""


_LOSING = {"test_power_cut", "test_retire", "test_two_cards", "test_updates"}
_LAST = "test_retire"
"""After it its board is no hub any more."""


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives tests that share a board to one worker, whichever files they are in."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.split("::", maxsplit=1)[0]).stem
        return "losing" if file in _LOSING else "flashed"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    return Lanes(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here: it takes minutes, a built image and QEMU."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.device)
            item.add_marker(pytest.mark.timeout(1800))
    items.sort(key=lambda item: item.path.stem == _LAST)


@dataclass(frozen=True)
class Keys:
    """A technician's ssh key."""

    private: Path
    public: str


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Draw a technician's key; skips, or in CI fails, when the tier cannot run here."""
    missing = ", ".join(card.needs())
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"the device tier needs {missing}")
    private = tmp_path_factory.mktemp("ssh") / "id"
    card.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "technician", "-f", str(private))
    return Keys(private, private.with_name("id.pub").read_text("ascii").strip())


def toml(keys: Keys) -> str:
    """Return the one file that a technician puts on the card."""
    return TOML.format(passphrase=PASSPHRASE, wifi=WIFI_PASSWORD, email=EMAIL, password=PASSWORD, key=keys.public)


@pytest.fixture(scope="session")
def flashed(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """Return a board that was plugged in with a flashed card; a test may have switched it off."""
    folder = tmp_path_factory.mktemp("board")
    with Guest(card.flash(folder, "card", toml(keys)), keys.private) as made:
        tell(f"first boot, until phones were served: {made.boot_s:.0f} s")
        made.ssh("hikma-hub pairing open --minutes 240")
        made.identity = identity(made)
        yield made


@pytest.fixture(scope="session")
def losing(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """Return a board with another card of the same image, one that loses at a cut what was not flushed."""
    text = toml(keys).replace('language = "ar"', 'language = "en"')
    made = card.flash(tmp_path_factory.mktemp("losing"), "card", text)
    with Guest(made, keys.private, loses=True, words=_BARE) as given:
        given.ssh("hikma-hub pairing open --minutes 240")
        given.identity = identity(given)
        yield given


def identity(board: Guest) -> dict[str, str]:
    """Return what no other card may have, under its name."""
    told = board.ssh(_IDENTITY).splitlines()
    return dict(line.split(maxsplit=1) for line in told)


@pytest.fixture
def board(flashed: Guest) -> Guest:
    """Return that board, switched on and ready."""
    if not flashed.is_on:
        flashed.power_on()
    return flashed


def tell(measure: str) -> None:
    """Print a measure for the log."""
    print(f"\n{measure}", flush=True)  # noqa: T201


def paired(board: Guest, seed: int) -> Phone:
    """Return a phone that paired and signed in as the administrator's first clinic allows."""
    phone = board.phone(seed)
    phone.pair({"type": "sync_hub", "url": board.url()})
    phone.login(EMAIL, PASSWORD)
    return phone
