"""Assembles what the pages share: who may come, what they may do, and what the settings say of them."""

import threading
from functools import partial
from pathlib import Path

import structlog

from hub.actions.box import identity
from hub.actions.box.listening import Listening
from hub.actions.people.failures import Attempts
from hub.app import backup, rules, status, support
from hub.app.in_force import InForce
from hub.core.errors import HubError
from hub.core.status.state import Facts
from hub.services.discovery.reach import Reach
from hub.services.machine.switch import Switch
from hub.services.relay.connect import connect
from hub.services.relay.runner import Runner
from hub.services.rpc.dispatch import Rpc
from hub.services.status import file
from hub.services.status.watch import StatusWatch
from hub.settings import Settings
from hub.store.cloud import connection
from hub.store.database import Store
from hub.web.desk import Desk, Options, Relay
from hub.web.field import Book

log = structlog.get_logger()


def desk(store: Store, in_force: InForce, phones_rpc: Rpc) -> Desk:
    """Return what the pages share; what the settings say of them follows the settings."""
    settings = in_force.settings
    phones_rpc.name = identity.name(store) or settings.hub.name
    path = Path(settings.box.status_file)

    gathering = status.gathering(store)

    def publish(now: Facts) -> None:
        file.write(path, phones_rpc.name, now)
        if now.writable:
            gathering.keep(now)

    made = Desk(
        store,
        phones_rpc,
        StatusWatch(gathering.gather(), gathering.gather, publish),
        switch=Switch(settings.box.restart_command, settings.box.shutdown_command),
        relay=_relay(store, in_force),
        settings=Book(in_force.listed, partial(in_force.change, store)),
        backup=lambda passphrase: backup.encrypted(store, passphrase, in_force.path),
        support=lambda: support.build(store.path.parent, in_force.settings, store),
        options=_options(store, settings),
    )
    in_force.follow(lambda new: made.obey(_options(store, new)))
    return made


def _options(store: Store, settings: Settings) -> Options:
    way = ways(store, settings)
    return Options(
        data=store.path.parent,
        port=settings.server.port,
        plain_sign_in=settings.web.plain_sign_in,
        idle_minutes=settings.web.idle_minutes,
        show_lights=settings.web.show_lights,
        pairing_minutes=settings.pairing.minutes,
        pairing_always=settings.pairing.mode == "open",
        quarantine_max=settings.limits.quarantine_records,
        attempts=Attempts(settings.login.attempts, settings.login.wait_s, settings.login.wait_max_s),
        host=way.host,
        moved=way.moved,
        language=settings.hub.language,
    )


def ways(store: Store, settings: Settings) -> Reach:
    """Return where phones find the hub."""
    server = Listening(settings.server.host, settings.server.port)
    by_name = settings.pairing.address == "name"
    return Reach(store, server, wanted=settings.discovery.host_name, by_name=by_name)


def _relay(store: Store, in_force: InForce) -> Relay:
    """Return what the page can do about the cloud."""

    def disconnect() -> None:
        with store.write() as tx:
            connection.disconnect(tx)

    def cycle() -> None:
        runner = Runner(store, rules.relay_rules(in_force.settings))
        try:
            runner.run()
        except HubError as error:
            log.warning("relay", outcome="failed", detail=str(error))
        finally:
            runner.close()

    return Relay(
        connect=partial(connect, store),
        disconnect=disconnect,
        sync=lambda: threading.Thread(target=cycle, name="relay by hand", daemon=True).start(),
    )
