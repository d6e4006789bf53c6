"""Answers handshakes and sealed requests: who speaks, may they, what do they want (S1-S5).

The order of the checks is the order of their cost, and nothing is changed before the last of them.
"""

import re
import threading
import time
from contextlib import nullcontext
from mmap import mmap
from typing import TypeVar
from weakref import WeakValueDictionary

import msgspec

from hub.actions.box import identity
from hub.actions.phones import access
from hub.core import lone_surrogates
from hub.core.errors import Forbidden, Malformed, NotFound, NotServing, PhoneError, TooLarge, Unauthorised, Unavailable
from hub.core.phone import cipher, keys, reach, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.device import Device, DeviceState, newcomer, require_paired
from hub.core.phone.keys import KeyPair, SessionKey
from hub.core.phone.refusal import reason_of
from hub.core.phone.token_life import TokenLife
from hub.core.phone.wire import Command, Envelope, Handshake, HandshakeAnswer, Query
from hub.core.records import ids
from hub.core.records.access import NOBODY, Rights
from hub.core.records.tables import TABLES
from hub.core.status.card import KEEPING
from hub.services.rpc.procedures import PROCEDURES, Call, CallKind
from hub.services.rpc.procedures.registry import Policy, Procedure
from hub.services.rpc.refusals import UNKNOWN, RefusalReason, Refusals
from hub.services.rpc.sessions import Session, Sessions
from hub.services.rpc.throttle import Throttle
from hub.store.database import Store

Buffer = bytes | bytearray | mmap
_T = TypeVar("_T")
_NAMES = frozenset({"id", *(column for table in TABLES.values() for column in table.references)})
"""The parameters of calls that name records."""


class PhoneBounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much phones may take; the settings say it."""

    hub_name: str
    always_open: bool
    """New phones may pair at any time."""
    sessions: int
    sessions_per_device: int
    handshakes_per_minute: int


class Opened(msgspec.Struct, frozen=True):
    """A request that was opened, and may be made; nothing was done yet. ``params`` is JSON."""

    procedure: Procedure
    call: Call
    session: Session
    params: msgspec.Raw


class Reply(msgspec.Struct, frozen=True):
    """A sealed answer, and what a log may say of it."""

    sealed: bytes
    procedure: str
    device: int


class Rpc:
    """The hub as phones see it."""

    def __init__(self, store: Store, bounds: PhoneBounds, policy: Policy) -> None:
        self.sessions = Sessions(most=bounds.sessions, most_per_device=bounds.sessions_per_device)
        self.name = bounds.hub_name
        self._store = store
        self._bounds = bounds
        self._policy = policy
        self._throttle = Throttle(bounds.handshakes_per_minute)
        self._identity = identity.load(store)
        self._device_locks: WeakValueDictionary[int, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()
        self._life = TokenLife(policy.token_days, policy.token_days_max)
        self.refusals = Refusals(store)

    def handshake(self, body: bytes | bytearray, address: str, host: str = "") -> HandshakeAnswer:
        """Agree on a session key with a paired phone, or with a new one while pairing is open.

        Of a new one nothing is kept but the session, until somebody signs in on it (S8).
        host: where the phone reached the hub, by its Host header.
        Raises Malformed, Forbidden (pairing closed, device revoked), TooMany, NotServing.
        """
        self._throttle.take(address, time.monotonic())
        self._check_serving()
        asked = wire.read(Handshake, body)
        client_public = wire.public_key(asked.client_public_key)
        fresh = KeyPair()
        key = keys.hub_session_key(fresh, client_public)  # refuses an unusable key before anything is changed
        device = self._admit(asked)
        if not device.is_new:
            access.note_reached(self._store, device, reach.host_of(host))
        session = Session(client_public, key, fresh.public, address=address)
        session.newcomer = device.name if device.is_new else None
        session = self.sessions.add(device.client_id, session)
        return HandshakeAnswer(
            success=True,
            hub_public_key=wire.encode(session.hub_public),
            hub_id=self._identity.id,
            hub_name=self.name,
            hub_proof=self._proof(session) if asked.prove else msgspec.UNSET,
        )

    def open_query(self, body: Buffer, address: str) -> Opened:
        """Open a sealed query; raises PhoneError."""
        device, session, plaintext = self._open(body, Direction.QUERY)
        asked = _read(Query, plaintext)
        return self._opened(device, session, address, (CallKind.QUERY, asked.query), asked.params, asked.token)

    def open_command(self, body: Buffer, address: str) -> Opened:
        """Open a sealed command; raises PhoneError."""
        device, session, plaintext = self._open(body, Direction.COMMAND)
        asked = _read(Command, plaintext)
        return self._opened(device, session, address, (CallKind.COMMAND, asked.command), asked.data, asked.token)

    def answer(self, opened: Opened) -> Reply:
        """Carry out what was opened; raises PhoneError."""
        procedure, device = opened.procedure, opened.call.device
        params = _named(wire.read(procedure.params, opened.params))
        is_entering = procedure.kind is CallKind.COMMAND and not procedure.public
        try:
            with self._device_lock(device.num) if procedure.one_at_a_time else nullcontext():
                self._check_place(is_entering=is_entering)
                result = procedure.run(opened.call, params)
                self._check_place(
                    is_entering=is_entering
                )  # the stick may have gone meanwhile; the phone sends it again
        except (TooLarge, Unavailable) as error:
            self._note_refused(device.client_id, error)
            raise
        if opened.session.newcomer is not None and access.find(self._store, device.client_id):
            self.sessions.settle(device.client_id)
        is_push = procedure.kind is CallKind.COMMAND
        if device.num in self.refusals.known and not procedure.public:
            self.refusals.came_through(device.num, is_push=is_push)
        answer = result if isinstance(result, bytes) else msgspec.json.encode(result)
        direction = Direction.COMMAND_RESPONSE if is_push else Direction.QUERY_RESPONSE
        return Reply(cipher.seal(opened.session.key, answer, direction), procedure.name, device.num)

    def admit_large(self, head: bytes) -> None:
        """Let a message that begins so be larger than what strangers may send, if somebody is signed in on its phone.

        Raises Unauthorised or Forbidden. Nothing is proven yet: the message is opened when it is there.
        """
        found = _CLIENT_ID.search(head)
        device = access.find(self._store, found[1].decode("ascii")) if found else None
        if device is None or not access.is_signed_in(self._store, device):
            raise Unauthorised("a large message of a phone on which nobody is signed in")
        require_paired(device)

    def note_unread(self, head: bytes, error: PhoneError) -> None:
        """Note that a phone was refused before its message was read; ``head`` is how the message begins."""
        found = _CLIENT_ID.search(head)
        if found:
            self._note_refused(found[1].decode("ascii"), error)

    def _admit(self, asked: Handshake) -> Device:
        try:
            return access.admit(
                self._store,
                asked.client_id,
                asked.device_name,
                always_open=self._bounds.always_open,
                most=self._policy.phones_max,
                has_come=any(session.newcomer is not None for session in self.sessions.of(asked.client_id)),
            )
        except PhoneError as error:
            self._note_refused(asked.client_id, error)
            raise

    def _note_refused(self, client_id: str, error: PhoneError) -> None:
        device = access.find(self._store, client_id)
        reason = reason_of(error, is_known=device is not None)
        if reason:
            self.refusals.note(device.num if device else UNKNOWN, reason)

    def _proof(self, session: Session) -> str:
        who = self._identity.keys
        proof = keys.identity_proof(who, hub_public=session.hub_public, client_public=session.client_public)
        return wire.encode(proof)

    def _open(self, body: Buffer, direction: Direction) -> tuple[Device, Session, bytearray]:
        self._check_serving()
        envelope = wire.read(Envelope, body)
        sealed = wire.payload_bytes(envelope)
        sender = envelope.client_id
        device, live = self._caller(sender)
        del envelope
        if isinstance(body, bytearray):
            body.clear()  # it may be 64 MB, and is not needed any more
        if device is None:
            self.refusals.note(UNKNOWN, RefusalReason.UNKNOWN)
            raise Unauthorised("unknown device")
        if device.state is not DeviceState.PAIRED:
            self.sessions.drop(sender)
            self.refusals.note(device.num, RefusalReason.BLOCKED)
            raise Forbidden("device is revoked")
        nonce = bytes(sealed[: cipher.NONCE_BYTES])
        key, plaintext = cipher.open_with_any(live, sealed, direction)
        self.sessions.spend_nonce(sender, live[key], nonce)
        return device, live[key], plaintext

    def _caller(self, client_id: str) -> tuple[Device | None, dict[SessionKey, Session]]:
        """Return a phone, and its sessions by their keys; one that is not added has those of the open door alone."""
        device, live = access.find(self._store, client_id), self.sessions.of(client_id)
        if device is None:
            live = [session for session in live if session.newcomer is not None]
            device = newcomer(client_id, live[0].newcomer or "") if live else None
        return device, {session.key: session for session in live}

    def _opened(
        self,
        device: Device,
        session: Session,
        address: str,
        wanted: tuple[CallKind, str],
        params: msgspec.Raw,
        token: str | None,
    ) -> Opened:
        procedure = PROCEDURES.get(wanted)
        if procedure is None:
            raise NotFound("no such procedure")
        user = NOBODY if procedure.public else self._rights(device, token)
        return Opened(procedure, Call(self._store, self._policy, device, address, user), session, params)

    def _check_serving(self) -> None:
        if self._store.is_stopped:
            raise NotServing("syncing was stopped on this hub")

    def _check_place(self, *, is_entering: bool) -> None:
        """Raise Unavailable where this hub must take nothing in: another one is it, or a copy is required and away."""
        if is_entering and self._store.is_replaced:
            raise Unavailable("another box is this hub now")
        if is_entering and self._store.card not in KEEPING:
            raise Unavailable("the hub's card takes nothing in")
        copier = self._store.copier
        if is_entering and self._policy.needs_copy and not (copier and copier.is_safe):
            raise Unavailable("what is entered would be on one card only")

    def _device_lock(self, device: int) -> threading.Lock:
        """Return the lock that lets one device do one thing at a time; it is kept while someone holds it."""
        with self._lock:
            return self._device_locks.setdefault(device, threading.Lock())

    def _rights(self, device: Device, token: str | None) -> Rights:
        try:
            return access.rights(self._store, device, token, self._life)
        except Unauthorised:
            self.refusals.note(device.num, RefusalReason.SIGN_IN)
            raise


_CLIENT_ID = re.compile(rb'"client_id"\s{0,8}:\s{0,8}"([!#-\[\]-~]{1,128})"')


def _read(kind: type[_T], plaintext: bytearray) -> _T:
    """Read an opened message.

    JavaScript can hold half a character (an emoji cut in two) and writes it as a lone surrogate, which is no text.
    Such halves become U+FFFD; refusing them would block the phone's sync for good.
    """
    try:
        return wire.read(kind, plaintext)
    except Malformed:
        whole = lone_surrogates.mended(plaintext)
        if whole is plaintext:
            raise
        return wire.read(kind, whole)


def _named(params: _T) -> _T:
    """Bring the ids that a call names into the form in which the hub keeps them (S5)."""
    given = {name: getattr(params, name) for name in _NAMES.intersection(getattr(params, "__struct_fields__", ()))}
    ours = {name: ids.canonical(value) for name, value in given.items() if isinstance(value, str)}
    return msgspec.structs.replace(params, **ours) if ours else params  # type: ignore[type-var]
