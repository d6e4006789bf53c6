"""Opens the database at a start: as it is or, where it is damaged, written anew of what can be read of it."""

from collections.abc import Callable
from pathlib import Path

import structlog

from hub.actions.box import mended
from hub.core.errors import Damaged
from hub.core.log_events import LogEvent
from hub.core.status.card import CardShape
from hub.settings import Settings
from hub.store import rebuild, reserve
from hub.store.database import Store

log = structlog.get_logger()


def opened(data: Path, settings: Settings, card: CardShape) -> tuple[Store | None, tuple[str, ...]]:
    """Return the database, if it is one, and what is wrong with it: nothing where it could be written anew."""
    reserve.give(data)
    try:
        store = Store(data, quarantine_max=settings.limits.quarantine_records)
        damage = _check(store, settings)
        if damage and card.keeps:
            store.close()
            note = _written_anew(store.path, damage)
            store = Store(data, quarantine_max=settings.limits.quarantine_records)
            if note:
                note(store)
                damage = ()
        elif not damage and not mended.is_partly(store):
            rebuild.forget(store.path)
        store.card = CardShape.PARTLY if not damage and mended.is_partly(store) else card
    except Damaged as error:
        return None, (str(error),)
    reserve.keep(data)
    return store, damage


def _written_anew(file: Path, damage: tuple[str, ...]) -> Callable[[Store], None] | None:
    """Write it anew, in whole or else in part; returns how to note that, None where neither could be done."""
    if rebuild.anew(file):
        log.warning(LogEvent.DATABASE_MENDED, first=damage[0])
        return mended.in_whole
    if rebuild.in_part(file):
        log.error(LogEvent.DATABASE_SALVAGED, first=damage[0])
        return mended.in_part
    return None


def _check(store: Store, settings: Settings) -> tuple[str, ...]:
    if settings.store.check_at_start == "off":
        return ()
    return tuple(store.check(full=settings.store.check_at_start == "full"))
