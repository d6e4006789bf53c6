import pytest
from msgspec.structs import replace

from hub.core.update import trial
from hub.core.update.trial import Evidence, Need, Verdict, Way

WELL = Evidence(wrote=True, is_ready=True, is_whole=True, has_lights=True, is_opened=True, ways=frozenset())


@pytest.mark.parametrize(
    ("field", "need"),
    [
        ("wrote", Need.WRITE),
        ("is_ready", Need.READY),
        ("is_whole", Need.WORK),
        ("has_lights", Need.LIGHTS),
        ("is_opened", Need.FIRST_BOOT),
    ],
)
def test_each_thing_that_is_not_shown_is_named(field: str, need: Need) -> None:
    assert trial.missing(WELL, ()) == ()
    assert trial.missing(replace(WELL, **{field: False}), ()) == (need,)


def test_of_a_hub_that_does_not_answer_nothing_more_is_said() -> None:
    assert trial.missing(replace(WELL, is_ready=False, is_whole=False), ()) == (Need.READY,)


@pytest.mark.parametrize(
    ("before", "now", "missing"),
    [
        ({Way.WIFI}, {Way.WIFI}, ()),
        ({Way.WIFI}, {Way.ACCESS_POINT}, ()),
        ({Way.ACCESS_POINT, Way.CABLE}, {Way.ACCESS_POINT}, ()),
        ({Way.WIFI, Way.CABLE}, {Way.CABLE}, (Need.NETWORK,)),
        ({Way.WIFI}, set(), (Need.NETWORK,)),
        ({Way.CABLE}, {Way.CABLE}, ()),
        ({Way.CABLE}, {Way.WIFI}, ()),
        ({Way.CABLE}, set(), (Need.NETWORK,)),
        (set(), set(), ()),
    ],
)
def test_phones_can_come_again_as_they_came_before(before: set[Way], now: set[Way], missing: tuple[Need, ...]) -> None:
    assert trial.missing(replace(WELL, ways=frozenset(now)), before) == missing


@pytest.mark.parametrize(
    ("age_s", "steady_s", "verdict"),
    [
        (0, 0, Verdict.WAIT),
        (59, 59, Verdict.WAIT),
        (60, 60, Verdict.KEEP),
        (599, 0, Verdict.WAIT),
        (600, 0, Verdict.GIVE_UP),
        (600, 59, Verdict.WAIT),
        (900, 60, Verdict.KEEP),
    ],
)
def test_a_system_is_kept_when_it_was_well_for_a_minute_and_given_up_after_ten(
    age_s: float, steady_s: float, verdict: Verdict
) -> None:
    assert trial.verdict(age_s=age_s, steady_s=steady_s) is verdict
