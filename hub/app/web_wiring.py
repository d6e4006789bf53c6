"""Wires the pages to the store, the settings and the services."""

import os
import socket
import threading
import time
from functools import partial
from pathlib import Path

import structlog

from hub.actions.box import copying as copies
from hub.actions.box import identity
from hub.actions.cloud import link
from hub.actions.people import failures
from hub.actions.phones import refusals
from hub.app import backup, copying, fleet, reach, recovery, rules, spare, status, support, updating
from hub.app.fleet import Sampler
from hub.app.live_settings import LiveSettings
from hub.app.recovery import Recovery
from hub.core import own_names as known_names
from hub.core.copy import join_code
from hub.core.errors import HubError
from hub.core.log_events import LogEvent
from hub.core.status.facts import Facts
from hub.core.update.told import Told
from hub.desk import Desk
from hub.services.copy import shelf
from hub.services.copy import spare as spares
from hub.services.copy.stick import FOLDER, Stick
from hub.services.discovery import links
from hub.services.machine.switch import Switch
from hub.services.relay.connect import connect
from hub.services.relay.runner import Runner
from hub.services.rpc.dispatch import Rpc
from hub.services.status import file
from hub.services.status.watch import StatusWatch
from hub.settings import Settings
from hub.store.database import Store
from hub.web.field import SettingsBook
from hub.web.frame import PageOptions, Pages
from hub.web.gatekeeper import EntryRules, Gatekeeper
from hub.web.own_names import OwnNames
from hub.web.pages import Powers
from hub.web.pages.cloud import CloudControl
from hub.web.pages.copy import CopyControl
from hub.web.pages.fleet import FleetControl
from hub.web.pages.pairing import PairingOptions
from hub.web.pages.recovering import FoundCopy, FoundFile, RecoveryControl
from hub.web.pages.spare import KeptCopy, SpareControl
from hub.web.passwords import Passwords
from hub.web.upload import Upload

log = structlog.get_logger()


def pages(store: Store, live: LiveSettings, phones_rpc: Rpc) -> Pages:
    """Return what makes and renders pages; what the settings say of them follows the settings."""
    phones_rpc.name = identity.name(store) or live.settings.hub.name
    gatekeeper = Gatekeeper(store, lambda: _entry(live.settings))
    watch = _watch(store, live.settings, phones_rpc)
    passwords = Passwords(partial(failures.was_here, store))
    return Pages(
        gatekeeper, watch, passwords, hub_name=lambda: phones_rpc.name, options=lambda: _page_options(live.settings)
    )


def powers(store: Store, live: LiveSettings, phones_rpc: Rpc) -> Powers:
    """Return what the pages can do."""
    settings = live.settings

    def rename(new: str) -> None:
        identity.rename(store, new)
        phones_rpc.name = new

    return Powers(
        switch=Switch(settings.box.restart_command, settings.box.shutdown_command, settings.box.erase_command),
        networks=Desk(settings.box.network_wish, settings.box.network_told),
        updates=updating.control(store, live),
        cloud=_cloud_control(store, live),
        settings=SettingsBook(live.listed, partial(live.change, store)),
        fleet=_fleet_control(store, live),
        rename=rename,
        make_support=lambda: support.build(store.path.parent, live.settings, store),
        make_backup=lambda passphrase: backup.encrypted(store, passphrase, live.path),
        copy=_copy_control(store, live),
        recovery=_recovery_control(store, live),
        spare=_spare_control(store, live),
        pages=reach.configured(store, settings).pages,
        pairing=lambda: _pairing(store, live.settings),
        attempts=rules.attempts(settings),
        refused=lambda: refusals.listed(store, phones_rpc.refusals.now()),
    )


def own_names(store: Store, settings: Settings) -> OwnNames:
    """Return what knows the names by which browsers may reach the hub."""
    ways = reach.configured(store, settings)

    def names() -> frozenset[str]:
        labels = (settings.discovery.host_name, ways.host_name(), socket.gethostname())
        return known_names.names(labels, f"{settings.server.host} {settings.web.host_names}")

    return OwnNames(names, partial(links.addresses, settings.server.host))


def _copy_control(store: Store, live: LiveSettings) -> CopyControl:
    stick = Path(live.settings.copy.folder)
    return CopyControl(
        is_seen=lambda: any(os.access(folder, os.W_OK) for folder in (stick, stick / FOLDER)),
        start=lambda passphrase: copying.start(store, stick, passphrase, hub_name=live.settings.hub.name),
        join=lambda code, passphrase: copying.start(
            store, spares.join(join_code.parse(code)), passphrase, hub_name=live.settings.hub.name
        ),
        stop=partial(copies.stop, store),
        is_on_spare=partial(_is_on_spare, store),
        prints=lambda: live.settings.copy.print_passphrase,
    )


def _is_on_spare(store: Store) -> bool:
    copy = copies.config(store)
    return copy is not None and copy.spare is not None


def _spare_control(store: Store, live: LiveSettings) -> SpareControl:
    data = store.path.parent

    def kept() -> list[KeptCopy]:
        return [
            KeptCopy(one.mark.hub_name, time.time() - one.written_s(), is_whole=spare.is_whole(one))
            for one in shelf.copies(data)
        ]

    return SpareControl(
        is_one=partial(shelf.is_spare, data),
        code=lambda: str(spare.begin(store, live.settings)),
        kept=kept,
        end=lambda deletes: spare.end(store, deletes=deletes),
    )


def _recovery_control(store: Store, live: LiveSettings) -> RecoveryControl:
    data = store.path.parent
    made = Recovery(data, lambda: recovery.found(data, Path(live.settings.copy.folder)))

    def found() -> FoundCopy | FoundFile | None:
        match made.found():
            case Path() as file:
                return FoundFile(file.stat().st_size)
            case Stick() as copy:
                return FoundCopy(copy.mark.hub_name, int(copy.written_s() * 1000))
            case None:
                return None

    return RecoveryControl(
        found,
        lambda: made.is_under_way,
        lambda: made.failure,
        made.begin,
        Upload(recovery.uploaded(data), times=2),
        made.look_at_upload,
    )


def _watch(store: Store, settings: Settings, phones_rpc: Rpc) -> StatusWatch:
    path = Path(settings.box.status_file)
    gathering = status.gathering(store)
    sampler = Sampler(store)

    def publish(now: Facts) -> None:
        store.is_stopped = now.stopped  # a command beside the hub may have asked for it
        try:
            file.write(path, phones_rpc.name, now)
        finally:  # where nobody made its folder too
            if now.writable:
                gathering.keep(now)
                sampler.take(now)

    return StatusWatch(gathering.gather(), gathering.gather, publish)


def _entry(settings: Settings) -> EntryRules:
    return EntryRules(settings.web.plain_sign_in, settings.web.idle_minutes, settings.hub.language)


def _page_options(settings: Settings) -> PageOptions:
    return PageOptions(
        settings.web.show_lights,
        settings.pairing.mode == "open",
        bool(settings.box.network_wish),
        bool(settings.box.update_wish),
        len(updating.desk(settings).told(Told).installable) if settings.box.update_wish else 0,
    )


def _pairing(store: Store, settings: Settings) -> PairingOptions:
    ways = reach.configured(store, settings)
    return PairingOptions(
        minutes=settings.pairing.minutes,
        always=settings.pairing.mode == "open",
        port=settings.server.port,
        host=ways.host,
        moved=ways.moved,
    )


def _fleet_control(store: Store, live: LiveSettings) -> FleetControl:
    return FleetControl(
        shown=partial(fleet.shown, store, live),
        enroll=partial(fleet.enroll, store, live),
        leave=partial(fleet.leave, store, live),
    )


def _cloud_control(store: Store, live: LiveSettings) -> CloudControl:
    def cycle() -> None:
        runner = Runner(store, rules.relay_rules(live.settings))
        try:
            runner.run()
        except HubError as error:
            log.warning(LogEvent.RELAY, outcome="failed", detail=str(error))
        finally:
            runner.close()

    return CloudControl(
        connect=partial(connect, store),
        disconnect=partial(link.disconnect, store),
        sync=lambda: threading.Thread(target=cycle, name="relay by hand", daemon=True).start(),
    )
