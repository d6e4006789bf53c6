"""What a sample says, and that it says nothing but numbers and the hub's own words."""

import msgspec
import pytest

from hub.core.cloud.cycle_outcome import Outcome
from hub.core.fleet import health as healths
from hub.core.fleet import ring, series, totals
from hub.core.fleet.health import Counted, Health, Machine, health
from hub.core.fleet.hour import Hour
from hub.core.fleet.sample_time import ClockQuality
from hub.core.fleet.series import HELP, Series
from hub.core.fleet.totals import Total
from hub.core.status.facts import Facts
from hub.core.status.state import HubState

WELL = Facts(free_bytes=10**10, cloud=True, synced_ago_s=60)
EXACT = ClockQuality.EXACT


def of(facts: Facts = WELL, hour: Hour | None = None, **counted: dict[str, int]) -> Health:
    given = msgspec.convert(counted, Counted)
    return health(facts, (hour or Hour()).take(facts), given, Machine(kernel="6.1 secret #1"), "1.2.0.dev0")


def test_an_hour_keeps_its_worst_state_its_heat_and_its_weak_power_however_short_they_were() -> None:
    hour = Hour().take(WELL)
    for facts in (
        msgspec.structs.replace(WELL, writable=False),
        msgspec.structs.replace(WELL, temperature_c=84.5),
        msgspec.structs.replace(WELL, power_weak=True, clock_wrong=True, temperature_c=50.0),
        WELL,
    ):
        hour = hour.take(facts)
    assert hour == Hour(HubState.READ_ONLY, 84.5, power_weak=True, clock_wrong=True)
    told = series.told(of(hour=hour), EXACT)
    assert told[Series("state", (("state", "in_cloud"),))] == 1
    assert told[Series("worst_state", (("state", "read_only"),))] == 1
    assert told[Series("temperature_celsius")] == 84.5


def test_a_word_that_is_over_goes_to_nought_once() -> None:
    before = of(msgspec.structs.replace(WELL, quarantined=3), quarantined={"invalid_id": 3}, refused={"blocked": 1})
    now = of()
    told = series.told(now, EXACT, before)
    assert told[Series("state", (("state", "quarantine"),))] == 0
    assert told[Series("state", (("state", "in_cloud"),))] == 1
    assert told[Series("quarantined_records", (("reason", "invalid_id"),))] == 0
    assert told[Series("phones_refused", (("reason", "blocked"),))] == 0
    again = series.told(of(), EXACT, now)
    assert Series("state", (("state", "quarantine"),)) not in again


def test_everything_told_has_a_help_and_every_help_is_told() -> None:
    facts = msgspec.structs.replace(WELL, temperature_c=40.0, relayed_ago_s=3)
    machine = Machine(disk_bytes=1, memory_free_bytes=1, uptime_s=1, wear_percent=10, card_errors=0)
    counted = Counted(
        refused={"blocked": 1}, quarantined={"other": 1}, on_hold={"other": 1}, totals={totals.relays("done"): 1}
    )
    full = msgspec.structs.replace(health(facts, Hour().take(facts), counted, machine, "1"), copies=2)
    assert {one.name for one in series.told(full, EXACT)} == set(HELP)


def test_what_the_machine_does_not_tell_is_no_number() -> None:
    told = {one.name for one in series.told(of(), EXACT)}
    assert told.isdisjoint({"card_errors", "card_wear_percent", "temperature_celsius", "copies", "disk_bytes"})


def test_words_that_are_not_the_hubs_own_are_counted_as_other() -> None:
    assert healths.known({"a": 1, "Amina": 2, "Zahra": 3}, frozenset({"a"})) == {"a": 1, "other": 5}
    told = series.told(of(totals={"Amina": 4, "relays.Amina": 4, "relays.done": 2}), EXACT)
    assert not any("Amina" in str(one) for one in told)
    assert told[Series("relays_total", (("outcome", "done"),))] == 2


def test_a_version_holds_nothing_but_what_versions_are_made_of() -> None:
    versions = next(one for one in series.told(of(), EXACT) if one.name == "info").labels
    assert dict(versions) == {"version": "1.2.0.dev0", "schema": "0", "kernel": "6.1secret1"}


@pytest.mark.parametrize("outcome", Outcome)
def test_every_way_in_which_a_relay_ends_can_be_counted(outcome: Outcome) -> None:
    assert totals.outcome_of(totals.relays(outcome.word)) == outcome.word


def test_totals_begin_at_nought_so_that_their_first_step_is_seen() -> None:
    told = series.told(of(), EXACT)
    assert all(told[Series(f"{total}_total")] == 0 for total in Total)


def test_a_sample_is_due_when_an_hour_of_running_is_over() -> None:
    assert ring.is_due(5, None)
    assert not ring.is_due(1000 + ring.EVERY_MS - 1, 1000)
    assert ring.is_due(1000 + ring.EVERY_MS, 1000)


def test_sixty_days_of_samples_are_small() -> None:
    counts = {f"code_{number}": 10_000 for number in range(60)}
    full = of(quarantined=counts, on_hold=counts)
    assert len(msgspec.json.encode(full)) < 4000
    assert len(msgspec.json.encode(of())) < 600
