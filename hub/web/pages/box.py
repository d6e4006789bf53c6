"""The page of this device: its condition, what its lights mean, and restarting it, switching it off or finding it."""

import threading
from collections.abc import Callable
from typing import Any

import structlog

from hub import __version__
from hub.actions.box import identity, serving
from hub.actions.box import locate as locating
from hub.actions.people import audit
from hub.core import encrypted_stream
from hub.core.errors import OperatorError
from hub.core.log_events import LogEvent
from hub.core.status.facts import FREE_BYTES_LOW, HOT_C
from hub.core.status.lights import PATTERNS, Light
from hub.core.status.state import light
from hub.services.discovery import adapters
from hub.services.machine import measures
from hub.services.machine.switch import Switch
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor

_LOCATE_S = 60
_GRACE_S = 1.0
"""The answer reaches the browser before the machine goes."""
_ABOUT_BUTTON = frozenset({Light.PRESSED, Light.REFUSED, Light.HELD, Light.STOPPING})

log = structlog.get_logger()


def handlers(here: Pages, store: Store, switch: Switch, pages: Callable[[], list[str]]) -> list[Any]:
    """Return the routes; ``pages`` gives the addresses of the pages."""

    def show(who: Visitor, _query: Form) -> Answer:
        return page(here, store, switch, who)

    def locate(_who: Visitor, _form: Form) -> Answer:
        locating.start(store, _LOCATE_S)
        return Go("/box", "locating")

    def stop(_who: Visitor, _form: Form) -> Answer:
        serving.stop(store)
        return Go("/box", "sync_stopped")

    def go_on(_who: Visitor, _form: Form) -> Answer:
        serving.go_on(store)
        return Go("/box", "sync_goes_on")

    def restart(_who: Visitor, _form: Form) -> Answer:
        return later(store, "box.restarted", switch.restart, "restarting")

    def shut_down(_who: Visitor, _form: Form) -> Answer:
        return later(store, "box.shut_down", switch.shut_down, "shutting_down")

    def show_sheet(who: Visitor, _query: Form) -> Answer:
        return sheet(here, store, pages, who)

    switches = [
        here.action("/box/restart", restart) if switch.restart_command else None,
        here.action("/box/shut-down", shut_down) if switch.shutdown_command else None,
    ]
    return [
        here.page("/box", show),
        here.page("/emergency-sheet", show_sheet),
        here.action("/box/locate", locate),
        here.action("/box/stop-syncing", stop),
        here.action("/box/start-syncing", go_on),
        *filter(None, switches),
    ]


def sheet(here: Pages, store: Store, pages: Callable[[], list[str]], who: Visitor, passphrase: str = "") -> Answer:
    """Show the emergency sheet; a recovery passphrase stands on it once, when it was chosen."""
    hub_id = identity.load(store).id
    return here.render(
        "sheet.html", who, hub_id=hub_id, pages=pages(), version=__version__, recovery_passphrase=passphrase
    )


def page(here: Pages, store: Store, switch: Switch, who: Visitor, wrong: str = "", *, erase_wrong: str = "") -> Answer:
    """Show the box; ``wrong`` is what was wrong with the passphrase of a backup, or with the wish to erase it."""
    facts = here.watch.facts
    return here.render(
        "box.html",
        who,
        status=400 if wrong or erase_wrong else 200,
        wrong=wrong,
        erase_wrong=erase_wrong,
        can_erase=bool(switch.erase_command),
        passphrase_chars=encrypted_stream.PASSPHRASE_CHARS_MIN,
        found=measures.measure(store.path.parent),
        adapters=adapters.every(),
        version=__version__,
        database_bytes=store.size_bytes(),
        hot_c=HOT_C,
        disk_low_bytes=FREE_BYTES_LOW,
        light=light(facts),
        patterns=[(light, pattern) for light, pattern in PATTERNS.items() if light not in _ABOUT_BUTTON],
        can_restart=bool(switch.restart_command),
        can_shut_down=bool(switch.shutdown_command),
    )


def later(store: Store, event: str, act: Callable[[], None], done: str) -> Answer:
    """Do it in a moment; what was noted is on disk before."""
    audit.note(store, event)

    def run() -> None:
        try:
            act()
        except OperatorError as error:
            log.error(LogEvent.POWER_FAILED, event_name=event, reason=str(error))  # noqa: TRY400  the reason says it all

    threading.Timer(_GRACE_S, run).start()
    return Go("/box", done)
