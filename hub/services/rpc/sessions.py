"""Keeps the live sessions: a few recent keys for each device, and the nonces each has seen (S3, S8).

They live in memory alone: a phone shakes hands before almost every call, so a restart costs it nothing.
"""

import threading
from collections import OrderedDict

from hub.core.errors import Conflict, Unauthorised
from hub.core.phone.cipher import NONCE_BYTES
from hub.core.phone.keys import PublicKey, SessionKey

NONCES = 512
"""Messages in one session; a phone that wants more shakes hands again. The app sends two or three.

What a stranger with a captured client_id can make a device's 128 sessions remember is 6 MB.
"""


class Session:
    """One session of a device."""

    __slots__ = ("client_public", "key", "nonces")

    def __init__(self, client_public: PublicKey, key: SessionKey) -> None:
        self.client_public = client_public
        self.key = key
        self.nonces: set[bytes] = set()


class Sessions:
    """All live sessions, newest last; the oldest end when there are too many."""

    def __init__(self, *, most: int, most_per_device: int) -> None:
        self._most = most
        self._most_per_device = most_per_device
        self._by_device: dict[int, OrderedDict[PublicKey, Session]] = {}
        self._order: OrderedDict[tuple[int, PublicKey], None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, device: int, session: Session) -> None:
        """Begin a session."""
        with self._lock:
            own = self._by_device.setdefault(device, OrderedDict())
            own[session.client_public] = session
            self._order[device, session.client_public] = None
            if len(own) > self._most_per_device:
                self._end(device, next(iter(own)))
            if len(self._order) > self._most:
                self._end(*next(iter(self._order)))

    def live(self, device: int, client_public: PublicKey) -> bool:
        """Return whether this handshake's session is still there."""
        with self._lock:
            return client_public in self._by_device.get(device, ())

    def of(self, device: int) -> list[Session]:
        """Return a device's sessions, newest first: a call mostly follows its own handshake."""
        with self._lock:
            return list(reversed(self._by_device.get(device, OrderedDict()).values()))

    def spend_nonce(self, device: int, session: Session, sealed: bytes | bytearray) -> None:
        """Accept a message's nonce once; raises Conflict for a replay, Unauthorised when the session is worn out."""
        nonce = bytes(sealed[:NONCE_BYTES])
        with self._lock:
            if nonce in session.nonces:
                raise Conflict("message was sent before")
            if len(session.nonces) >= NONCES:
                self._end(device, session.client_public)
                raise Unauthorised("session is worn out")
            session.nonces.add(nonce)

    def drop(self, device: int) -> None:
        """End all sessions of a device."""
        with self._lock:
            for public in list(self._by_device.get(device, ())):
                self._end(device, public)

    def clear(self) -> None:
        """End all sessions."""
        with self._lock:
            self._by_device.clear()
            self._order.clear()

    def __len__(self) -> int:
        """Count the live sessions."""
        return len(self._order)

    def _end(self, device: int, public: PublicKey) -> None:
        own = self._by_device.get(device, OrderedDict())
        if own.pop(public, None) is None:
            return  # another thread was faster
        del self._order[device, public]
        if not own:
            del self._by_device[device]
