"""Keeps the live sessions: a few recent keys for each device, and the nonces each has seen (S3, S8).

They live in memory alone: a phone shakes hands before almost every call, so a restart costs it nothing. Of a phone that
is not added yet a session is all there is: whoever floods an open door makes the hub write nothing.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from hub.core.errors import Conflict, Unauthorised
from hub.core.phone import session_room
from hub.core.phone.keys import PublicKey, SessionKey
from hub.core.phone.session_room import Held

NONCES = 512
"""Messages in one session; a phone that wants more shakes hands again. The app sends two or three.

What a stranger with a captured client_id can make a device's 128 sessions remember is 6 MB.
"""


USED_S = 3600.0
"""A session ends so long after its last message: the app shakes hands before almost every call."""
UNUSED_S = 24 * 3600.0
"""One under which nothing was sent yet: a paired phone may wait for somebody to sign in."""
_SWEEP_S = 60.0
_IDLE_S = 60.0
"""A session that carried messages and rested so long is done with: the longest page is stored by then."""


class Session:
    """One session of a device; the hub's private half of it is gone already."""

    __slots__ = ("address", "client_public", "hub_public", "key", "newcomer", "nonces", "since_s")

    def __init__(self, client_public: PublicKey, key: SessionKey, hub_public: PublicKey, *, address: str = "") -> None:
        self.address = address
        self.client_public = client_public
        self.key = key
        self.hub_public = hub_public
        self.newcomer: str | None = None
        """The name that a phone which is not added yet gives itself; None for one that is added."""
        self.nonces: set[bytes] = set()
        self.since_s = 0.0
        """When it began, or was last used."""

    @property
    def is_proven(self) -> bool:
        """Whether a message was opened under it, on a phone that is added: strangers send messages too."""
        return bool(self.nonces) and self.newcomer is None

    def is_over(self, now_s: float) -> bool:
        """Whether it was not used for too long."""
        return now_s - self.since_s >= (USED_S if self.nonces else UNUSED_S)


class Sessions:
    """All live sessions. When there are too many, those go that strangers can make without end: see ``_give_way``."""

    def __init__(self, *, most: int, most_per_device: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._most = most
        self._most_per_device = most_per_device
        self._by_device: dict[str, OrderedDict[PublicKey, Session]] = {}
        self._order: OrderedDict[tuple[str, PublicKey], Session] = OrderedDict()
        self._unproven: dict[str, OrderedDict[tuple[str, PublicKey], None]] = {}
        """By address: the sessions that anybody there can make without end."""
        self._swept_s = clock()
        self._lock = threading.Lock()

    def add(self, device: str, session: Session) -> Session:
        """Begin a session; returns the one that the same handshake began already, if its answer was lost."""
        key = device, session.client_public
        with self._lock:
            session.since_s = self.clock()
            self._sweep(session.since_s)
            there = self._order.get(key)
            if there is not None and not there.is_over(session.since_s):
                return there
            self._end(*key)
            self._by_device.setdefault(device, OrderedDict())[session.client_public] = session
            self._order[key] = session
            self._unproven.setdefault(session.address, OrderedDict())[key] = None
            if len(self._by_device[device]) > self._most_per_device:
                self._end(device, self._give_way_of(device))
            if len(self._order) > self._most:
                self._end(*self._give_way())
            return session

    def of(self, device: str) -> list[Session]:
        """Return a device's sessions, newest first: a call mostly follows its own handshake."""
        with self._lock:
            now_s = self.clock()
            own = self._by_device.get(device, OrderedDict())
            return [session for session in reversed(own.values()) if not session.is_over(now_s)]

    def spend_nonce(self, device: str, session: Session, nonce: bytes) -> None:
        """Accept a message's nonce once; raises Conflict for a replay, Unauthorised when the session is worn out."""
        with self._lock:
            if nonce in session.nonces:
                raise Conflict("message was sent before")
            if len(session.nonces) >= NONCES:
                self._end(device, session.client_public)
                raise Unauthorised("session is worn out")
            session.nonces.add(nonce)
            if session.is_proven:
                self._prove(device, session)
            session.since_s = self.clock()

    def settle(self, device: str) -> None:
        """Take a newcomer's sessions for those of a phone that is added."""
        with self._lock:
            for session in self._by_device.get(device, {}).values():
                session.newcomer = None
                if session.is_proven:
                    self._prove(device, session)

    def drop(self, device: str) -> None:
        """End all sessions of a device."""
        with self._lock:
            for public in list(self._by_device.get(device, ())):
                self._end(device, public)

    def heard_at(self) -> set[str]:
        """Return the addresses from which phones were heard: messages were opened that came from there."""
        with self._lock:
            return {session.address for session in self._order.values() if session.is_proven}

    def __len__(self) -> int:
        """Count the live sessions."""
        return len(self._order)

    def _sweep(self, now_s: float) -> None:
        if now_s - self._swept_s < _SWEEP_S:
            return
        self._swept_s = now_s
        for key in [key for key, session in self._order.items() if session.is_over(now_s)]:
            self._end(*key)

    def _give_way(self) -> tuple[str, PublicKey]:
        """Return the session that ends when there are too many: one that is done with, where there is one.

        Handshakes cost nothing and prove nothing: the oldest unproven one of the address that has most of them goes,
        so that a flood ends its own. Where each address has but one the oldest newcomer goes, and only without any the
        oldest proven one: the app shakes hands again before its next call.
        """
        idle = next((key for key, session in self._order.items() if self._is_idle(session)), None)
        if idle:
            return idle
        ahead = max(self._unproven.values(), key=len, default=OrderedDict())
        if len(ahead) > 1:
            return next(iter(ahead))
        newcomers = (key for key, session in self._order.items() if session.newcomer is not None)
        oldest = next(newcomers, None)
        if oldest and oldest != next(reversed(self._order)):  # who has just come finds room
            return oldest
        return next((key for key, session in self._order.items() if session.is_proven), next(iter(self._order)))

    def _give_way_of(self, device: str) -> PublicKey:
        """Return the session of a device that ends for the sake of its newest."""
        own = list(self._by_device[device].items())[:-1]
        held = [Held(one.address, one.is_proven, self._is_idle(one)) for _, one in own]
        return own[session_room.gives_way(held)][0]

    def _is_idle(self, session: Session) -> bool:
        return session.is_proven and self.clock() - session.since_s >= _IDLE_S

    def _prove(self, device: str, session: Session) -> None:
        waiting = self._unproven.get(session.address)
        if waiting is not None:
            waiting.pop((device, session.client_public), None)
            if not waiting:
                del self._unproven[session.address]

    def _end(self, device: str, public: PublicKey) -> None:
        session = self._order.pop((device, public), None)
        if session is None:
            return  # another thread was faster
        self._prove(device, session)
        own = self._by_device[device]
        del own[public]
        if not own:
            del self._by_device[device]
