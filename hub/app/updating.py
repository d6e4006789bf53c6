"""Updates as the hub's own process has to do with them: what its page can do, and asking the address once a day."""

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path

from hub.actions.cloud import cycles
from hub.app import rules
from hub.app.live_settings import LiveSettings
from hub.core.status.facts import FREE_BYTES_LOW
from hub.core.update import slots
from hub.core.update.told import Told
from hub.core.update.wishes import Look
from hub.desk import Desk
from hub.services.relay import cycle
from hub.services.relay.runner import Runner
from hub.services.update.places import NAME
from hub.services.update.systems import PROC
from hub.settings import Settings
from hub.store.database import Store
from hub.web.pages.updates import UpdateControl
from hub.web.upload import Upload

_BYTES_MAX = 2 * 1000**3
"""More than a system of this card can hold."""
_DAY_S = 86_400.0
_LOOK_S = 600.0
_QUESTION_BYTES = 200_000
"""What asking for a version costs at most: two handshakes, the signature and its certificates."""


def desk(settings: Settings) -> Desk:
    """Return where wishes for updates are left."""
    return Desk(settings.box.update_wish, settings.box.update_told)


def control(store: Store, live: LiveSettings) -> UpdateControl:
    """Return what the page can do."""
    place = Path(store.path.parent) / NAME
    return UpdateControl(
        desk=desk(live.settings),
        # With less left the hub would say that its storage is nearly full.
        upload=Upload(place, most=_BYTES_MAX, left=FREE_BYTES_LOW),
        url=lambda: live.settings.update.url,
        may_fetch=partial(take, store, live),
        has_two=has_two(),
    )


def has_two(proc: Path = PROC) -> bool:
    """Return whether this card has two systems, which nobody has told yet in the first seconds."""
    return slots.booted((proc / "cmdline").read_text("ascii", "replace")) is not None


def take(store: Store, live: LiveSettings, size_bytes: int) -> bool:
    """Count bytes as those of the relay in this month; False, and nothing is counted, where they are over its limit."""
    now, progress = cycle.month(None), cycles.progress(store)
    used = size_bytes + (progress.month_bytes if progress.month == now else 0)
    most = live.settings.relay.month_mb * 1_000_000
    if most and used > most:
        return False
    cycles.advance(store, month=now, month_bytes=used)
    return True


async def ask_daily(store: Store, live: LiveSettings) -> None:
    """Ask the organisation's address for its version once a day, in the hours and within the bytes of the relay."""
    asked_s = -_DAY_S
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_LOOK_S)
        if loop.time() - asked_s >= _DAY_S and await asyncio.to_thread(ask, store, live):
            asked_s = loop.time()


def ask(store: Store, live: LiveSettings) -> bool:
    """Have the address asked for its version; returns whether it is."""
    at = desk(live.settings)
    if not (live.settings.update.url and at.is_open) or at.is_waiting or at.told(Told).doing:
        return False
    if Runner(store, rules.relay_rules(live.settings)).withheld() or not take(store, live, _QUESTION_BYTES):
        return False
    with suppress(OSError):
        at.ask(Look(address=True))
        return True
    return False
