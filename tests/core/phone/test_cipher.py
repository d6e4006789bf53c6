"""Sealing and opening, against vectors that the app's own libraries made."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Unauthorised
from hub.core.phone import cipher, wire
from hub.core.phone.cipher import NONCE_BYTES, OVERHEAD_BYTES, Direction
from hub.core.phone.keys import SessionKey

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "crypto_vectors.json").read_text("utf-8")
)["vectors"]
KEY = SessionKey(bytes(range(32)))
PLAIN = b'{"query":"ping","params":{},"token":null}'


def key_of(vector: dict[str, Any]) -> SessionKey:
    return SessionKey(bytes.fromhex(vector["session_key_hex"]))


@pytest.mark.parametrize("vector", VECTORS)
def test_what_the_app_sealed_opens(vector: dict[str, Any]) -> None:
    sealed = wire.decode(vector["sealed_b64url"].encode())
    opened = cipher.open_sealed(key_of(vector), sealed, Direction(vector["aad_utf8"].encode()))
    assert opened.decode() == vector["plaintext_utf8"]


@pytest.mark.parametrize("vector", VECTORS)
def test_under_the_same_nonce_the_hub_seals_as_the_app_does(
    vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A nonce cannot be passed in, so that no caller can repeat one; for once the source of chance is replaced.
    monkeypatch.setattr(os, "urandom", lambda _count: bytes.fromhex(vector["nonce_hex"]))
    sealed = cipher.seal(key_of(vector), vector["plaintext_utf8"].encode(), Direction(vector["aad_utf8"].encode()))
    assert wire.encode(sealed) == vector["sealed_b64url"]


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector["aad_utf8"] in {"query", "command"}])
def test_a_quick_look_never_turns_away_the_right_key(vector: dict[str, Any]) -> None:
    assert cipher.may_fit(key_of(vector), wire.decode(vector["sealed_b64url"].encode()))


@given(st.binary(max_size=200), st.sampled_from(Direction))
def test_what_is_sealed_opens_again(plain: bytes, direction: Direction) -> None:
    assert cipher.open_sealed(KEY, cipher.seal(KEY, plain, direction), direction) == plain


@pytest.mark.parametrize("opened_as", Direction)
@pytest.mark.parametrize("sealed_as", Direction)
def test_a_message_cannot_pass_for_one_of_another_direction(sealed_as: Direction, opened_as: Direction) -> None:
    sealed = cipher.seal(KEY, PLAIN, sealed_as)
    if sealed_as is opened_as:
        assert cipher.open_sealed(KEY, sealed, opened_as) == PLAIN
    else:
        with pytest.raises(Unauthorised):
            cipher.open_sealed(KEY, sealed, opened_as)


@pytest.mark.parametrize("bit", range(8))
def test_a_message_with_any_byte_changed_is_refused(bit: int) -> None:
    sealed = bytearray(cipher.seal(KEY, PLAIN, Direction.QUERY))
    for place in range(len(sealed)):
        sealed[place] ^= 1 << bit
        with pytest.raises(Unauthorised):
            cipher.open_sealed(KEY, sealed, Direction.QUERY)
        sealed[place] ^= 1 << bit


def test_a_truncated_message_is_refused_wherever_it_was_cut() -> None:
    sealed = cipher.seal(KEY, PLAIN, Direction.QUERY)
    for length in range(len(sealed)):
        with pytest.raises(Unauthorised):
            cipher.open_sealed(KEY, sealed[:length], Direction.QUERY)


def test_a_message_under_another_key_is_refused() -> None:
    with pytest.raises(Unauthorised):
        cipher.open_sealed(SessionKey(bytes(32)), cipher.seal(KEY, PLAIN, Direction.QUERY), Direction.QUERY)


def test_no_nonce_is_used_twice() -> None:
    assert len({cipher.seal(KEY, b"", Direction.QUERY)[:NONCE_BYTES] for _ in range(200)}) == 200


@pytest.mark.parametrize("length", [0, NONCE_BYTES, OVERHEAD_BYTES])
def test_a_quick_look_finds_nothing_in_an_empty_message(length: int) -> None:
    assert not cipher.may_fit(KEY, bytes(length))


@pytest.mark.parametrize("start", [b"{", b" ", b"\t", b"\r", b"\n"])
def test_a_quick_look_lets_every_start_of_a_json_object_pass(start: bytes) -> None:
    assert cipher.may_fit(KEY, cipher.seal(KEY, start + b'"a":1}', Direction.QUERY))


def test_a_quick_look_turns_most_wrong_keys_away() -> None:
    sealed = cipher.seal(KEY, PLAIN, Direction.QUERY)
    passed = sum(cipher.may_fit(SessionKey(os.urandom(32)), sealed) for _ in range(2000))
    assert passed < 200  # 5 of 256 are expected to pass: 39


def test_the_fitting_one_of_many_keys_is_found() -> None:
    others = [SessionKey(os.urandom(32)) for _ in range(50)]
    sealed = cipher.seal(KEY, PLAIN, Direction.COMMAND)
    key, opened = cipher.open_with_any([*others, KEY, *others], bytearray(sealed), Direction.COMMAND)
    assert (key, bytes(opened)) == (KEY, PLAIN)


@pytest.mark.parametrize("size", [1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 1_000_000])
def test_a_message_that_no_key_opens_is_as_it_was_also_when_a_key_seemed_to_fit(size: int) -> None:
    text = b"{" + os.urandom(size - 1)
    sealed = cipher.seal(KEY, text, Direction.QUERY)
    given = bytearray(sealed)
    with pytest.raises(Unauthorised):
        cipher.open_with_any([KEY], given, Direction.COMMAND)
    assert given == sealed
    assert cipher.open_with_any([KEY], given, Direction.QUERY)[1] == text
    assert given == text


@pytest.mark.parametrize("count", [0, 300])
def test_no_fitting_key_is_a_refusal(count: int) -> None:
    sealed = cipher.seal(KEY, PLAIN, Direction.COMMAND)
    with pytest.raises(Unauthorised):
        cipher.open_with_any([SessionKey(os.urandom(32)) for _ in range(count)], bytearray(sealed), Direction.COMMAND)
