"""The one state of the hub."""

import msgspec
import pytest

from hub.core.status import FREE_BYTES_LOW, Facts, State, state

WELL = Facts(free_bytes=FREE_BYTES_LOW)
WORSE: list[tuple[dict[str, object], State]] = [
    ({"damage": ("page 3",)}, State.DAMAGED),
    ({"writable": False}, State.READ_ONLY),
    ({"free_bytes": FREE_BYTES_LOW - 1}, State.DISK_LOW),
    ({"quarantined": 1}, State.QUARANTINE),
    ({"waiting": 1}, State.WAITING),
]


def test_a_hub_with_nothing_wrong_is_safe() -> None:
    assert state(WELL) is State.SAFE


@pytest.mark.parametrize(("fact", "expected"), WORSE)
def test_each_fact_has_its_state(fact: dict[str, object], expected: State) -> None:
    assert state(msgspec.structs.replace(WELL, **fact)) is expected


@pytest.mark.parametrize("worst", range(len(WORSE)))
def test_of_several_facts_the_worst_is_named(worst: int) -> None:
    facts: dict[str, object] = {}
    for fact, _ in WORSE[worst:]:
        facts |= fact
    assert state(msgspec.structs.replace(WELL, **facts)) is WORSE[worst][1]


@pytest.mark.parametrize("named", State)
def test_every_state_says_what_it_means_and_what_to_do(named: State) -> None:
    assert named.sentence.endswith(".")
    assert named.remedy.endswith(".")
