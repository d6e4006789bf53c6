"""Any order of work, relay, people and settings, power losses and a stick that is pulled: the copy has all of it.

What is on the stick in the end is made a hub again, and its database compared row by row.
"""

from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from hub.actions.box import copying as actions
from hub.actions.people import administrators, clinics, users
from hub.app import copying
from hub.core.copy.standing import CopyStanding
from hub.services.copy import writer as writers
from hub.services.copy.writer import CopyWriter
from tests.journeys.region import Region
from tests.journeys.test_relay_stateful import Relay, no_time_between_syncs, run
from tests.services.copy.copies import SECRET, contents, rebuilt, standing, until
from tests.simulator.reference import CLINIC_ID

__all__ = ["no_time_between_syncs"]

_PASSWORD = "a password that is long enough"


class CopiedRegion(Region):
    """A region whose hub keeps a copy on a stick."""

    writer: CopyWriter

    @property
    def stick(self) -> Path:
        """Return where it is mounted."""
        return self._folder / "stick"

    @property
    def settings(self) -> Path:
        """Return the settings file, which belongs to the copy."""
        return self.world.store.path.parent / "hub.toml"

    def lose_power(self) -> None:
        """Lose what is in memory, of the copy too."""
        self.writer.close()
        super().lose_power()

    def close(self) -> None:
        """End it."""
        self.writer.close()
        super().close()

    def pull_stick(self) -> None:
        """Pull it in the middle of whatever is written; it is put back at once."""
        self.writer._lose(OSError("pulled"))

    def _open(self) -> None:
        super()._open()
        store = self.world.store
        if actions.config(store) is None:
            self.stick.mkdir()
            copying.start(store, self.stick, SECRET, hub_name="Test Hub")
        self.writer = copying.writer(store, self.settings, hub_name="Test Hub")
        self.writer.start()

    def unlike_copy(self) -> list[str]:
        """Return the tables and files in which a hub that is made of the stick differs from this one."""
        store = self.world.store
        until(lambda: self.writer._files_seen == self.writer._files_now())
        until(lambda: self.writer._copied == actions.last(store) and standing(store) is CopyStanding.SAFE)
        before, settings = contents(store), _text(self.settings)
        made = rebuilt(self.stick, self._folder / "again")
        after = contents(made)
        assert made.check(full=True) == []
        made.close()
        found = [name for name in before if before[name] != after[name]]
        return found + (["hub.toml"] if _text(self._folder / "again" / "hub.toml") != settings else [])


class Copied(Relay):
    """What may happen between a clinic, its cloud, its people and its stick."""

    region_type = CopiedRegion
    region: CopiedRegion

    @rule()
    def a_stick_is_pulled(self) -> None:
        self.region.pull_stick()

    @rule()
    def a_person_is_added(self) -> None:
        value = self.value()
        users.add(
            self.world.store,
            email=f"{value}@clinic.test".replace(" ", ""),
            name=value,
            role="provider",
            clinic_id=CLINIC_ID,
            password=_PASSWORD,
        )

    @rule()
    def a_clinic_is_added(self) -> None:
        clinics.add(self.world.store, f"Clinic {self.value()}")

    @rule()
    def an_administrator_is_added(self) -> None:
        administrators.add(self.world.store, self.value(), _PASSWORD)

    @rule(minutes=st.integers(1, 60))
    def a_setting_is_changed(self, minutes: int) -> None:
        self.region.settings.write_text(f"[pairing]\nminutes = {minutes}\n")

    def check(self) -> None:
        super().check()
        assert self.region.unlike_copy() == []


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess at the passphrase cost nothing, and look for the stick often."""
    monkeypatch.setattr("hub.core.encrypted_stream.recipient._WORK_FACTOR", 4)
    monkeypatch.setattr(writers, "_LOOK_S", 0.05)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_database_is_what_backup_and_journal_give_after_any_story() -> None:
    run(Copied, 6)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
