"""Looks at a system on trial from outside, as somebody who depends on it would."""

import http.client
import json
import subprocess
from collections.abc import Callable

from hub.core.update.last import LastUpdate
from hub.core.update.trial import Evidence, Way

_READY_S = 10
_PROGRAM_S = 20
_LIGHTS = "hikma-hub-lights.service"


def look(*, port: int, keep: Callable[[], None], is_opened: bool, before: LastUpdate) -> Evidence:
    """Look once. port: where the hub serves; keep: writes to the card and waits for it, raises OSError.

    before: what went before the update; a board whose lights never ran does not get them by one.
    """
    beside = _ready(port)
    return Evidence(
        wrote=_wrote(keep),
        is_ready=beside is not None,
        is_whole=beside == "well" or not before.whole,
        has_lights=has_lights() or not before.lights,
        is_opened=is_opened,
        ways=ways(),
    )


def is_whole(port: int) -> bool:
    """Whether nothing beside the hub's servers fails, as far as the hub at this port says."""
    return _ready(port) != "failing"


def has_lights() -> bool:
    """Whether the lights run."""
    return _printed("systemctl", "is-active", _LIGHTS) == "active"


def ways() -> frozenset[Way]:
    """Return the networks that are up, as NetworkManager has them; none where it does not answer."""
    lines = _printed("nmcli", "--terse", "--fields", "TYPE,NAME", "connection", "show", "--active").splitlines()
    return frozenset(found for line in lines if (found := _way(*line.partition(":")[::2])))


def _ready(port: int) -> str | None:
    """Return how the hub on this machine, which can serve, says that it goes beside; None where it does not say so."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=_READY_S)
    try:
        asked.request("GET", "/readyz")
        answer = asked.getresponse()
        return json.load(answer)["beside"] if answer.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return None
    finally:
        asked.close()


def _way(kind: str, name: str) -> Way | None:
    match kind:
        case "802-3-ethernet":
            return Way.CABLE
        case "802-11-wireless":
            return Way.ACCESS_POINT if name == "hikma-access-point" else Way.WIFI
        case _:
            return None


def _wrote(keep: Callable[[], None]) -> bool:
    try:
        keep()
    except OSError:
        return False
    return True


def _printed(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROGRAM_S, check=False)  # noqa: S603  fixed programs
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
