"""How often a nurse must tap until a phone has everything (P10, P11), on small clinics."""

from pathlib import Path

import pytest

from tests.simulator.taps import Past


@pytest.mark.parametrize("page_bytes", [40_000, 60_000])
def test_p11_a_new_phone_shows_nobody_in_part_and_needs_few_taps(tmp_path: Path, page_bytes: int) -> None:
    past = Past(tmp_path, 300, page_bytes=page_bytes)
    taps = past.follow("a new phone", past.phone(3))
    past.close()
    assert (taps.is_complete, taps.failed, taps.in_part) == (True, 0, 0)
    assert taps.taps <= 300 * 700 / page_bytes + 2
    assert taps.names > 0


def test_p11_who_was_away_gets_what_is_new_and_nothing_else(tmp_path: Path) -> None:
    past = Past(tmp_path, 200)
    phone = past.phone(3)
    past.follow("", phone)
    past.work(50)
    taps = past.follow("six months away", phone)
    past.close()
    assert (taps.is_complete, taps.failed, taps.taps) == (True, 0, 1)
    assert taps.pulled < 120
