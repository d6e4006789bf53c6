"""Acknowledged means durable (P1), on a card that loses what was not flushed, cut at random moments under load."""

import os
import random
import threading
import time
from collections.abc import Iterator

import pytest

from hub.demo.phone import Phone
from tests.device import guest
from tests.device.conftest import EMAIL, PASSWORD, Keys, toml
from tests.device.guest import Guest

CUTS = int(os.environ.get("CUTS", "10"))
CONTROLS = 2
_WRITERS = 2
_ROWS = 5
"""New patients of one sync."""
_LOAD_S = (2.0, 8.0)
_BARE = "systemd.mask=hikma-hub-lights.service systemd.mask=hikma-hub-console.service"
"""Neither lamps nor screen: emulated, each start of theirs would cost a cut some seconds."""
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
def losing(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """Give a board whose card loses what was not flushed."""
    made = Guest(
        guest.card(tmp_path_factory.mktemp("losing"), "card", toml(keys)), keys.private, loses=True, words=_BARE
    )
    with made:
        made.ssh("hikma-hub pairing open --minutes 240")
        yield made


def joined(board: Guest, seed: int) -> Phone:
    phone = board.phone(seed)
    phone.pair({"type": "sync_hub", "url": board.url()})
    phone.login(EMAIL, PASSWORD)
    return phone


def load_and_cut(board: Guest, seed: int) -> set[str]:
    """Let phones work, and pull the plug under them; gives what they were promised."""
    nurses = [Nurse(joined(board, seed + number)) for number in range(_WRITERS)]
    for nurse in nurses:
        nurse.start()
    time.sleep(random.uniform(*_LOAD_S))
    board.cut()
    for nurse in nurses:
        nurse.join()
    return set().union(*(nurse.acknowledged for nurse in nurses))


def tell(sentence: str) -> None:
    print(f"\n{sentence}", flush=True)  # noqa: T201  the campaign's protocol


def held(auditor: Phone) -> set[str]:
    outcome = auditor.sync()
    assert outcome.ok, outcome.error
    return {str(row["id"]) for row in auditor.store.rows("patients")}


def test_every_acknowledged_record_is_there_after_every_cut(losing: Guest) -> None:
    auditor = joined(losing, 1)
    promised: set[str] = set()
    for cut in range(CUTS):
        new = load_and_cut(losing, 1000 + cut * 10)
        promised |= new
        losing.power_on()
        missing = promised - held(auditor)
        tell(f"cut {cut + 1}: {len(new)} acknowledged, {len(missing)} missing; {losing.lost}; {losing.boot_s:.0f} s")
        assert not missing
    assert len(promised) > CUTS * _ROWS
    assert losing.hub("status")["state"] != "damaged"


def test_a_hub_that_does_not_wait_for_the_card_is_caught(losing: Guest) -> None:
    auditor = joined(losing, 2)
    lost = 0
    for control in range(CONTROLS):
        losing.ssh(f"mkdir -p {_DROP_IN} && cat >{_DROP_IN}/weak.conf", stdin=_WEAK)
        losing.ssh("systemctl daemon-reload && systemctl restart hikma-hub")
        losing.wait_until_ready()
        promised = load_and_cut(losing, 9000 + control * 10)
        losing.power_on()
        lost += len(promised - held(auditor))
        tell(f"control {control + 1}: {len(promised)} acknowledged, {lost} missing so far; {losing.lost}")
        if lost:
            return
    pytest.fail("a hub that does not flush lost nothing: this test would not notice one that does not")
