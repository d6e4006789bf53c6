"""Begins and wires the copy beside the hub."""

import os
from functools import partial
from pathlib import Path

from hub.actions.box import copying, identity
from hub.app import backup
from hub.core import encrypted_stream
from hub.core.copy.standing import Copy
from hub.core.encrypted_stream import recipient
from hub.core.errors import OperatorError
from hub.services.copy import stick as sticks
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


def start(store: Store, stick: Path, passphrase: str, *, hub_name: str) -> Copy:
    """Keep a copy on a stick from now on; raises OperatorError: a short passphrase, or a stick that cannot be written.

    The passphrase is not kept: who forgets it has no copy.
    """
    if not encrypted_stream.is_fit(passphrase):
        raise OperatorError(f"the passphrase needs at least {encrypted_stream.PASSPHRASE_CHARS_MIN} characters")
    salt = os.urandom(recipient.SALT_BYTES)
    public = recipient.public_key(recipient.private_key(passphrase, salt))
    copy = Copy(id=copying.new_id(), folder=str(stick), salt=salt, recipient=public)
    try:
        sticks.begin(stick, _mark(store, hub_name, copy))
    except OSError as error:
        raise OperatorError(f"{stick} cannot be written: {error.strerror}") from error
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
