"""hikma-hub console: the screen of the box, for whoever plugs a monitor in."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hub.actions.box import identity
from hub.actions.people import setup
from hub.actions.phones import pairing
from hub.app import reach
from hub.cli import hub_state, options, speech
from hub.core.errors import HubError
from hub.core.phone import qr
from hub.core.phone.reach import LOOKS, REMEDY
from hub.core.status.card import CardShape
from hub.core.status.facts import Facts
from hub.late import Late
from hub.services.discovery import links
from hub.services.discovery.reach import Reach
from hub.settings import Settings
from hub.store.database import FILE_NAME, Store
from hub.words import Words, status

if TYPE_CHECKING:
    import segno
else:
    segno = Late("segno")

_HOME, _TO_END_OF_LINE, _TO_END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_REFRESH_S = 3.0


@click.command()
@options.data
@options.config
@click.option("--once", is_flag=True, help="Print it once and end, for scripts.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.2, 3600),
    default=_REFRESH_S,
    show_default=True,
    help="Seconds between refreshes.",
)
def console(data: Path, config: Path | None, once: bool, seconds: float) -> None:  # noqa: FBT001  click's way
    """Show the hub's name, addresses, state and QR code.

    This is what the screen of the hub shows; it refreshes itself.
    """
    if once:
        click.echo(next(_screens(data, config)))
        return
    while True:
        try:
            for text in _screens(data, config):
                click.echo(_still(text), nl=False, color=True)
                time.sleep(seconds)
        except HubError as error:
            click.echo(_still(f"{error}"), nl=False, color=True)
            time.sleep(seconds)


def _screens(data: Path, config: Path | None) -> Iterator[str]:
    """Return the screen of now for ever, by the settings of now; raises HubError."""
    while not (data / FILE_NAME).exists():
        yield _before_first_start(options.settings(config, data))
    with options.store(data) as store:
        gathering = hub_state.gathering(store)
        while True:
            settings = options.settings(config, data)
            yield screen(store, settings, hub_state.facts(settings, gathering.gather))


def screen(store: Store, settings: Settings, facts: Facts) -> str:
    """Return the whole screen, for a hub of which these are the facts."""
    words = speech.of(settings)
    ways = reach.current(store, settings)
    parts = (
        _name(words, store, settings, ways),
        _state(words, facts),
        _setup(words, store),
        _moved(words, ways),
        _code(words, store, settings, ways),
    )
    return "\n".join(line for part in parts for line in part)


def _before_first_start(settings: Settings) -> str:
    words = speech.of(settings)
    facts = hub_state.facts(settings, lambda: Facts(answering=False))
    lines = [settings.hub.name, "", *_state(words, facts)]
    if facts.card is not CardShape.GONE:
        lines.append(words.say("The hub has not started for the first time yet."))
    return "\n".join(lines)


def _still(text: str) -> str:
    """Write over what is there instead of clearing it first, which would flicker."""
    lines = text.replace("\n", f"{_TO_END_OF_LINE}\n")
    return f"{_HOME}{lines}{_TO_END_OF_LINE}\n{_TO_END_OF_SCREEN}"


def _state(words: Words, facts: Facts) -> Iterator[str]:
    yield status.sentence(words, facts)
    yield status.remedy(words, facts)
    yield ""


def _name(words: Words, store: Store, settings: Settings, ways: Reach) -> Iterator[str]:
    server = ways.server
    yield identity.name(store) or settings.hub.name
    hosts = [*links.addresses(server.host)]
    if settings.discovery.enabled and not links.is_loopback(server.host):
        hosts.append(ways.host_name())
    yield from (f"  http://{host}:{server.port}" for host in hosts)
    taken = f"{settings.discovery.host_name}.local"
    if taken not in {ways.host_name(), *hosts} and ways.host_name() in hosts:
        yield "! " + words.say("Another device on this network is already called {name}.", name=taken)
    if not hosts:
        yield "  " + words.say("No network: connect a cable or set up the Wi-Fi.")
    yield ""


def _setup(words: Words, store: Store) -> Iterator[str]:
    code = setup.code(store)
    if code:
        yield words.say("Setup code: {code}. Open one of the addresses above to set up the hub.", code=code)
        yield ""


def _moved(words: Words, ways: Reach) -> Iterator[str]:
    for gone in ways.moved():
        yield "! " + words.count(*LOOKS, gone.phones, host=gone.host)
        yield "  " + words.say(REMEDY)
        yield ""


def _code(words: Words, store: Store, settings: Settings, ways: Reach) -> Iterator[str]:
    who = identity.load(store)
    payload = qr.payload(host=ways.host(), port=ways.server.port, hub_id=who.id, public=who.keys.public)
    drawn = io.StringIO()
    segno.make(msgspec.json.encode(payload).decode(), error="l").terminal(drawn, compact=True)
    yield drawn.getvalue().rstrip("\n")
    minutes = -(-pairing.left_s(store) // 60)
    if settings.pairing.mode == "open":
        yield words.say("Phones can be added at any time: scan this with the Hikma Health app.")
    elif minutes:
        yield words.count(
            "Phones can be added for {count} more minute: scan this with the Hikma Health app.",
            "Phones can be added for {count} more minutes: scan this with the Hikma Health app.",
            minutes,
        )
    else:
        yield words.say("Adding phones is off: press the hub's button, or choose Add a phone on its page.")
