"""The one state of the hub."""

import msgspec
import pytest

from hub.core.status import state as states
from hub.core.status.card import CardShape
from hub.core.status.facts import FREE_BYTES_FULL, FREE_BYTES_LOW, HOT_C, Facts, Trouble, is_full
from hub.core.status.lights import PATTERNS, Light
from hub.core.status.state import HubState, Level, state

WELL = Facts(free_bytes=FREE_BYTES_LOW, synced_ago_s=60)
CLOUD: dict[str, object] = {"cloud": True}
WORSE: list[tuple[dict[str, object], HubState]] = [
    ({"answering": False}, HubState.NOT_ANSWERING),
    ({"card": CardShape.GONE}, HubState.CARD_GONE),
    ({"damage": ("page 3",)}, HubState.DAMAGED),
    ({"card": CardShape.PARTLY}, HubState.PARTLY),
    ({"ready": False}, HubState.STARTING),
    ({"card": CardShape.FAILED}, HubState.CARD_FAILED),
    ({"writable": False}, HubState.READ_ONLY),
    ({"replaced": True}, HubState.REPLACED),
    ({"full": True}, HubState.DISK_FULL),
    ({"stopped": True}, HubState.STOPPED),
    ({"turned_away": 1}, HubState.TURNED_AWAY),
    ({"free_bytes": FREE_BYTES_LOW - 1}, HubState.DISK_LOW),
    ({"power_weak": True}, HubState.POWER_WEAK),
    ({"temperature_c": HOT_C}, HubState.HOT),
    ({"quarantined": 1}, HubState.QUARANTINE),
    (CLOUD | {"held": 1}, HubState.ON_HOLD),
    ({"copies": 1}, HubState.ONE_COPY),
    ({"clock_wrong": True}, HubState.CLOCK_WRONG),
    (CLOUD | {"lost": 1}, HubState.CLOUD_LOST),
    (CLOUD | {"waiting": 1}, HubState.WAITING),
    (CLOUD | {"unproven": 1}, HubState.UNPROVEN),
    (CLOUD | {"synced_ago_s": None}, HubState.NO_PHONE),
    (CLOUD, HubState.IN_CLOUD),
]
TROUBLES: list[tuple[dict[str, object], HubState]] = [
    ({"trouble": Trouble.KEY}, HubState.KEY_REFUSED),
    ({"trouble": Trouble.PAUSED}, HubState.PAUSED),
    ({"trouble": Trouble.NO_CLINIC}, HubState.NO_CLINIC),
    ({"trouble": Trouble.CLOUD, "waiting": 1}, HubState.CLOUD_FAILING),
    ({"trouble": Trouble.LINE, "waiting": 1}, HubState.LINE_LOST),
    ({"trouble": Trouble.LINE}, HubState.OFFLINE),
]


def facts(**given: object) -> Facts:
    return msgspec.structs.replace(WELL, **given)


def test_a_hub_with_nothing_wrong_is_safe() -> None:
    assert state(WELL) is HubState.SAFE


@pytest.mark.parametrize(("fact", "expected"), WORSE)
def test_each_fact_has_its_state(fact: dict[str, object], expected: HubState) -> None:
    assert state(facts(**fact)) is expected


@pytest.mark.parametrize(("fact", "expected"), TROUBLES)
def test_each_trouble_with_the_cloud_has_its_state(fact: dict[str, object], expected: HubState) -> None:
    assert state(facts(**CLOUD, **fact)) is expected


@pytest.mark.parametrize(
    ("free_bytes", "turned_away", "full"),
    [
        (FREE_BYTES_FULL, 0, False),
        (FREE_BYTES_FULL - 1, 0, True),
        (FREE_BYTES_LOW - 1, 1, True),
        (FREE_BYTES_LOW, 1, False),
    ],
)
def test_storage_is_full_when_a_push_does_not_fit(free_bytes: int, turned_away: int, *, full: bool) -> None:
    assert is_full(free_bytes, turned_away) is full


def test_a_hub_whose_stick_has_everything_says_so() -> None:
    assert state(facts(copies=2)) is HubState.ON_STICK


def test_what_the_cloud_has_is_no_worry_without_the_stick() -> None:
    assert state(facts(**CLOUD, copies=1)) is HubState.IN_CLOUD
    assert state(facts(**CLOUD, copies=1, unproven=1)) is HubState.ONE_COPY


def test_every_state_is_reached() -> None:
    assert {expected for _, expected in WORSE + TROUBLES} | {HubState.SAFE, HubState.ON_STICK} == set(HubState)


@pytest.mark.parametrize("worst", range(len(WORSE)))
def test_of_several_facts_the_worst_is_named(worst: int) -> None:
    given: dict[str, object] = {}
    for fact, _ in WORSE[worst:]:
        given = fact | given
    assert state(facts(**given)) is WORSE[worst][1]


def test_a_hub_without_a_cloud_waits_for_nothing() -> None:
    assert state(facts(waiting=5)) is HubState.SAFE


def test_nothing_is_called_safe_in_the_cloud_before_it_was_seen_there() -> None:
    for trouble in (None, Trouble.LINE, Trouble.CLOUD):
        assert state(facts(cloud=True, unproven=1, trouble=trouble)) is HubState.UNPROVEN


@pytest.mark.parametrize("named", HubState)
def test_every_state_says_what_it_means_and_what_to_do(named: HubState) -> None:
    for text in named.texts:
        for words in filter(None, (text.one, text.many)):
            assert words.endswith(".")
        assert bool(text.many) == bool(text.of)


@pytest.mark.parametrize(
    ("given", "light"),
    [
        ({}, Light.SAFE),
        ({"syncing": 1}, Light.SYNCING),
        ({"syncing": 1, "pairing_left_s": 5}, Light.PAIRING),
        ({"cloud": True, "relaying": True, "waiting": 3}, Light.RELAYING),
        ({"quarantined": 1, "pairing_left_s": 5}, Light.QUARANTINE),
        ({"ready": False, "syncing": 1}, Light.STARTING),
        ({"damage": ("x",), "locating_left_s": 5}, Light.LOCATE),
        ({"answering": False, "locating_left_s": 5}, Light.FAULT),
    ],
)
def test_the_lights_show_what_is_wrong_before_what_goes_on(given: dict[str, object], light: Light) -> None:
    assert states.light(facts(**given)) is light


def test_every_attention_and_alarm_shows_red_and_nothing_else_does() -> None:
    for named in HubState:
        shows_red = any(step.levels.red for step in PATTERNS[named.value.light].steps)
        assert shows_red == (named.level in {Level.ATTENTION, Level.ALARM})
