import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.people import setup
from hub.core.errors import OperatorError
from hub.core.status.card import CardShape
from hub.firstboot import network, vault
from hub.firstboot.card import ROOT_BYTES, SYSTEM_BYTES
from hub.firstboot.card_config import TAKEN
from hub.settings import amend, load
from hub.store.database import Store
from hub.store.people import users
from tests.firstboot.flashed import _PROGRAMS, CARD_BYTES, SECTOR, Flashed, card

__all__ = ["card"]

FILE = '''# For the north
[hub]
name = "عيادة Nord-Süd"
language = "ar"
country = "JO"
timezone = "Asia/Amman"

[[wifi]]
name = "Clinic"
password = "open sesame"  # of the router

[access_point]
name = "Hikma North"

[fleet]
url = "https://fleet.example"
token = "token of this hub 01"
ca = """
-----BEGIN CERTIFICATE-----
MIIB
-----END CERTIFICATE-----
"""

[administrator]
email = "amal@clinic.example"
password = "correct horse"

[clinic]
name = "North"

[ssh]
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 technician"

[storage]
recovery_passphrase = 'ten words on paper'
'''
SECRETS = ("open sesame", "token of this hub 01", "correct horse", "ten words on paper")


def test_a_card_without_a_file_becomes_a_hub(card: Flashed) -> None:
    report = card.boot()
    assert report is not None
    assert report.hub_id
    assert report.setup_code
    assert report.key_place == "in a file on the same card"
    assert card.header()["label"] == vault.MADE


def test_two_systems_and_the_data_share_the_card(card: Flashed) -> None:
    card.boot()
    sizes = [entry["size"] * SECTOR for entry in card.partitions()]
    assert sizes[1:3] == [SYSTEM_BYTES] * 2
    assert sum(sizes) > CARD_BYTES * 0.99
    assert [str((card.root / f"run/hikma-hub-system/{slot}").readlink()) for slot in "AB"] == [
        "/dev/card2",
        "/dev/card3",
    ]


class OneSystem(Flashed):
    """A card of an earlier image."""

    systems = 1


def test_a_card_with_one_system_goes_on_with_it(tmp_path: Path) -> None:
    card = OneSystem(tmp_path / "card")
    card.put(FILE)
    report = card.boot()
    sizes = [entry["size"] * SECTOR for entry in card.partitions()]
    assert sizes[1] == ROOT_BYTES
    assert sum(sizes) > CARD_BYTES * 0.99
    assert card.boot() == report
    assert not (card.root / "run/hikma-hub-system").exists()


def test_a_card_that_is_too_small_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = Flashed(tmp_path / "card")
    monkeypatch.setitem(_PROGRAMS, "blockdev", lambda *_: str(4 * 10**9 // SECTOR))
    with pytest.raises(OperatorError, match="needs 5 GB or more"):
        card.boot()
    assert len(card.partitions()) == 2


def test_what_a_system_was_given_the_other_one_has_at_its_next_start(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    own = (
        "etc/hostname",
        "etc/hosts",
        "etc/timezone",
        "etc/ssh/authorized_keys/technician",
        "etc/modprobe.d/hikma-hub-country.conf",
    )
    before = {name: (card.root / name).read_text() for name in own}
    file.write_text('[hub]\nname = "South"\ntimezone = "Asia/Amman"\ncountry = "UG"\n')
    card.boot()
    now = {name: (card.root / name).read_text() for name in own if (card.root / name).exists()}
    assert before.keys() - now.keys() == {"etc/ssh/authorized_keys/technician"}
    for name, text in before.items():  # the system before the update
        (card.root / name).write_text(text)
    report = card.boot()
    assert report is not None
    assert report.host_name == "south"
    assert {name: (card.root / name).read_text() for name in own if (card.root / name).exists()} == now
    (card.root / "data/own.json").write_text("{")
    assert card.boot() == report


def test_two_cards_from_one_image_are_two_hubs(card: Flashed, tmp_path: Path) -> None:
    first, second = card.boot(), Flashed(tmp_path / "other").boot()
    assert first is not None
    assert second is not None
    for secret in ("hub_id", "setup_code", "certificate", "ssh_fingerprint"):
        assert getattr(first, secret) != getattr(second, secret)


def test_a_second_boot_changes_nothing(card: Flashed) -> None:
    card.put(FILE)
    first = card.boot()
    before = contents(card)
    assert card.boot() == first
    assert contents(card) == before
    assert not [command for command in card.commands if command.startswith(("cryptsetup luksFormat", "mkfs"))]


def test_the_file_is_applied(card: Flashed) -> None:
    card.put(FILE)
    report = card.boot()
    assert report is not None
    assert report.host_name == "nord-sud"
    root = card.root
    assert (root / "etc/ssh/authorized_keys/technician").read_text().startswith("ssh-ed25519 AAAA")
    assert str((root / "etc/localtime").readlink()) == "/usr/share/zoneinfo/Asia/Amman"
    assert (root / "etc/modprobe.d/hikma-hub-country.conf").read_text().endswith("=JO\n")
    wifi = (root / "data/connections/hikma-wifi-0.nmconnection").read_text()
    assert "psk=open sesame" in wifi
    assert (root / "data/connections/hikma-wifi-0.nmconnection").stat().st_mode & 0o777 == 0o600
    store = Store(root / "data/hub")
    assert setup.is_done(store)
    with store.read() as db:
        assert [clinic["name"] for clinic in users.clinics(db)] == ["North"]
        assert users.find_by_email(db, "amal@clinic.example")
    store.close()
    settings = load(root / "data/hub/hub.toml", {})
    assert settings.hub.name == "عيادة Nord-Süd"
    assert settings.hub.language == "ar"
    assert settings.box.shutdown_command
    assert "passphrase" in card.header()


def test_the_secrets_leave_the_boot_partition_and_the_rest_of_the_file_stays(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    text = file.read_text()
    assert not [secret for secret in SECRETS if secret in text]
    assert text.count(TAKEN) == 4
    assert text.startswith("# For the north\n")
    assert {path.name for path in file.parent.iterdir()} == {"hikma-hub.toml", "config.txt"}


def test_an_own_network_gets_a_drawn_password_that_stays(card: Flashed) -> None:
    card.put(FILE)
    card.boot()
    point = card.root / "data/connections/hikma-access-point.nmconnection"
    first = point.read_text()
    for line in ("mode=ap", "ap-isolation=1", "proto=rsn", "pairwise=ccmp", "group=ccmp", "pmf=2"):
        assert f"\n{line}\n" in first
    card.put(FILE.replace('"Hikma North"', '"Hikma South"'))
    card.boot()
    assert point.read_text() != first
    assert [line for line in point.read_text().splitlines() if "psk=" in line] == [
        line for line in first.splitlines() if "psk=" in line
    ]


def test_a_taken_secret_is_kept_when_the_file_is_changed_later(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    file.write_text(file.read_text().replace('name = "Hikma North"', 'name = "Hikma South"'))
    card.boot()
    assert "psk=open sesame" in (card.root / "data/connections/hikma-wifi-0.nmconnection").read_text()


def passwords(card: Flashed) -> dict[str, str]:
    """Return the password, "" if none, of each Wi-Fi that the hub joins, the preferred one first."""
    found = []
    for path in (card.root / "data/connections").glob("hikma-wifi-*"):
        profile = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
        name = bytes(int(byte) for byte in profile["ssid"].split(";") if byte).decode()
        found.append((-int(profile["autoconnect-priority"]), name, profile.get("psk", "")))
    return {name: password for _, name, password in sorted(found)}


def wifi(name: str, password: str = TAKEN) -> str:
    return f'[[wifi]]\nname = "{name}"\npassword = "{password}"\n'


def test_a_taken_password_stays_with_its_network_wherever_it_stands(card: Flashed) -> None:
    country = '[hub]\ncountry = "JO"\n'
    card.put(country + wifi("One", "password one") + wifi("Two", "password two"))
    card.boot()
    card.put(country + wifi("Two") + wifi("One"))
    card.boot()
    assert list(passwords(card).items()) == [("Two", "password two"), ("One", "password one")]
    changed = country + wifi("New", "password new") + wifi("Two") + wifi("One")
    for moment in range(0, 60, 6):
        card.put(changed)
        card.boot(cut_at=moment)
        card.boot()
        expected = [("New", "password new"), ("Two", "password two"), ("One", "password one")]
        assert list(passwords(card).items()) == expected, moment
        changed = (card.root / "boot/firmware/hikma-hub.toml").read_text() + "\n"


def test_a_network_whose_password_the_hub_never_had_is_refused_not_opened(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    file.write_text(file.read_text().replace('name = "Clinic"', 'name = "New router"'))
    report = card.boot()
    assert report is not None
    assert report.refused is not None
    assert "(line 10: password)" in report.refused
    assert passwords(card) == {"Clinic": "open sesame"}


@pytest.mark.parametrize("text", ["", "\0" * 700, " \n", "# all of it\n", "[hub]\n"])
def test_a_file_that_says_nothing_is_no_wish(card: Flashed, text: str) -> None:
    card.put(FILE)
    card.boot()
    card.put(text)
    report = card.boot()
    assert report is not None
    assert report.host_name == "nord-sud"
    assert "says nothing" in str(report.refused)
    assert passwords(card) == {"Clinic": "open sesame"}
    assert (card.root / "etc/ssh/authorized_keys/technician").exists()
    assert "says nothing" in (card.root / "boot/firmware/hikma-hub-error.txt").read_text()
    kept = card.root / "data/hikma-hub.toml"
    assert kept.read_text().startswith("# For the north")
    assert not [secret for secret in SECRETS if secret in kept.read_text()]
    card.put(kept.read_text())
    report = card.boot()
    assert report is not None
    assert report.refused is None


def test_a_used_file_on_a_fresh_card_is_refused_with_every_line_to_write_again(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    used = file.read_text()
    flash_again(card)
    card.put(used)
    for _ in range(2):
        report = card.boot()
        assert report is not None
        assert report.refused is not None
        for line in ("line 10: password", "line 17: token", "recovery_passphrase"):
            assert line in report.refused
    assert passwords(card) == {}
    card.put(FILE)
    report = card.boot()
    assert report is not None
    assert report.refused is None
    assert passwords(card) == {"Clinic": "open sesame"}


def test_a_file_that_is_gone_is_told_and_what_it_said_stays(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    kept = (card.root / "data/hikma-hub.toml").read_text()
    file.unlink()
    for _ in range(2):
        report = card.boot()
        assert report is not None
        assert "is gone" in str(report.refused)
        assert passwords(card) == {"Clinic": "open sesame"}
    card.put(kept)
    report = card.boot()
    assert report is not None
    assert report.refused is None


@pytest.mark.parametrize("is_used", [False, True], ids=["fresh", "used"])
def test_a_boot_partition_that_is_not_there_is_told_and_the_hub_starts(card: Flashed, *, is_used: bool) -> None:
    if is_used:
        card.put(FILE)
        card.boot()
        (card.root / "boot/firmware/hikma-hub.toml").unlink()
    (card.root / "proc/self/mounts").write_text("/dev/card2 / ext4 ro 0 0\n")
    report = card.boot()
    assert report is not None
    assert report.hub_id
    assert "replace the card" in str(report.refused)


def test_a_file_that_fsck_cut_off_at_the_end_of_a_block_is_not_obeyed(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    key = card.root / "etc/ssh/authorized_keys/technician"
    before, after = file.read_text().split("[ssh]")
    rest = before + "#" * (4095 - len(before.encode())) + "\n"
    file.write_text(rest + "[ssh]" + after)
    assert card.boot() is not None
    file.write_text(rest)
    report = card.boot()
    assert report is not None
    assert "cut off" in str(report.refused)
    assert key.exists()
    file.write_text(rest + "\n")
    report = card.boot()
    assert report is not None
    assert report.refused is None
    assert not key.exists(), "with a line more it is a wish"


def test_an_empty_file_on_a_fresh_card_is_told(card: Flashed) -> None:
    card.put("")
    report = card.boot()
    assert report is not None
    assert "is empty" in str(report.refused)


def test_an_access_point_that_no_radio_can_open_is_not_on_the_label(card: Flashed) -> None:
    card.put(FILE)
    card.boot()
    point = card.root / "data/connections/hikma-access-point.nmconnection"
    point.write_text("[wifi]\nssid=" + "216;185;" * 19 + "\n[wifi-security]\npsk=long enough\n")
    report = card.boot()
    assert report is not None
    assert (report.access_point, report.access_point_password) == (None, None)


class Damaged(Flashed):
    """A card whose boot partition cannot be made writable."""

    @contextlib.contextmanager
    def writable(self, mount: str) -> Iterator[None]:
        if mount == "/boot/firmware":
            raise OperatorError("mount -o failed with 32: cannot remount read-write")
        with super().writable(mount):
            yield


@pytest.mark.parametrize("text", ["[hub]\ncuontry = 1\n", FILE, "", "\0" * 700])
def test_a_boot_partition_that_cannot_be_written_keeps_no_hub_from_starting(tmp_path: Path, text: str) -> None:
    card = Damaged(tmp_path / "damaged")
    card.put(text)
    (card.root / "boot/firmware/hikma-hub.clean").touch()
    for _ in range(2):
        report = card.boot()
        assert report is not None
        assert report.hub_id
        assert report.refused


def test_a_file_that_cannot_be_read_keeps_no_hub_from_starting(card: Flashed) -> None:
    (card.root / "boot/firmware/hikma-hub.toml").mkdir()  # reading it fails as a bad block does: with an OSError
    report = card.boot()
    assert report is not None
    assert report.hub_id
    assert "replace the card" in str(report.refused)


def test_secrets_that_cannot_be_taken_out_are_applied_and_told(tmp_path: Path) -> None:
    card = Damaged(tmp_path / "damaged")
    card.put(FILE)
    for _ in range(2):
        report = card.boot()
        assert report is not None
        assert "could not be taken out" in str(report.refused)
        assert passwords(card) == {"Clinic": "open sesame"}


def test_settings_that_the_page_changed_stay_when_the_file_is_changed_later(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    settings = card.root / "data/hub/hub.toml"
    assert load(settings, {}).hub.language == "ar"
    amend(settings, {("pairing", "minutes"): 25})
    file.write_text(file.read_text().replace("عيادة Nord-Süd", "South"))
    card.boot()
    found = load(settings, {})
    assert (found.hub.name, found.pairing.minutes) == ("South", 25)
    assert found.box.restart_command


def test_a_settings_file_that_nothing_can_read_is_laid_aside_and_made_anew(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    settings = card.root / "data/hub/hub.toml"
    settings.write_text("[pairing\n")
    file.write_text(file.read_text().replace("عيادة Nord-Süd", "South"))
    card.boot()
    assert load(settings, {}).hub.name == "South"
    assert settings.with_name("hub.toml.refused").read_text() == "[pairing\n"


def test_a_network_that_left_the_file_is_forgotten_and_others_stay(card: Flashed) -> None:
    file = card.put(FILE)
    card.boot()
    folder = card.root / "data/connections"
    (folder / "made-on-the-page.nmconnection").touch()
    file.write_text('[hub]\nname = "Alone"\n')
    card.boot()
    assert [path.name for path in folder.iterdir()] == ["made-on-the-page.nmconnection"]


def test_a_wrong_file_is_explained_beside_it_and_the_hub_starts(card: Flashed) -> None:
    card.put('[hub]\nname = "North"\ncuontry = "JO"\n')
    report = card.boot()
    assert report is not None
    assert report.refused == "hikma-hub.toml line 3: hub.cuontry: there is no cuontry here; did you mean country?"
    error = card.root / "boot/firmware/hikma-hub-error.txt"
    assert "line 3" in error.read_text()
    card.put('[hub]\nname = "North"\ncountry = "JO"\n')
    report = card.boot()
    assert report is not None
    assert report.refused is None
    assert not error.exists()
    assert report.host_name == "north"


def test_a_card_whose_maker_forbids_ssh_lets_nobody_in_and_says_so(card: Flashed) -> None:
    unit = card.root / "etc/systemd/system/ssh.service"
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.symlink_to("/dev/null")
    card.put('[ssh]\nkey = "ssh-ed25519 AAAA"\n')
    report = card.boot()
    assert report is not None
    assert report.refused is not None
    assert report.refused.startswith("[ssh]")
    assert not (card.root / "etc/ssh/authorized_keys/technician").exists()


def test_a_partition_that_may_hold_data_is_never_formatted(card: Flashed) -> None:
    card.boot()
    (card.root / "etc/hikma-hub/data.key").chmod(0o600)
    (card.root / "etc/hikma-hub/data.key").write_bytes(bytes(32))
    report = card.boot()
    assert report is not None
    assert report.card is CardShape.GONE
    assert "nothing was formatted" in report.card_why
    card.put_header()  # nothing is left of the header
    report = card.boot()
    assert report is not None
    assert report.card is CardShape.GONE
    assert not [command for command in card.commands if command.startswith(("cryptsetup luksFormat", "mkfs"))]


def test_a_card_that_is_flashed_again_is_a_new_hub(card: Flashed) -> None:
    first = card.boot()
    card.flash()
    second = card.boot()
    assert first is not None
    assert second is not None
    assert first.hub_id != second.hub_id


def test_drawn_passwords_have_no_characters_that_are_read_wrongly() -> None:
    assert not set("il1o0") & set(network._ALPHABET)


def flash_again(card: Flashed) -> Path:
    card.flash()
    for old in (card.root / "boot/firmware").glob("hikma-*"):
        old.unlink()
    for drawn in ("etc/modprobe.d", "etc/localtime", "etc/timezone", "etc/hosts"):
        path = card.root / drawn
        if path.is_symlink() or path.is_file():
            path.unlink()
    return card.put(FILE)


_PASSING = ("dev", "proc", "run", "data/hub/hub.db", "data/proof")


def contents(card: Flashed) -> dict[str, str]:
    """Return what lies on the card, but the database's log, what counts time, and what proves that it takes writes."""
    kept = {}
    for path in sorted(card.root.rglob("*")):
        name = str(path.relative_to(card.root))
        if path.is_file() and not path.is_symlink() and not name.startswith(_PASSING):
            kept[name] = path.read_bytes().hex()
    return {**kept, "header": json.dumps(card.header())}


def test_a_hub_is_enrolled_in_its_fleet_by_its_card(card: Flashed) -> None:
    card.put(FILE)
    card.boot()
    data = card.root / "data/hub"
    settings = load(data / "hub.toml", {}).fleet
    assert (settings.url, settings.ca_file) == ("https://fleet.example", "/var/lib/hikma-hub/fleet-ca.pem")
    assert (data / "fleet.token").read_text() == "token of this hub 01\n"
    assert (data / "fleet.token").stat().st_mode & 0o077 == 0
    assert "BEGIN CERTIFICATE" in (data / "fleet-ca.pem").read_text()
