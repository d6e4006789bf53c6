"""Phones of little memory: pages find their size, and one record that is too large holds up nothing (P10)."""

import msgspec
import pytest

from hub.actions.phones import devices
from hub.core.phone.page_size import MIB
from tests.hubs import POLICY, InProcessHub, changes, row
from tests.simulator.phone import Phone
from tests.store.pulls import OTHER, patients
from tests.store.pushes import push
from tests.web.site import Site

DEFAULT = msgspec.structs.replace(POLICY, page_bytes=8 * MIB)


def with_much(hub: InProcessHub, megabytes: int) -> None:
    """Push visits of 10 kB each."""
    for start in range(megabytes):
        rows = [row("visits", f"v{start}-{number}", patient_id="p", metadata="x" * 10_000) for number in range(100)]
        push(hub.store, changes("visits", created=rows), device=OTHER)


def phone_of(hub: InProcessHub, memory_mib: float) -> Phone:
    phone = hub.phone()
    phone.memory_bytes = int(memory_mib * MIB)
    return phone


@pytest.mark.parametrize("size", [11_000_000, 6_000_000])
def test_p10_a_record_that_a_phone_cannot_take_holds_up_nothing_and_is_named(hub: InProcessHub, size: int) -> None:
    hub.restart(policy=DEFAULT)
    phone = phone_of(hub, 5)
    push(hub.store, changes("events", created=[row("events", "huge", form_data="x" * size)]), device=OTHER)
    push(hub.store, patients("p", primary_clinic_id=hub.clinic_id), device=OTHER)
    with_much(hub, 6)
    phone.create("patients", {"id": "own", "primary_clinic_id": hub.clinic_id})
    outcomes = [phone.sync().ok for _ in range(5)]
    assert len(phone.store.table("visits")) == 600
    assert phone.store.find("patients", "p")
    outcomes += [phone.sync().ok for _ in range(5)]
    assert outcomes.count(False) <= 3
    assert [False] * 2 not in [outcomes[place : place + 2] for place in range(9)]
    assert outcomes[-3:] == [True] * 3
    assert phone.store.find("events", "huge") is None
    [listed] = devices.every(hub.store)
    assert [(large.table, large.record_id) for large in listed.too_large] == [("events", "huge")]
    assert listed.too_large[0].size_bytes > size
    assert listed.behind == 1
    hub.close()
    with Site(hub.data) as site:
        site.set_up()
        site.sign_in()
        assert "Too large for this phone: Completed form huge" in site.get("/phones").text
    hub.restart()


def test_p10_a_large_record_reaches_a_phone_that_can_take_it(hub: InProcessHub) -> None:
    hub.restart(policy=DEFAULT)
    phone = phone_of(hub, 100)
    push(hub.store, changes("events", created=[row("events", "huge", form_data="x" * 11_000_000)]), device=OTHER)
    assert [phone.sync().ok for _ in range(3)] == [True] * 3
    assert phone.store.find("events", "huge")
    [listed] = devices.every(hub.store)
    assert (listed.too_large, listed.behind) == ((), 0)


def test_p11_pages_grow_to_what_a_phone_can_take_and_start_there_next_time(hub: InProcessHub) -> None:
    hub.restart(policy=DEFAULT)
    phone = phone_of(hub, 100)
    with_much(hub, 21)
    pulled = [phone.sync().pulled for _ in range(4)]
    assert [round(count / 100) for count in pulled] == [4, 8, 8, 0]
    phone.cursor = None  # the app was installed anew
    assert phone.sync().pulled > 700


def test_p10_a_phone_of_little_memory_gets_everything_after_a_few_failures(hub: InProcessHub) -> None:
    hub.restart(policy=DEFAULT)
    phone = phone_of(hub, 2.5)
    with_much(hub, 12)
    outcomes = [phone.sync().ok for _ in range(14)]
    assert len(phone.store.table("visits")) == 1200
    assert outcomes.count(False) <= 3
    assert outcomes[-8:] == [True] * 8
