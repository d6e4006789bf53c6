"""A box dies, another one is made of its backup, and the phones go on (O4)."""

import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from hub.actions.box import identity
from hub.app import backup
from hub.core.encrypted_stream import age
from hub.store.database import Store, hub_time
from tests.hubs import EMAIL, NOW_MS, PASSWORD, InProcessHub, ServedHub, prepare
from tests.simulator.comparison import differences
from tests.simulator.phone import Phone
from tests.store.pulls import hours_pass

pytestmark = pytest.mark.slow

SECRET = "four words are enough"


class Ward:
    """A hub as a process, and model phones that know it by its address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.clinic = prepare(folder / "first")
        self.hub = ServedHub(folder / "first")
        self.hub.start()
        self.phones = [self._joined(number) for number in range(3)]

    def patient(self, phone: Phone, name: str) -> str:
        """Register a patient."""
        return str(phone.create("patients", {"given_name": name, "primary_clinic_id": self.clinic})["id"])

    def sync(self, *phones: Phone, rounds: int = 1) -> None:
        """Let phones sync, or all of them; nobody pairs or signs in for it."""
        for _ in range(rounds):
            for phone in phones or self.phones:
                outcome = phone.sync()
                assert outcome.ok, outcome.error

    def backup(self) -> Path:
        """Back the hub up while it serves."""
        file = self._folder / "hub.backup"
        done = self.hub.cli("backup", "--out", str(file), "--passphrase-stdin", stdin=SECRET + "\n")
        assert done.returncode == 0, done.stderr
        return file

    def replace(self, file: Path) -> None:
        """Let the hub die, and put one made of the backup in its place, at its address."""
        dead, self.hub = self.hub, ServedHub(self._folder / "second")
        dead.close()
        done = self.hub.cli("restore", str(file), "--passphrase-stdin", stdin=SECRET + "\n")
        assert done.returncode == 0, done.stderr
        self.hub.port, self.hub.url = dead.port, dead.url
        self.hub.start()
        for phone in self.phones:
            assert phone.session is not None
            phone.session.transport = self.hub.connect()

    def time_ms(self) -> int:
        """Return the hub time that is stored."""
        store = Store(self.hub.data)
        with store.read() as db:
            found = hub_time(db)
        store.close()
        return found

    def _joined(self, number: int) -> Phone:
        phone = Phone(
            rng=random.Random(number), now_ms=lambda: NOW_MS + number, connect=lambda _url: self.hub.connect()
        )
        phone.pair({"type": "sync_hub", "url": self.hub.url})
        phone.login(EMAIL, PASSWORD)
        return phone


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    made = Ward(tmp_path)
    yield made
    made.hub.close()


def names(phone: Phone) -> set[str]:
    return {str(row["given_name"]) for row in phone.store.rows("patients")}


def shown(phone: Phone, patient: str, column: str) -> object:
    row = phone.store.find("patients", patient)
    assert row is not None
    return row[column]


def test_o4_phones_go_on_without_pairing_and_what_was_backed_up_is_there(ward: Ward) -> None:
    one, two, three = ward.phones
    for phone, name in zip(ward.phones, ("Amina", "Lucía", "Tadesse"), strict=True):
        ward.patient(phone, name)
    shared = ward.patient(one, "Shared")
    ward.sync(rounds=2)
    file = ward.backup()

    late = ward.patient(one, "Late")
    two.edit("patients", shared, {"hometown": "Gaza"})
    ward.sync(one, two, one)
    dead_ms = ward.time_ms()
    ward.replace(file)
    assert ward.time_ms() > dead_ms

    # Phones that the dead hub served after the backup, and one that it did not, go on as if nothing had been.
    ward.patient(three, "After")
    ward.sync(three, one, two, three)
    backed_up = {"Amina", "Lucía", "Tadesse", "Shared", "After"}
    assert backed_up <= names(one) & names(two) & names(three)
    # What only phones know is not overwritten with what is older; the hub does not know it yet.
    assert shown(one, late, "given_name") == "Late"
    assert shown(one, shared, "hometown") == shown(two, shared, "hometown") == "Gaza"
    assert "Late" not in names(three)

    # A force upload on each phone brings to the new hub what was acknowledged after the backup.
    for phone in (one, two):
        assert phone.force_upload().ok
    ward.sync(rounds=3)
    assert "Late" in names(three)
    assert shown(three, shared, "hometown") == "Gaza"
    assert [differences(phone.store, three.store) for phone in (one, two)] == [[], []]


def test_o4_the_new_box_is_the_same_hub_and_no_old_session_opens_it(ward: Ward) -> None:
    before = Store(ward.hub.data)
    who = identity.load(before)
    before.close()
    phone = ward.phones[0]
    captured = phone.session.hub.public_key if phone.session else ""
    ward.replace(ward.backup())
    after = Store(ward.hub.data)
    assert identity.load(after).id == who.id
    after.close()
    assert phone.pair({"type": "sync_hub", "url": ward.hub.url}).public_key != captured
    phone.login(EMAIL, PASSWORD)
    ward.sync(rounds=2)


@pytest.mark.parametrize("seed", range(12))
def test_o4_whatever_was_done_before_and_after_the_backup_comes_together_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(age, "_WORK_FACTOR", 4)
    rng = random.Random(seed)
    hub = InProcessHub(tmp_path / "first")
    clock = count(NOW_MS)
    phones = [hub.phone(number, now_ms=lambda: next(clock)) for number in range(3)]
    entered: dict[str, int] = {}

    def work(steps: int) -> None:
        """Enter, edit (each patient on the phone that entered it) and sync, in any order."""
        for _ in range(steps):
            number = rng.randrange(3)
            phone, own = phones[number], [patient for patient, by in entered.items() if by == number]
            match rng.choice(("enter", "edit", "sync", "sync")):
                case "enter":
                    made = phone.create("patients", {"given_name": "Amina", "primary_clinic_id": hub.clinic_id})
                    entered[str(made["id"])] = number
                case "edit" if own:
                    phone.edit("patients", rng.choice(own), {"hometown": f"town {rng.randrange(10**6)}"})
                case _:
                    assert phone.sync().ok

    work(40)
    content = b"".join(backup.encrypted(hub.store, SECRET, tmp_path / "none.toml"))
    work(40)
    hub.close()
    backup.restore([content], tmp_path / "second", SECRET)
    hub.data = tmp_path / "second"
    hub.restart()
    wanted = {patient: shown(phones[number], patient, "hometown") for patient, number in entered.items()}
    for phone in phones:
        assert phone.force_upload().ok
    for _ in range(4):
        hours_pass(hub, 1)  # what is in doubt is not asked within seconds of another sync
        for phone in phones:
            assert phone.sync().ok
    for phone in phones:
        assert {patient: shown(phone, patient, "hometown") for patient in entered} == wanted
    assert [differences(phones[0].store, phone.store) for phone in phones[1:]] == [[], []]
    hub.close()
