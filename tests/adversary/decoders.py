"""What reads bytes from outside, with no database around it: thousands of inputs a second, where a hub takes a few.

A target raises only what its caller does not foresee: that is a crash.
"""

import tarfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import msgspec

from hub.app import backup
from hub.core import encrypted_stream
from hub.core.cloud import forms
from hub.core.copy import entry
from hub.core.copy.chain import Span
from hub.core.copy.frames import JournalFile, JournalSealer
from hub.core.encrypted_stream import age, first_format, recipient
from hub.core.encrypted_stream.chunks import PieceReader
from hub.core.errors import BadRecord, CloudError, HubError, OperatorError, PhoneError
from hub.core.phone import cipher, keys, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import KeyPair, SessionKey
from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.firstboot import card_config
from hub.services.relay import answer
from hub.services.rpc import dispatch
from hub.services.rpc.procedures import PROCEDURES, CallKind
from hub.services.rpc.procedures.sync import SyncPush
from tests.adversary.hostile import names
from tests.adversary.spoiling import Target
from tests.hubs import changes, row

CLOUD_PULL = Path(__file__).parents[1] / "vectors" / "cloud" / "hub_pull_full.json"
PASSPHRASE = "correct horse battery"
CARD = """[hub]
name = "عيادة"
language = "ar"
country = "UG"
timezone = "Africa/Kampala"
[[wifi]]
name = "Clinic"
password = "open sesame"
[access_point]
name = "Hub"
when = "always"
[cloud]
url = "https://cloud.example.org"
api_key = "secret"
[administrator]
email = "a@example.org"
password = "correct horse"
[ssh]
key = "ssh-ed25519 AAAA"
[storage]
recovery_passphrase = "correct horse"
"""
_KEY = SessionKey(bytes(32))
_PRIVATE = recipient.private_key(PASSPHRASE, bytes(recipient.SALT_BYTES))


class Arrived:
    """An answer of the cloud that has arrived."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = 0

    def read(self) -> bytes:
        """Return the next piece."""
        piece = self._content[self.size : self.size + 1000]
        self.size += len(piece)
        return piece


def pulls(rows: int | None = None) -> list[bytes]:
    """Return what the cloud answers, a table at a time, with at most so many rows."""
    whole = msgspec.json.decode(CLOUD_PULL.read_bytes())
    return [
        msgspec.json.encode({**whole, "changes": {name: {**part, "created": part["created"][:rows]}}})
        for name, part in whole["changes"].items()
        if part["created"]
    ]


def card_samples() -> list[bytes]:
    """Return what a technician may write."""
    return [CARD.encode(), CARD.replace("\n", "\r\n").encode("utf-8-sig")]


def _bodies(_: Path) -> Target:
    """What phones post, up to where it would be opened."""
    pair = KeyPair()

    def take(content: bytes) -> None:
        with suppress(PhoneError):
            asked = wire.read(wire.Handshake, bytearray(content))
            keys.hub_session_key(pair, wire.public_key(asked.client_public_key))
        with suppress(PhoneError):
            sealed = wire.payload_bytes(wire.read(wire.Envelope, bytearray(content)))
            cipher.open_with_any([_KEY], sealed, Direction.COMMAND)
        dispatch._CLIENT_ID.search(content[:512])

    shake = {"client_id": "client-1", "client_public_key": wire.encode(KeyPair().public), "device_name": "x"}
    payload = wire.encode(cipher.seal(_KEY, b'{"command":"ping"}', Direction.COMMAND))
    honest = ({**shake, "prove": True}, shake, {"client_id": "client-1", "payload": payload})
    return Target(take, [msgspec.json.encode(body) for body in honest])


def _messages(_: Path) -> Target:
    """What phones say inside of a sealed message: calls, and records of every table."""

    def take(content: bytes) -> None:
        with suppress(PhoneError):
            asked = dispatch._read(wire.Command, bytearray(content))
            _call((CallKind.COMMAND, asked.command), asked.data)
        with suppress(PhoneError):
            queried = dispatch._read(wire.Query, bytearray(content))
            _call((CallKind.QUERY, queried.query), queried.params)

    calls = [{kind: name, "params": {}, "data": {}, "token": "TOKEN"} for kind, name in names()]
    pushes = [changes(name, created=[row(name, "p", changed="id")], deleted=["q"]) for name in TABLES]
    calls += [{"command": "sync_push", "data": {"changes": pushed}, "token": "TOKEN"} for pushed in pushes] * 5
    return Target(take, [msgspec.json.encode(call) for call in calls])


def _call(wanted: tuple[CallKind, str], raw: msgspec.Raw) -> None:
    procedure = PROCEDURES.get(wanted)
    if procedure is None:
        return
    params = dispatch._named(wire.read(procedure.params, raw))
    if isinstance(params, SyncPush):
        for name, part in (params.changes or {}).items():
            for record in (*part.created, *part.updated, *part.deleted) if part and name in TABLES else ():
                _record(name, record)


def _record(name: str, raw: msgspec.Raw) -> None:
    """Read a record, write it, and see that it reads the same again."""
    table = TABLES[name]
    with suppress(BadRecord):
        pushed = codec.read(table, raw, UTC)
        data, cut = codec.write(pushed.record)
        codec.digest(pushed, data)
        assert codec.write(codec.stored(table, data, cut)) == (data, cut)


def _cloud(_: Path) -> Target:
    """What the cloud answers to a pull, up to where it would be merged."""

    def take(content: bytes) -> None:
        with suppress(CloudError):
            for piece in answer.pieces(Arrived(content)):  # type: ignore[arg-type]
                table = TABLES.get(piece.table)
                if table and isinstance(piece.value, dict):
                    with suppress(BadRecord):
                        read = forms.read(table, piece.value, UTC)
                        codec.write(read.record)
                        forms.write(table, read.record, updated_ms=0, names={})

    return Target(take, pulls(1))


def _card(_: Path) -> Target:
    """What a technician wrote to hikma-hub.toml."""

    def take(content: bytes) -> None:
        with suppress(HubError):
            card_config.from_bytes(content)

    return Target(take, card_samples())


def _backups(_: Path) -> Target:
    """Sealed backups of both formats, cheap to open; and what is inside of them."""
    plain = _archive()
    scrypt = b"-> scrypt %b 1" % age._base64(bytes(16))
    wrapped = age._wrapping(PASSPHRASE, bytes(16), 1).encrypt(bytes(12), bytes(16), None)
    old = first_format.MAGIC + b"\x01" + bytes(16)
    sealed = [
        b"".join(age._written(bytes(16), scrypt, wrapped, [plain])),
        b"".join(encrypted_stream.encrypt_to(recipient.public_key(_PRIVATE), [plain])),
        old + bytes(600),
    ]

    def take(content: bytes) -> None:
        with suppress(OperatorError):
            for _piece in encrypted_stream.decrypt(PASSPHRASE, [content]):
                pass
        with suppress(OperatorError):
            for _piece in encrypted_stream.decrypt_with(_PRIVATE, [content]):
                pass
        if not content.startswith((age.MAGIC, first_format.MAGIC)):
            with suppress(OperatorError, tarfile.TarError, OSError):  # as hub.app.backup foresees
                for _, pieces in backup.members(iter([content])):
                    for _piece in pieces:
                        pass

    return Target(take, [*sealed, plain, plain])


def _archive() -> bytes:
    written = bytearray()
    for name, content in (("hub.db", b"SQLite format 3\0" * 20), ("hub.toml", b"[hub]\n"), ("tls/key.pem", b"-----")):
        info = tarfile.TarInfo(name)
        info.size = len(content)
        written += info.tobuf(tarfile.PAX_FORMAT) + content.ljust(-(-len(content) // 512) * 512, b"\0")
    return bytes(written + bytes(1024))


def _copies(_: Path) -> Target:
    """Journal files of a copy, and the parts that are sealed in them."""
    part = entry.encode(
        entry.Part(
            keys={"patients": [("a",), (1, 2.5, b"x", None)]},
            rows={"patients": entry.Rows(("id", "data"), [("a", "{}")])},
            files={"hub.toml": b"[hub]\n"},
        )
    )
    sealer = JournalSealer(7, recipient.public_key(_PRIVATE))
    frames = [sealer.seal(Span(number, number), part, is_last=number != 2) for number in range(1, 4)]
    files = sealer.header + b"".join(frames)

    def take(content: bytes) -> None:
        journal = JournalFile(PieceReader([content]))
        with suppress(OperatorError):
            opener = None if journal.is_torn else journal.opener(_PRIVATE)
            for frame in journal.frames():
                if opener:
                    entry.decode(opener.open(frame))
        with suppress(OperatorError):
            entry.decode(content)

    return Target(take, [files, part, files])


DECODERS: Mapping[str, Callable[[Path], Target]] = {
    "bodies": _bodies,
    "messages": _messages,
    "cloud answers": _cloud,
    "card": _card,
    "backups": _backups,
    "copies": _copies,
}
