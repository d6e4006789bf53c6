"""Acknowledged means durable (P1), on a card that loses what was not flushed, cut at random moments under load."""

import os
import random
import threading
import time
from collections.abc import Iterator

import pytest

from tests.device.conftest import paired, tell
from tests.device.guest import Guest
from tests.simulator.phone import Phone

CUTS = int(os.environ.get("CUTS", "10"))
CONTROLS = 2
_WRITERS = 2
_ROWS = 5
"""New patients of one sync."""
_LOAD_S = (2.0, 8.0)
_FREEZES = 5
"""So often it is tried to stop it in time."""
_DROP_IN = "/run/systemd/system/hikma-hub.service.d"
_WEAK = """[Service]
ExecStart=
ExecStart=/opt/hikma-hub/bin/python3 -c "import hub.store.database as d; w = d.Store.write; \\
d.Store.write = lambda self, *, durable=True: w(self, durable=False); from hub.cli import main; main()" serve
"""
"""A hub that does not wait for the card (synchronous=NORMAL), to show that this test would see the loss."""


class Nurse(threading.Thread):
    """A phone that enters patients and syncs until the hub is gone; ``acknowledged`` is what it was promised."""

    def __init__(self, phone: Phone) -> None:
        super().__init__(daemon=True)
        self._phone = phone
        self.acknowledged: set[str] = set()

    def run(self) -> None:
        """Work."""
        while True:
            made = {
                str(self._phone.create("patients", {"given_name": "A", "surname": "B"})["id"]) for _ in range(_ROWS)
            }
            if not self._phone.sync().ok:
                return
            self.acknowledged |= made


@pytest.fixture(scope="module")
def cut_often(losing: Guest) -> Iterator[Guest]:
    """Return the board switched off; it starts from where first boot opens the data, which spares it half of a start.

    Nothing of the data partition was read by then, so each start finds what the cut before it left.
    """
    losing.ssh("systemctl start hikma-hub-clock && sync")
    losing.cut()
    for _ in range(_FREEZES):
        losing.freeze("reading hikma-hub.toml")
        if "opening the data partition" not in losing.serial:
            break
    else:
        pytest.fail("it was never stopped before it opened its data")
    yield losing
    if losing.frozen:
        losing.cut()
        losing.frozen = False


def load_and_cut(board: Guest, phones: list[Phone]) -> set[str]:
    """Let phones work until they were promised something, and pull the plug under them; returns what that was."""
    nurses = [Nurse(phone) for phone in phones]
    for nurse in nurses:
        nurse.start()
    time.sleep(random.uniform(*_LOAD_S))
    while not any(nurse.acknowledged for nurse in nurses) and any(nurse.is_alive() for nurse in nurses):
        time.sleep(random.uniform(0, 1))
    board.cut()
    for nurse in nurses:
        nurse.join()
    return set().union(*(nurse.acknowledged for nurse in nurses))


def held(auditor: Phone) -> set[str]:
    outcome = auditor.sync()
    assert outcome.ok, outcome.error
    return {str(row["id"]) for row in auditor.store.rows("patients")}


def test_a_hub_that_does_not_wait_for_the_card_is_caught(cut_often: Guest) -> None:
    cut_often.power_on()
    auditor, *phones = (paired(cut_often, seed) for seed in range(11, 12 + _WRITERS))
    lost = 0
    for control in range(1, CONTROLS + 1):
        cut_often.ssh(f"mkdir -p {_DROP_IN} && cat >{_DROP_IN}/weak.conf", stdin=_WEAK)
        cut_often.ssh("systemctl daemon-reload && systemctl restart hikma-hub")
        cut_often.wait_until_ready()
        promised = load_and_cut(cut_often, phones)
        cut_often.power_on()
        lost += len(promised - held(auditor))
        tell(f"control {control}: {len(promised)} acknowledged, {lost} missing so far; {cut_often.lost}")
        if lost:
            return
    pytest.fail("a hub that does not flush lost nothing: this test would not notice one that does not")


@pytest.mark.timeout(0)
def test_p1_every_acknowledged_record_is_there_after_every_cut(cut_often: Guest) -> None:
    if not cut_often.is_on:
        cut_often.power_on()
    auditor, *phones = (paired(cut_often, seed) for seed in range(1, 2 + _WRITERS))
    promised: set[str] = set()
    for cut in range(1, CUTS + 1):
        new = load_and_cut(cut_often, phones)
        promised |= new
        cut_often.frozen = cut < CUTS  # the last start is one from cold
        cut_often.power_on()
        missing = promised - held(auditor)
        tell(f"cut {cut}: {len(new)} acknowledged, {len(missing)} missing; {cut_often.lost}; {cut_often.boot_s:.0f} s")
        assert not missing, cut_often.evidence()
    assert len(promised) > CUTS * _ROWS
    assert cut_often.hub("status")["state"] != "damaged"
