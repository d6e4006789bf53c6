"""The model phone: a faithful, synchronous client that pairs, signs in, works on its own rows and syncs.

It does what the unmodified app was seen to do, faults included (PROTOCOL.md, as read from the phone's side), so
that a hub which satisfies it satisfies the app. Network, clock and randomness are given by the caller.
"""

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.simulator import conversion, habits, incoming, javascript, outgoing, rpc
from tests.simulator.local_store import LocalStore, LocalStoreError
from tests.simulator.rows import Row, Value, Values
from tests.simulator.rpc import CallFailedError, Channel, Failure, PairedHub
from tests.simulator.transport import HttpTransport, NetworkLostError, Transport

CREDENTIAL_CHARS_MIN = 4


@dataclass(slots=True)
class Session:
    """What the phone remembers of the hub that it is paired with."""

    url: str
    transport: Transport
    hub: PairedHub
    token: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in."""

    user_id: str
    name: str
    clinic_id: str
    role: str


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """How a sync ended; the app shows one sentence for every error."""

    ok: bool
    pulled: int = 0
    pushed: int = 0
    error: str = ""


class Phone:
    """One phone with the app installed.

    rng: draws client_id and row ids; two phones need two differently seeded ones.
    now_ms: the phone's clock, which may be wrong.
    connect: makes the transport for the url of a QR code.
    memory_bytes: the largest answer, in bytes of JSON, that the app can decode; a larger one ends it.
    next_app: the app is a later one, with more tables.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        now_ms: Callable[[], int],
        connect: Callable[[str], Transport] = HttpTransport,
        name: str = "phone",
        memory_bytes: int | None = None,
        next_app: bool = False,
    ) -> None:
        self.name = name
        self._next_app = next_app
        self.memory_bytes = memory_bytes
        self._rng = rng
        self._now_ms = now_ms
        self._connect = connect
        self.client_id = self._new_client_id()
        self.store = LocalStore(rng, now_ms, next_app=next_app)
        self.session: Session | None = None
        self.user: User | None = None
        self.cursor: int | float | None = None

    # Pairing and signing in

    def pair(self, qr: Mapping[str, object], *, check_pk: bool = False, keep_cursor: bool = True) -> PairedHub:
        """Pair by the QR payload {type, url, id, pk}; the token is gone until the next login.

        The app looks at neither pk nor id; ``check_pk`` asks for the proof that it does not ask for. The old cursor
        stays, even from another hub, unless ``keep_cursor`` says otherwise.
        """
        url = qr.get("url")
        if qr.get("type") != "sync_hub" or not isinstance(url, str) or not url:
            raise CallFailedError(Failure.INVALID_QR, "not the QR code of a hub")
        transport = self._connect(url)
        hub = rpc.handshake(transport, self.client_id, identity=str(qr.get("pk")) if check_pk else None)
        self.session = Session(url, transport, hub)
        self.user = None
        if not keep_cursor:
            self.cursor = None
        return hub

    def unpair(self) -> None:
        """Forget the hub; client_id, rows and cursor stay."""
        self.session = None
        self.user = None

    def reinstall(self, *, keep_client_id: bool = False) -> None:
        """Start with an empty database; iOS may keep client_id over it."""
        self.unpair()
        self.store = LocalStore(self._rng, self._now_ms, next_app=self._next_app)
        self.cursor = None
        if not keep_client_id:
            self.client_id = self._new_client_id()

    def copied(
        self, *, rng: random.Random, now_ms: Callable[[], int], connect: Callable[[str], Transport], name: str
    ) -> "Phone":
        """Return another phone onto which a backup of this one was put: it has client_id, rows, cursor and sign-in."""
        copy = Phone(rng=rng, now_ms=now_ms, connect=connect, name=name, memory_bytes=self.memory_bytes)
        copy._next_app = self._next_app
        copy.client_id, copy.user, copy.cursor = self.client_id, self.user, self.cursor
        copy.store = self.store.copied(rng, now_ms)
        if self.session:
            copy.session = replace(self.session, transport=connect(self.session.url))
        return copy

    def heartbeat(self) -> bool:
        """Return whether the hub answers; any 2xx counts."""
        try:
            status, _ = self._paired().transport.get("/rpc/heartbeat")
        except (CallFailedError, NetworkLostError):
            return False
        return rpc.is_ok(status)

    def login(self, email: str, password: str) -> User:
        """Sign in under the pairing handshake's key; raises CallFailedError and stays signed out otherwise."""
        if min(len(email), len(password)) < CREDENTIAL_CHARS_MIN:
            raise CallFailedError(Failure.NOT_SENT, f"email and password need {CREDENTIAL_CHARS_MIN} characters")
        session = self._paired()
        channel = Channel(session.transport, self.client_id, session.hub.key, session.token)
        answer = channel.command("login", {"email": email, "password": password})
        fields = answer if isinstance(answer, dict) else {}
        # The app writes the token into the session before it looks whether there is one.
        session.token = _text(fields.get("token")) or None
        user_id, name = _text(fields.get("user_id")), _text(fields.get("provider_name"))
        if not session.token or not user_id or not name:
            self.user = None
            raise CallFailedError(Failure.SIGN_IN_INCOMPLETE, "token, user_id or provider_name is missing")
        self.user = User(user_id, name, _text(fields.get("clinic_id")), _text(fields.get("role")))
        return self.user

    # Syncing

    def sync(self, *, during_push: Callable[[], object] | None = None) -> SyncOutcome:
        """Handshake, pull, apply, push what is new here, store the cursor.

        ``during_push`` runs while the push is under way: what it edits is marked synced without being sent.
        """
        pulled = pushed = 0
        try:
            channel = self._channel()
            asked = self._last_pulled_at()
            answer = channel.query("sync_pull", {"lastPulledAt": asked})
            fields = answer if isinstance(answer, dict) else {}
            pulled = incoming.count(fields.get("changes"))
            incoming.apply(self.store, fields.get("changes"))
            changes = outgoing.local_changes(self.store)
            if changes:
                channel.command("sync_push", {"changes": changes, "lastPulledAt": asked}, during_push)
                outgoing.mark_synced(self.store, changes, self._now_ms())
                pushed = outgoing.count(changes)
        except (CallFailedError, LocalStoreError) as error:
            return SyncOutcome(ok=False, pulled=pulled, pushed=pushed, error=str(error))
        self.cursor = javascript.number(fields.get("timestamp"))
        return SyncOutcome(ok=True, pulled=pulled, pushed=pushed)

    def force_upload(self, since_ms: float = 0) -> SyncOutcome:
        """Send all rows made or edited after ``since_ms`` and set the cursor to the phone's own clock."""
        changes = outgoing.changes_since(self.store, since_ms)
        if not changes:
            return SyncOutcome(ok=True)
        try:
            self._channel().command("sync_push", {"changes": changes, "lastPulledAt": since_ms})
        except CallFailedError as error:
            return SyncOutcome(ok=False, error=str(error))
        self.cursor = self._now_ms()
        return SyncOutcome(ok=True, pushed=outgoing.count(changes))

    def force_download(self, since_ms: float = 0) -> SyncOutcome:
        """Pull from ``since_ms`` whatever the cursor is, with conversion; push nothing."""
        pulled = 0
        try:
            answer = self._channel().query("sync_pull", {"lastPulledAt": since_ms})
            fields = answer if isinstance(answer, dict) else {}
            conversion.convert(fields.get("changes"), self._now_ms())
            pulled = incoming.count(fields["changes"])
            incoming.apply(self.store, fields["changes"])
        except (CallFailedError, LocalStoreError) as error:
            return SyncOutcome(ok=False, pulled=pulled, error=str(error))
        self.cursor = javascript.number(fields.get("timestamp"))
        return SyncOutcome(ok=True, pulled=pulled)

    # Online mode

    def query(self, name: str, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  any JSON
        """Send a query in online mode; a handshake precedes every call."""
        return self._channel().query(name, params or {})

    def command(self, name: str, data: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  any JSON
        """Send a command in online mode; a handshake precedes every call."""
        return self._channel().command(name, data or {})

    # Working on the rows

    def create(self, table: str, values: Values) -> Row:
        """Make a row as the app does: JSON columns are given as plain JSON text and stored with its habits."""
        row = self.store.create(table, habits.stored(table, {"metadata": "{}", **values}))
        patient = self.store.find("patients", row.get("patient_id")) if table == "appointments" else None
        if patient is not None:
            self.store.edit(
                "patients", str(patient["id"]), {"metadata": habits.patient_metadata(patient, self._now_ms())}
            )
        return row

    def edit(self, table: str, row_id: str, values: Mapping[str, Value]) -> Row:
        """Change columns of a row; LookupError when there is none to be seen."""
        return self.store.edit(table, row_id, habits.stored(table, values))

    def soft_delete(self, table: str, row_id: str) -> Row:
        """Set is_deleted and deleted_at: an edit, which is pushed."""
        return self.store.edit(table, row_id, {"is_deleted": True, "deleted_at": self._now_ms()})

    def delete_locally(self, table: str, row_id: str) -> None:
        """Delete as the app's own delete does: the hub never hears of it."""
        self.store.delete(table, row_id)

    def holds(self) -> int:
        """Count the rows that a user can see."""
        tables = ("user_clinic_permissions", "app_config", *outgoing.PUSH_TABLES)
        return sum(not row.get("is_deleted") for table in tables for row in self.store.rows(table))

    def _channel(self) -> Channel:
        session = self._paired()
        hub = rpc.handshake(session.transport, self.client_id)
        return Channel(session.transport, self.client_id, hub.key, session.token, self.memory_bytes)

    def _paired(self) -> Session:
        if self.session is None:
            raise CallFailedError(Failure.NOT_PAIRED, "Hub not connected, pair with a hub first")
        return self.session

    def _last_pulled_at(self) -> int | float:
        return 0 if self.cursor is None else self.cursor

    def _new_client_id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
