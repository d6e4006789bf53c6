"""The organisation's overview, on the settings page: whether this hub is in it, and how the last report ended."""

from collections.abc import Callable
from typing import Any

import msgspec

from hub.core.errors import HubError
from hub.core.fleet.reporting import ReportOutcome
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor


class FleetShown(msgspec.Struct, frozen=True):
    """Where the hub reports, and how that goes; ages in seconds, None for never."""

    url: str
    outcome: str
    """A word of ReportOutcome; "" before the first report."""
    tried_s: int | None
    succeeded_s: int | None


class FleetControl(msgspec.Struct, frozen=True):
    """What the page can do about the overview."""

    shown: Callable[[], FleetShown | None]
    """Gives None where the hub reports nowhere."""
    enroll: Callable[[str, str], object]
    """Reports with a token to an address from now on; raises HubError."""
    leave: Callable[[], object]


def handlers(here: Pages, control: FleetControl, page: Callable[[Visitor, str], Answer]) -> list[Any]:
    """Return the routes of the forms; ``page`` renders the page that they stand on, with what is wrong."""

    def enroll(who: Visitor, form: Form) -> Answer:
        if not who.private:
            return Go("/settings")
        try:
            control.enroll(form.get("url", "").strip(), form.get("token", "").strip())
        except HubError:
            return page(who, who.words.say("The server does not take this address and this token."))
        return Go("/settings", "enrolled")

    def leave(_who: Visitor, _form: Form) -> Answer:
        control.leave()
        return Go("/settings", "left_fleet")

    return [here.action("/settings/fleet", enroll), here.action("/settings/leave-fleet", leave)]


def result(who: Visitor, shown: FleetShown | None) -> tuple[str, bool]:
    """Say how the last report ended, and whether that was well."""
    found = next((one for one in ReportOutcome if shown and one.word == shown.outcome), None)
    return (who.words.say(found.sentence), found.is_well) if found else ("", True)
