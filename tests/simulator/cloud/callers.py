"""Finds out who calls: a hub by its API key or a person by password, with the cloud's own gaps (CLOUD.md 2.4, 3)."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import bcrypt
import msgspec

from tests.simulator.cloud.store import CloudStore, wire_rows
from tests.simulator.cloud.tables import DEVICES, USERS

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who may sync; ``clinics`` is None for a person, who is held to no clinic at all."""

    hub_tables: bool
    clinics: tuple[str, ...] | None = None
    user: str | None = None
    user_clinic: str | None = None


def device(store: CloudStore, api_key: str) -> dict[str, Any] | None:
    """Return the row of the device that holds ``api_key``, whatever its status and type, unless deleted."""
    digest = hashlib.sha256(api_key.encode()).hexdigest()
    rows = wire_rows(store, DEVICES, _UTC, "api_key_hash = ? AND is_deleted = false", (digest,))
    return rows[0] if rows else None


def caller(store: CloudStore, authorization: str, peer_type: str) -> Caller | None:
    """Return who sent ``authorization``, None for a 401.

    A Bearer key counts only with peerType exactly ``sync_hub``; that peerType opens the hub's tables to a
    password too, and without any clinic (CLOUD.md 2.4).
    """
    is_hub = peer_type == "sync_hub"
    if is_hub and authorization.startswith("Bearer "):
        row = device(store, authorization.removeprefix("Bearer "))
        if row is None:
            return None
        return Caller(hub_tables=True, clinics=msgspec.json.decode(row["clinic_ids"], type=tuple[str, ...]))
    user = _person(store, authorization)
    return Caller(hub_tables=is_hub, user=user["id"], user_clinic=user["clinic_id"]) if user else None


def _person(store: CloudStore, authorization: str) -> dict[str, Any] | None:
    try:
        email, password, *_ = base64.b64decode(authorization.removeprefix("Basic "), validate=True).decode().split(":")
    except (binascii.Error, ValueError):
        return None
    rows = wire_rows(store, USERS, _UTC, "email = ? AND is_deleted = false", (email,))
    if rows and bcrypt.checkpw(password.encode()[:72], rows[0]["hashed_password"].encode()):
        return rows[0]
    return None
