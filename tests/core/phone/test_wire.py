"""Envelopes and base64url: one spelling, and bounds on everything."""

import base64

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.core.errors import Malformed
from hub.core.phone import wire
from hub.core.phone.wire import Command, Envelope, Handshake, Query

KEY = "A" * 43


def handshake(**fields: object) -> bytes:
    return msgspec.json.encode({"client_id": "c", "client_public_key": KEY, **fields})


@given(st.binary(max_size=400))
@example(bytes(3 * 256 * 1024 + 1))  # more than one piece
def test_bytes_come_back_from_their_text(raw: bytes) -> None:
    assert wire.decode(wire.encode(raw).encode()) == raw


@given(st.binary(max_size=100))
def test_text_is_base64url_without_padding(raw: bytes) -> None:
    assert wire.encode(raw) == base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    "text", [b"QQ==", b"QUI=", b"=", b"ab+/", b"ab+-", b"a/bc", b"QU I", b" QUI", b"QUI\n", b"QUI\t", b"Q.UI", b"QU\0I"]
)
def test_padding_other_alphabets_and_blanks_are_refused(text: bytes) -> None:
    with pytest.raises(Malformed):
        wire.decode(text)


@pytest.mark.parametrize("length", [1, 5, 9, 4001])
def test_impossible_lengths_are_refused(length: int) -> None:
    with pytest.raises(Malformed):
        wire.decode(b"A" * length)


def test_letters_outside_ascii_are_refused() -> None:
    with pytest.raises(Malformed):
        wire.decode("QUÄA".encode())


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_public_key_has_32_bytes(length: int) -> None:
    with pytest.raises(Malformed):
        wire.public_key(wire.encode(bytes(length)))


def test_a_public_key_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(Malformed):
        wire.public_key("\ud800" + KEY[1:])


def test_a_handshake_is_read() -> None:
    asked = wire.read(Handshake, handshake(device_name="Ward 2", other="ignored"))
    assert (asked.client_id, asked.client_public_key, asked.device_name) == ("c", KEY, "Ward 2")


@pytest.mark.parametrize(
    "client_id", ["", "x" * (wire.CLIENT_ID_CHARS + 1), "a\nb", "a\0b", "ä", "\u202e", None, 7, ["c"]]
)
def test_a_client_id_is_bounded_printable_ascii(client_id: object) -> None:
    with pytest.raises(Malformed):
        wire.read(Handshake, handshake(client_id=client_id))
    with pytest.raises(Malformed):
        wire.read(Envelope, msgspec.json.encode({"client_id": client_id, "payload": "AA"}))


def test_the_longest_client_id_is_taken() -> None:
    assert wire.read(Handshake, handshake(client_id="x" * wire.CLIENT_ID_CHARS)).client_id


def test_a_device_name_is_bounded() -> None:
    with pytest.raises(Malformed):
        wire.read(Handshake, handshake(device_name="x" * (wire.NAME_CHARS + 1)))


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"[" * 100_000, b"{}"])
@pytest.mark.parametrize("kind", [Handshake, Envelope, Query, Command])
def test_what_is_no_message_is_malformed(kind: type, body: bytes) -> None:
    with pytest.raises(Malformed):
        wire.read(kind, body)


def test_a_refusal_names_the_field_and_not_the_value() -> None:
    with pytest.raises(Malformed) as caught:
        wire.read(Query, b'{"query":"x","token":["s3cret"]}')
    assert "token" in caught.value.reason
    assert "s3cret" not in caught.value.reason


@pytest.mark.parametrize("payload", ["null", "7", "{}", "[]", '""', '"A"', '"QQ=="', '"A\\u0041"'])
def test_a_payload_is_base64url_text(payload: str) -> None:
    envelope = wire.read(Envelope, b'{"client_id":"c","payload":%b}' % payload.encode())
    if payload == '""':
        assert wire.payload_bytes(envelope) == b""
    else:
        with pytest.raises(Malformed):
            wire.payload_bytes(envelope)


@given(st.binary(max_size=300))
@example(bytes(3 * 256 * 1024))
@example(bytes(2 * 3 * 256 * 1024 + 2))
def test_an_answer_in_pieces_is_the_envelope_that_a_phone_reads(sealed: bytes) -> None:
    text = b"".join(wire.answer_pieces(sealed))
    assert len(text) == wire.answer_size(sealed)
    assert msgspec.json.decode(text) == {"success": True, "payload": wire.encode(sealed)}


@pytest.mark.parametrize(("kind", "name"), [(Query, "query"), (Command, "command")])
def test_a_message_without_parameters_or_token_is_complete(kind: type[Query | Command], name: str) -> None:
    message = wire.read(kind, b'{"%b":"ping"}' % name.encode())
    assert message.token is None
