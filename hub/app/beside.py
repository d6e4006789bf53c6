"""What runs beside the servers: it is announced, indexed, relayed, reported, and proven that the hub works.

What no phone waits for is imported when they serve, in threads: the schedule of the relay, and the announcements.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from hub.actions.box import write_check
from hub.actions.records import search_index
from hub.app import fleet, rules, updating
from hub.app.live_settings import LiveSettings
from hub.late import Late
from hub.services.fleet.reporter import Reporter
from hub.services.machine import watchdog
from hub.settings import Settings
from hub.store.database import Store
from hub.web.frame import Pages

if TYPE_CHECKING:
    from hub.services.discovery import announcer, presence
    from hub.services.relay import schedule
else:
    announcer = Late("hub.services.discovery.announcer")
    presence = Late("hub.services.discovery.presence")
    schedule = Late("hub.services.relay.schedule")

ANSWERED_S = 1.0
"""So long after a write whoever wrote has the answer."""

Beside: TypeAlias = Callable[[], Coroutine[None, None, None]]
"""It runs until it is cancelled."""


def every(store: Store, live: LiveSettings, shown: Pages, begun: asyncio.Event) -> list[Beside]:
    """Return all that runs beside the servers of a hub that keeps records; ``begun`` is set when they begin."""
    settings = live.settings
    announce = partial(_announce, store, settings, shown, begun)
    announcing: list[Beside] = [announce] if settings.discovery.enabled else []
    return [
        guarding(settings, partial(write_check.reaches_card, store)),
        *announcing,
        partial(indexing, store),
        partial(_relay, store, live, begun),
        Reporter(store, partial(fleet.current, store, live)).run,
        partial(updating.ask_daily, store, live),
    ]


def guarding(settings: Settings, prove: Callable[[], bool]) -> Beside:
    """Return what tells the watchdog that the hub works, as long as ``prove`` says so."""
    return partial(watchdog.keep, os.environ, (settings.server.host, settings.server.port), prove)


async def indexing(store: Store) -> None:
    """Index for the search, a little after each write, the patients who came many at once."""
    loop, written = asyncio.get_running_loop(), asyncio.Event()

    def hear() -> None:
        loop.call_soon_threadsafe(written.set)

    store.after_commit.append(hear)
    try:
        while True:
            while await asyncio.to_thread(search_index.index_some, store):
                pass
            await written.wait()
            written.clear()
            await asyncio.sleep(ANSWERED_S)
    finally:
        store.after_commit.remove(hear)


async def _announce(store: Store, settings: Settings, shown: Pages, begun: asyncio.Event) -> None:
    await begun.wait()
    made = await asyncio.to_thread(lambda: announcer.Announcer)
    options = presence.Options(
        name=settings.hub.name,
        host=settings.server.host,
        port=settings.server.port,
        host_name=settings.discovery.host_name,
        always_open=settings.pairing.mode == "open",
    )
    announcing = made(store, options)
    shown.after_form.append(announcing.look)
    try:
        await announcing.run()
    finally:
        shown.after_form.remove(announcing.look)


async def _relay(store: Store, live: LiveSettings, begun: asyncio.Event) -> None:
    await begun.wait()
    made = await asyncio.to_thread(lambda: schedule.Schedule)
    relaying = made(store, rules.relay_rules(live.settings))
    with live.followed(lambda new: relaying.apply(rules.relay_rules(new))):
        await relaying.run()
