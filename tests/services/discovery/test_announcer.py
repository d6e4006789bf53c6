"""The announcer without a network; on one it is a journey."""

import asyncio

import msgspec
import pytest

from hub.actions.box import announced
from hub.actions.box.announced import Announced
from hub.services.discovery import links
from hub.services.discovery.announcer import Announcer
from hub.services.discovery.links import NetworkLink
from hub.services.discovery.presence import Options
from hub.services.discovery.rivals import Rivals
from hub.store.database import Store

OPTIONS = Options(name="Hub", host="0.0.0.0", port=4001, host_name="hikma-hub", always_open=False)  # noqa: S104


def test_a_hub_on_loopback_announces_nothing(store: Store) -> None:
    asyncio.run(Announcer(store, msgspec.structs.replace(OPTIONS, host="127.0.0.1")).run())


def test_a_network_that_fails_does_not_stop_the_hub(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fail() -> tuple[NetworkLink, ...]:
        tried.append(1)
        raise OSError

    monkeypatch.setattr(links, "every", fail)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(Announcer(store, OPTIONS).run(), 0.3))
    assert tried


def test_a_hub_tries_the_name_of_last_time_first(store: Store) -> None:
    announced.keep(store, Announced("hikma-hub", "hikma-hub-3.local"))
    made = Announcer(store, OPTIONS)
    made._known = made._recall()
    assert made._names()[:3] == ["hikma-hub-3.local", "hikma-hub.local", "hikma-hub-2.local"]


def test_a_hub_whose_wanted_name_was_changed_forgets_the_old_one(store: Store) -> None:
    announced.keep(store, Announced("hikma-hub", "hikma-hub-3.local"))
    made = Announcer(store, msgspec.structs.replace(OPTIONS, host_name="north"))
    made._known = made._recall()
    assert made._names()[0] == "north.local"


def test_who_claims_the_name_while_the_hub_has_it_is_kept_for_people(store: Store) -> None:
    made = Announcer(store, OPTIONS)
    asyncio.run(made._name_rivals({b"\x0a\x00\x00\x09"}))
    assert announced.find(store) is None, "there is no name yet"
    asyncio.run(made._keep("hikma-hub-2.local"))
    asyncio.run(made._name_rivals({b"\x0a\x00\x00\x08"}))
    found = announced.find(store)
    assert found is not None
    assert (found.host, found.rivals) == ("hikma-hub-2.local", ("10.0.0.8", "10.0.0.9"))


def test_a_look_that_is_asked_for_ends_the_wait_for_the_next_one(store: Store) -> None:
    async def ask() -> None:
        made = Announcer(store, OPTIONS)
        made.look()  # before anything is announced it does nothing
        made._rivals = Rivals("hikma-hub.local", frozenset())
        waiting = asyncio.create_task(made._rivals.wait(3600))
        await asyncio.sleep(0)
        made.look()
        await waiting

    asyncio.run(ask())
