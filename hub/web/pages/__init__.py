"""The pages, one module each: what a visitor sees, and what a form on it does."""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec
from litestar.handlers import HTTPRouteHandler

from hub.actions.people.failures import Attempts
from hub.actions.phones.refusals import RefusedPhone
from hub.desk import Desk
from hub.services.machine.switch import Switch
from hub.store.database import Store
from hub.web.field import SettingsBook
from hub.web.frame import Pages
from hub.web.pages import (
    audit,
    box,
    cloud,
    copy,
    erasing,
    files,
    lost,
    network,
    pairing,
    people,
    phones,
    public,
    quarantine,
    settings,
    setup,
    sign_in,
)
from hub.web.pages.cloud import CloudControl
from hub.web.pages.copy import CopyControl
from hub.web.pages.fleet import FleetControl
from hub.web.pages.pairing import PairingOptions
from hub.web.pages.recovering import RecoveryControl
from hub.web.pages.setup import SetupControl
from hub.web.pages.spare import SpareControl
from hub.web.pages.updates import UpdateControl, UpdatePages


class Powers(msgspec.Struct, frozen=True, kw_only=True):
    """What pages can do beyond the database; each page is given what it needs of it."""

    switch: Switch
    networks: Desk
    updates: UpdateControl
    cloud: CloudControl
    settings: SettingsBook
    fleet: FleetControl
    rename: Callable[[str], None]
    """Names the hub, on its pages and to phones."""
    make_support: Callable[[], bytes]
    """Makes the support file, a zip."""
    make_backup: Callable[[str], Iterator[bytes]]
    """Makes the backup, encrypted with a passphrase; raises OperatorError before its first piece."""
    copy: CopyControl
    pages: Callable[[], list[str]]
    """Where people find the pages, by the hub's name first."""
    recovery: RecoveryControl
    spare: SpareControl
    pairing: Callable[[], PairingOptions]
    attempts: Attempts
    refused: Callable[[], list[RefusedPhone]]
    """The phones that were refused of late."""


def handlers(here: Pages, store: Store, may: Powers) -> list[HTTPRouteHandler]:
    """Return the routes of every page."""
    can_restart = bool(may.switch.restart_command)
    return [
        *public.handlers(here, store),
        *setup.handlers(
            here,
            store,
            may.attempts,
            SetupControl(may.settings, may.rename, may.recovery, may.spare, may.cloud.connect, may.pairing),
        ),
        *sign_in.handlers(here, store, may.attempts),
        *phones.handlers(here, store, may.refused),
        *lost.handlers(here, store),
        *pairing.handlers(here, store, may.pairing),
        *cloud.handlers(here, store, may.cloud),
        *quarantine.handlers(here, store),
        *box.handlers(here, store, may.switch, may.pages),
        *network.handlers(here, store, may.networks),
        *UpdatePages(here, store, may.updates).routes(),
        *files.handlers(here, store, may.switch, make_support=may.make_support, make_backup=may.make_backup),
        *erasing.handlers(here, store, may.switch, may.attempts, partial(box.page, here, store, may.switch)),
        *copy.handlers(here, may.copy, partial(box.sheet, here, store, may.pages)),
        *people.handlers(here, store),
        *settings.handlers(here, may.settings, may.fleet, rename=may.rename, can_restart=can_restart),
        *audit.handlers(here, store),
    ]
