from collections.abc import Callable

import pytest

from hub.core.update.trial import Evidence, Need
from hub.services.update import proving


@pytest.mark.parametrize(
    ("is_well", "missing", "ends_s"),
    [
        (lambda _: True, (), 60),
        (lambda at_s: at_s > 100, (), 160),
        (lambda at_s: at_s % 50 > 20, (Need.READY,), 600),
        (lambda at_s: at_s > 580, (), 645),
        (lambda _: False, (Need.READY,), 600),
    ],
    ids=["at once", "after a while", "again and again", "at the last moment", "never"],
)
def test_a_system_is_kept_when_it_stays_well_for_a_minute(
    is_well: Callable[[float], bool], missing: tuple[Need, ...], ends_s: float
) -> None:
    clock = [0.0]

    def look() -> Evidence:
        is_ready = is_well(clock[0])
        return Evidence(wrote=True, is_ready=is_ready, is_whole=True, has_lights=True, is_opened=True, ways=frozenset())

    def rest(seconds: float) -> None:
        clock[0] += seconds

    assert proving.watch(look, (), now_s=lambda: clock[0], rest=rest) == missing
    assert clock[0] == pytest.approx(ends_s, abs=5)
