"""Answers handshakes and sealed requests: who speaks, may they, what do they want (S1-S5).

The order of the checks is the order of their cost, and nothing is changed before the last of them.
"""

import re
import time
from typing import TypeVar

import msgspec

from hub.actions.box import identity
from hub.core.errors import Forbidden, Malformed, Unauthorised
from hub.core.phone import cipher, keys, reach, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.wire import Command, Envelope, Handshake, HandshakeAnswer, Query
from hub.core.records.access import Rights
from hub.services.rpc import procedures
from hub.services.rpc.procedures import Call, Context, Kind
from hub.services.rpc.procedures.registry import Policy
from hub.services.rpc.sessions import Session, Sessions
from hub.services.rpc.throttle import Throttle
from hub.store.box import state
from hub.store.database import Store
from hub.store.people import users
from hub.store.phones import devices, reached
from hub.store.phones import sessions as kept
from hub.store.phones.devices import Device

_T = TypeVar("_T")


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much phones may take; the settings say it."""

    hub_name: str
    always_open: bool
    """New phones may pair at any time."""
    devices: int
    sessions: int
    sessions_per_device: int
    handshakes_per_minute: int


class Outcome(msgspec.Struct, frozen=True):
    """A sealed answer, and what a log may say of it."""

    sealed: bytes
    procedure: str
    device: int


class Rpc:
    """The hub as phones see it."""

    def __init__(self, store: Store, bounds: Bounds, policy: Policy) -> None:
        self.sessions = Sessions(most=bounds.sessions, most_per_device=bounds.sessions_per_device)
        self.name = bounds.hub_name
        self._store = store
        self._bounds = bounds
        self._context = Context(store, policy)
        self._throttle = Throttle(bounds.handshakes_per_minute)
        self._identity = identity.load(store)
        with store.read() as db:
            self._spent = kept.spent(db)

    def handshake(self, body: bytes | bytearray, address: str, host: str = "") -> HandshakeAnswer:
        """Agree on a session key with a paired phone, or with a new one while pairing is open.

        host: where the phone reached the hub, by its Host header.
        Raises Malformed, Forbidden (pairing closed, device revoked), Conflict (key used before), TooMany.
        """
        self._throttle.take(address, time.monotonic())
        asked = wire.read(Handshake, body)
        client_public = wire.public_key(asked.client_public_key)
        who = self._identity
        key = keys.hub_session_key(who.keys, client_public)  # refuses an unusable key before anything is changed
        device = self._known_or_paired(asked, client_public)
        self._note_reached(device, reach.host_of(host))
        if not self.sessions.live(device.num, client_public):
            self._spend(client_public)
            if who is not self._identity:  # the hub drew a new key pair just now
                who = self._identity
                key = keys.hub_session_key(who.keys, client_public)
            self.sessions.add(device.num, Session(client_public, key))
        return HandshakeAnswer(
            success=True,
            hub_public_key=wire.encode(who.keys.public),
            hub_id=who.id,
            hub_name=self.name,
        )

    def query(self, body: bytes | bytearray, address: str) -> Outcome:
        """Answer a sealed query; raises PhoneError."""
        device, session, plaintext = self._open(body, Direction.QUERY)
        asked = _read(Query, plaintext)
        del plaintext
        return self._answer(
            device, session, address, Kind.QUERY, asked.query, asked.params, asked.token, Direction.QUERY_RESPONSE
        )

    def command(self, body: bytes | bytearray, address: str) -> Outcome:
        """Carry out a sealed command; raises PhoneError."""
        device, session, plaintext = self._open(body, Direction.COMMAND)
        asked = _read(Command, plaintext)
        del plaintext
        return self._answer(
            device, session, address, Kind.COMMAND, asked.command, asked.data, asked.token, Direction.COMMAND_RESPONSE
        )

    def _known_or_paired(self, asked: Handshake, client_public: keys.PublicKey) -> Device:
        with self._store.read() as db:
            device = devices.find(db, asked.client_id)
            is_open = self._bounds.always_open or state.left_s(db, state.PAIRING_UNTIL, self._store.now_ms(db)) > 0
        if device:
            return devices.require_paired(device)
        if not is_open:
            raise Forbidden("pairing is closed")
        with self._store.write() as tx:
            kept.check_unspent(tx.db, client_public)
            return devices.find(tx.db, asked.client_id) or devices.pair(
                tx, asked.client_id, asked.device_name, most=self._bounds.devices
            )

    def _note_reached(self, device: Device, host: str) -> None:
        with self._store.read() as db:
            is_known = not host or reached.of(db, device.num) == host
        if not is_known:
            with self._store.write(durable=False) as tx:
                reached.note(tx, device.num, host)

    def _spend(self, client_public: keys.PublicKey) -> None:
        """Never let a client key open a session twice.

        A captured handshake would bring its key back, and with it every message captured under that key.
        """
        with self._store.write(durable=False) as tx:
            kept.spend(tx, client_public)
        self._spent += 1
        if self._spent >= kept.SPENT_KEYS:
            fresh = identity.draw_new_keys(self._store)
            self._identity = identity.Identity(self._identity.id, fresh)
            self._spent = 0
            self.sessions.clear()

    def _open(self, body: bytes | bytearray, direction: Direction) -> tuple[Device, Session, bytes]:
        envelope = wire.read(Envelope, body)
        sealed = wire.payload_bytes(envelope)
        with self._store.read() as db:
            device = devices.find(db, envelope.client_id)
        del envelope
        if isinstance(body, bytearray):
            body.clear()  # it may be 64 MB, and is not needed any more
        if device is None:
            raise Unauthorised("unknown device")
        if device.state is not devices.State.PAIRED:
            self.sessions.drop(device.num)
        devices.require_paired(device)
        live = {session.key: session for session in self.sessions.of(device.num)}
        key, plaintext = cipher.open_with_any(live, sealed, direction)
        self.sessions.spend_nonce(device.num, live[key], sealed)
        return device, live[key], plaintext

    def _answer(
        self,
        device: Device,
        session: Session,
        address: str,
        kind: Kind,
        name: str,
        params: msgspec.Raw,
        token: str | None,
        direction: Direction,
    ) -> Outcome:
        procedure = procedures.find(kind, name)
        rights = None if procedure.public else self._rights(device, token)
        answer = procedure.answer(Call(self._context, device, address, rights), params)
        return Outcome(cipher.seal(session.key, answer, direction), name, device.num)

    def _rights(self, device: Device, token: str | None) -> Rights:
        """Return what the token's user may do; raises Unauthorised unless it was issued to this device (S5)."""
        with self._store.read() as db:
            user_id = token and kept.token_user(db, token, device=device.num, now_ms=self._store.now_ms(db))
            user = users.find(db, user_id) if user_id else None
            if user is None or user.is_deleted:
                raise Unauthorised("no valid token")
            return users.rights(db, user)


_LONE_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def _read(kind: type[_T], plaintext: bytes) -> _T:
    """Read an opened message.

    JavaScript can hold half a character (an emoji cut in two) and writes it as a lone surrogate, which is no text.
    Such halves become U+FFFD; refusing them would block the phone's sync for good.
    """
    try:
        return wire.read(kind, plaintext)
    except Malformed:
        mended = _LONE_SURROGATE.sub(lambda match: match[1] + (match[2] or rb"\ufffd"), plaintext)
        if mended == plaintext:
            raise
        return wire.read(kind, mended)
