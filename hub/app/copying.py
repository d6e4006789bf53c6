"""Begins and wires the copy beside the hub."""

import os
from functools import partial
from pathlib import Path

from hub.actions.box import copying, identity
from hub.app import backup
from hub.core import encrypted_stream
from hub.core.copy.standing import Copy, Spare
from hub.core.encrypted_stream import recipient
from hub.core.errors import OperatorError
from hub.services.copy import place as places
from hub.services.copy.stick import Mark
from hub.services.copy.writer import CopyWriter
from hub.store.database import Store


def writer(store: Store, settings: Path, *, hub_name: str) -> CopyWriter:
    """Return what keeps the copy, if one is kept; ``settings`` is the settings file in force."""
    return CopyWriter(
        store,
        make_base=lambda public: backup.base(store, public, settings),
        mark=partial(_mark, store, hub_name),
        beside=backup.beside(store, settings),
    )


def start(store: Store, where: Path | Spare, passphrase: str, *, hub_name: str) -> Copy:
    """Keep a copy on a stick or on a spare from now on.

    Raises OperatorError: a short passphrase, or a place that cannot be written. The passphrase is not kept: who forgets
    it has no copy.
    """
    if not encrypted_stream.is_fit(passphrase):
        raise OperatorError(f"the passphrase needs at least {encrypted_stream.PASSPHRASE_CHARS_MIN} characters")
    salt = os.urandom(recipient.SALT_BYTES)
    public = recipient.public_key(recipient.private_key(passphrase, salt))
    spare = where if isinstance(where, Spare) else None
    copy = Copy(
        id=copying.new_id(), folder=spare.url if spare else str(where), salt=salt, recipient=public, spare=spare
    )
    place = places.of(copy)
    try:
        place.open(_mark(store, hub_name, copy))
    except OSError as error:
        raise OperatorError(f"{copy.folder} cannot be written: {error.strerror}") from error
    finally:
        place.close()
    copying.start(store, copy)
    return copy


def _mark(store: Store, hub_name: str, copy: Copy) -> Mark:
    return Mark(
        id=copy.id,
        hub_id=identity.load(store).id,
        hub_name=identity.name(store) or hub_name,
        epoch=copying.epoch(store),
        salt=copy.salt,
    )
