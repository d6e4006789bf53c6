"""Applies the card's configuration to the hub itself: its settings file, its administrator, its first clinic."""

import os
from collections.abc import Callable
from typing import TypeVar

import msgspec
import structlog

from hub.actions.box import certificate, identity
from hub.actions.people import setup
from hub.actions.people.setup import FirstAdministrator
from hub.core.errors import SettingError
from hub.core.log_events import LogEvent
from hub.firstboot.card_config import TAKEN, CardConfig
from hub.firstboot.machine import Machine, write
from hub.settings import amend
from hub.store.database import FILE_NAME, Store

DATA = "/var/lib/hikma-hub"
SETTINGS = f"{DATA}/hub.toml"
_HOST_NAME = "hikma-hub.local"
_CLOUD = f"{DATA}/cloud.wish"
"""Address and key of the cloud until hikma-hub-cloud.service reached it: verifying the key needs a line."""
_FLEET_TOKEN = f"{DATA}/fleet.token"
_FLEET_CA = f"{DATA}/fleet-ca.pem"
_BOX = {
    ("box", "restart_command"): "touch /run/hikma-hub/restart",
    ("box", "shutdown_command"): "touch /run/hikma-hub/power-off",
    ("box", "erase_command"): "touch /run/hikma-hub/erase",
    ("box", "network_wish"): "/run/hikma-hub/network",
}
"""The hub may not switch the box off, erase it or change its Wi-Fi; hikma-hub-power.path and its kin see the file."""

T = TypeVar("T")
log = structlog.get_logger()


class Who(msgspec.Struct, frozen=True):
    """What the label and the console say of this hub."""

    hub_id: str
    certificate: str
    """SHA-256 fingerprint of the page's certificate."""
    setup_code: str | None


def ensure(machine: Machine) -> Who:
    """Draw the hub's identity and setup code, once, and write a settings file where there is none."""
    if not machine.path(SETTINGS).exists():
        _set(machine, CardConfig())
    return _in_store(machine, _who)


def _who(store: Store) -> Who:
    return Who(identity.load(store).id, _certificate(store), setup.code(store))


def _certificate(store: Store) -> str:
    """Draw the page's certificate, once; one that a power cut left half written is drawn anew."""
    try:
        found = certificate.load(store, _HOST_NAME).fingerprint
    except ValueError:
        for path in certificate.paths(store):
            path.unlink(missing_ok=True)
        found = certificate.load(store, _HOST_NAME).fingerprint
    os.sync()
    return found


def apply(machine: Machine, config: CardConfig, *, is_recovered: bool = False) -> None:
    """Change the settings, make the administrator and the clinic; what else is there stays.

    is_recovered: it is the hub of a copy, which keeps its name, its language and its people.
    """
    _set(machine, config, is_named=not is_recovered)
    if config.cloud and config.cloud.api_key != TAKEN:
        write(machine.path(_CLOUD), f"{config.cloud.url}\n{config.cloud.api_key}\n".encode(), mode=0o600)
    if config.fleet and config.fleet.token != TAKEN:
        write(machine.path(_FLEET_TOKEN), f"{config.fleet.token}\n".encode(), mode=0o600)
    if config.fleet and config.fleet.ca:
        write(machine.path(_FLEET_CA), config.fleet.ca.encode(), mode=0o600)
    if not is_recovered:
        _in_store(machine, lambda store: _people(store, config))


def in_store_if_there(machine: Machine, ask: Callable[[Store], bool]) -> bool:
    """Ask the hub's database; True where there is none yet."""
    return not machine.path(f"{DATA}/{FILE_NAME}").exists() or _in_store(machine, ask)


def _people(store: Store, config: CardConfig) -> None:
    wanted = config.administrator
    if wanted and wanted.password != TAKEN:
        clinic = config.clinic.name if config.clinic else None
        first = FirstAdministrator(email=wanted.email, name=wanted.name, password=wanted.password, clinic=clinic)
        setup.apply(store, first)


def _set(machine: Machine, config: CardConfig, *, is_named: bool = True) -> None:
    """Write name, language and fleet into the settings file and keep what else it says; a wrong one is moved aside."""
    path = machine.path(SETTINGS)
    wanted = dict(_BOX)
    if is_named:
        wanted |= {("hub", "name"): config.hub.name, ("hub", "language"): config.hub.language}
    if config.fleet:
        wanted |= {("fleet", "url"): config.fleet.url, ("fleet", "ca_file"): _FLEET_CA if config.fleet.ca else ""}
    try:
        amend(path, wanted)
    except SettingError as error:
        log.warning(LogEvent.SETTINGS_REFUSED, kept="hub.toml.refused", reason=str(error))
        path.replace(path.with_name(path.name + ".refused"))
        amend(path, wanted)


def _in_store(machine: Machine, work: Callable[[Store], T]) -> T:
    """Work on the database as root, and leave its files to the hub's user however it ends."""
    folder = machine.path(DATA)
    try:
        store = Store(folder)
        try:
            return work(store)
        finally:
            store.close()
    finally:
        machine.run("chown", "-R", "hikma-hub:", str(folder))
