"""Key agreement, against vectors that the app's own libraries made."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import Malformed
from hub.core.phone import keys, wire
from hub.core.phone.keys import KeyPair, PublicKey

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "crypto_vectors.json").read_text("utf-8")
)["vectors"]

# Points of small order on Curve25519 and its twist: https://cr.yp.to/ecdh.html#validate
LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


def pair(vector: dict[str, Any], side: str) -> KeyPair:
    return KeyPair(bytes.fromhex(vector[f"{side}_private_hex"]))


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("side", ["hub", "client"])
def test_public_keys_are_those_of_the_vectors(vector: dict[str, Any], side: str) -> None:
    assert pair(vector, side).public.hex() == vector[f"{side}_public_hex"]


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("side", ["hub", "client"])
def test_public_keys_travel_as_the_vectors_write_them(vector: dict[str, Any], side: str) -> None:
    text = vector[f"{side}_public_b64url"]
    assert wire.public_key(text).hex() == vector[f"{side}_public_hex"]
    assert wire.encode(pair(vector, side).public) == text


@pytest.mark.parametrize("vector", VECTORS)
def test_shared_secret_is_that_of_the_vectors_from_both_sides(vector: dict[str, Any]) -> None:
    hub, client = pair(vector, "hub"), pair(vector, "client")
    assert hub.agree(client.public).hex() == client.agree(hub.public).hex() == vector["shared_secret_hex"]


@pytest.mark.parametrize("vector", VECTORS)
def test_session_key_is_that_of_the_vectors_from_both_sides(vector: dict[str, Any]) -> None:
    hub, client = pair(vector, "hub"), pair(vector, "client")
    assert keys.hub_session_key(hub, client.public).hex() == vector["session_key_hex"]
    assert keys.client_session_key(client, hub.public).hex() == vector["session_key_hex"]


@pytest.mark.parametrize("point", LOW_ORDER)
def test_low_order_points_are_refused(point: str) -> None:
    with pytest.raises(Malformed):
        keys.hub_session_key(KeyPair(), PublicKey(bytes.fromhex(point)))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_keys_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(Malformed):
        KeyPair().agree(b"\x09" * length)


def test_a_stored_key_pair_is_the_same_again() -> None:
    drawn = KeyPair()
    assert KeyPair(drawn.private_bytes()).public == drawn.public


def test_every_pair_is_a_new_one() -> None:
    assert len({KeyPair().public for _ in range(20)}) == 20
