"""The organisation's address: whether what is there can be asked for now, and how large it is."""

import http.client
import subprocess
from contextlib import closing
from http import HTTPStatus
from urllib.parse import urlsplit

from hub.core.errors import UpdateRefused
from hub.core.update.refusal import Refusal

_S = 30
_METERED = {"u 1", "u 3"}
"""NM_METERED_YES, and what NetworkManager guesses to be one (its D-Bus interface: "Metered")."""
_NM = "org.freedesktop.NetworkManager"


def refuse_metered() -> None:
    """Raise UpdateRefused where an update would be paid by volume."""
    if _is_metered():
        raise UpdateRefused(Refusal.METERED)


def _is_metered() -> bool:
    """Whether the line of now is paid by volume, as NetworkManager knows; not where it does not answer."""
    command = ("busctl", "get-property", _NM, f"/{_NM.replace('.', '/')}", _NM, "Metered")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_S, check=False)  # noqa: S603  a fixed program
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() in _METERED


def size_bytes(url: str) -> int:
    """Ask how large the file at an https:// address is, in some kB. Raises UpdateRefused where it does not answer."""
    try:
        parts = urlsplit(url)
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        with closing(http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=_S)) as asked:
            asked.request("HEAD", path)
            answer = asked.getresponse()
            if answer.status != HTTPStatus.OK:
                raise UpdateRefused(Refusal.NO_LINE)
            return max(0, int(answer.getheader("content-length", "0")))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UpdateRefused(Refusal.NO_LINE) from error
