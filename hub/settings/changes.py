"""Says which settings an administrator may change on the page, from when a change counts, and why not the others."""

from enum import StrEnum
from typing import Final


class Change(StrEnum):
    """How a setting is changed."""

    NOW = "now"
    """On the page; in force at once."""
    RESTART = "restart"
    """On the page; in force when the box was started again."""
    NAMED = "named"
    """By a form of its own on the page, which checks it first; in force at once."""
    REACH = "reach"
    """In the file alone: a wrong value keeps phones and pages from the hub, so nobody could put it right from there."""
    GUARD = "guard"
    """In the file alone: it guards the hub, also against whoever came into an administrator's account."""
    MEASURED = "measured"
    """In the file alone: it was measured, and a wrong value makes the hub slow or lets its memory run out."""
    MACHINE = "machine"
    """In the file alone: it says how the box is built, or what runs on it."""

    @property
    def is_open(self) -> bool:
        """Return whether the page changes the file."""
        return self in {Change.NOW, Change.RESTART}


CHANGES: Final = {
    "hub.name": Change.NAMED,
    "hub.language": Change.NOW,
    "server": Change.REACH,
    "pairing.mode": Change.GUARD,
    "pairing.minutes": Change.NOW,
    "pairing.address": Change.NOW,
    "discovery.enabled": Change.RESTART,
    "discovery.host_name": Change.REACH,
    "lights.brightness": Change.NOW,
    "lights": Change.MACHINE,
    "sync": Change.MEASURED,
    "relay.minutes": Change.NOW,
    "relay.hours_from": Change.NOW,
    "relay.hours_to": Change.NOW,
    "relay.month_mb": Change.NOW,
    "relay": Change.MEASURED,
    "login.token_days": Change.RESTART,
    "login": Change.GUARD,
    "limits": Change.MEASURED,
    "fleet.url": Change.NAMED,
    "fleet.day_kb": Change.NOW,
    "fleet": Change.GUARD,
    "store": Change.GUARD,
    "update": Change.GUARD,
    "copy.required": Change.GUARD,
    "copy.print_passphrase": Change.GUARD,
    "copy": Change.MACHINE,
    "log.level": Change.RESTART,
    "log.format": Change.MACHINE,
    "web.https_port": Change.REACH,
    "web.plain_sign_in": Change.GUARD,
    "web.idle_minutes": Change.NOW,
    "web.show_lights": Change.NOW,
    "web.host_names": Change.GUARD,
    "web.metrics_token_file": Change.GUARD,
    "box": Change.MACHINE,
}
"""By setting, and by section for the rest of it."""


def change(section: str, key: str) -> Change:
    """Return how a setting is changed."""
    return CHANGES.get(f"{section}.{key}") or CHANGES[section]
