"""Refuses browsers that came by a name that is not the hub's (hub.core.own_names); phones are not asked."""

import time
from collections.abc import Callable

from hub.core import own_names
from hub.core.errors import WrongHost
from hub.web.body import AnyRequest
from hub.web.visitor import host_of

_FRESH_S = 2.0
"""Names are looked up so seldom: they change when the hub moves."""


class OwnNames:
    """Checks requests against the names and the addresses of now."""

    def __init__(self, names: Callable[[], frozenset[str]], addresses: Callable[[], tuple[str, ...]]) -> None:
        self._names = names
        self._addresses = addresses
        self._known: frozenset[str] = frozenset()
        self._until = 0.0

    def check(self, request: AnyRequest) -> None:
        """Raise WrongHost for a name that is not ours; who names none is no browser."""
        header = request.headers.get("host", "")
        if header and not self._is_own(host_of(header)):
            raise WrongHost("not a name of this hub")

    def _is_own(self, host: str) -> bool:
        now = time.monotonic()
        if now > self._until:
            self._known, self._until = self._names(), now + _FRESH_S
        return own_names.is_own(host, self._known, ()) or own_names.is_own(host, self._known, self._addresses())
