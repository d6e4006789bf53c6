"""hikma-hub update: what runs, what an update is worth, and the way there and back."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from hub import __version__
from hub.cli import hub_state, options, speech, update_inside
from hub.core.errors import OperatorError, UpdateRefused
from hub.core.status.facts import Facts
from hub.core.update import rules, slots
from hub.core.update.refusal import Refusal
from hub.firstboot.machine import Machine
from hub.services.update import evidence, memory, systems
from hub.services.update.memory import Fate, LastUpdate
from hub.services.update.rauc import CONF, Rauc
from hub.services.update.systems import Systems
from hub.settings import Settings
from hub.words import Words, updates

_LOOK_S = 5.0
_QUIET_WAIT_S = 1800
"""In a busy clinic a phone is always syncing; the technician who waits is told then."""

_bundle = click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_older = click.option("--older", is_flag=True, help="Take it although it is not newer.")


@click.group()
@click.option("--boot", type=click.Path(path_type=Path), envvar="HIKMA_UPDATE_BOOT", default=systems.BOOT, hidden=True)
@click.option("--proc", type=click.Path(path_type=Path), envvar="HIKMA_UPDATE_PROC", default=systems.PROC, hidden=True)
@click.option("--rauc", type=click.Path(path_type=Path), envvar="HIKMA_UPDATE_RAUC", default=CONF, hidden=True)
@click.pass_context
def update(context: click.Context, boot: Path, proc: Path, rauc: Path) -> None:
    """Update the hub's whole system, or go back."""
    machine = Machine()
    context.obj = Systems(
        boot=boot, proc=proc, rauc=Rauc(conf=rauc), writable=lambda folder: machine.writable(str(folder))
    )


@update.command()
@options.data
@options.config
@options.as_json
@click.pass_obj
def status(box: Systems, data: Path, config: Path | None, as_json: bool) -> None:  # noqa: FBT001  click's way
    """Show which version runs and what became of the last update."""
    words, last = speech.of(options.settings(config, data)), memory.read(data)
    row: dict[str, object] = {"version": __version__, "last": _told(words, last) if last else None}
    try:
        running, boot = box.booted(), box.read()
    except UpdateRefused as error:
        options.show_one({**row, "update": updates.refused(words, error)}, as_json=as_json)
        return
    systems_of = {"running": running.value, "usual": boot.committed.value, "next": boot.primary.value}
    options.show_one({**row, **systems_of}, as_json=as_json)


@update.command()
@_bundle
@_older
@options.data
@options.config
@options.as_json
@click.pass_obj
def check(box: Systems, bundle: Path, older: bool, data: Path, config: Path | None, as_json: bool) -> None:  # noqa: FBT001  click's way
    """Check whether an update is for this hub; changes nothing."""
    with _said(speech.of(options.settings(config, data))):
        box.booted()
        found = box.check(bundle, current=__version__, may_be_older=older)
    options.show_one({"version": found.version, "current": __version__}, as_json=as_json)


@update.command()
@_bundle
@_older
@options.data
@options.config
@click.pass_obj
def install(box: Systems, bundle: Path, older: bool, data: Path, config: Path | None) -> None:  # noqa: FBT001  click's way
    """Install an update and restart into it.

    The hub keeps it only if it proves well within ten minutes; otherwise it goes back by itself.
    """
    _as_root()
    settings = options.settings(config, data)
    with _said(speech.of(settings)):
        box.booted()
        found = box.check(bundle, current=__version__, may_be_older=older)
        _refuse_untimely(box, settings)
        box.install(bundle)
        ways = tuple(sorted(evidence.ways()))
        lights = evidence.has_lights()
        memory.keep(data, LastUpdate(version=found.version or "?", before=__version__, ways=ways, lights=lights))
        click.echo(f"Version {found.version} is installed. The hub restarts into it as soon as nobody uses it.")
        _try(box, settings, data)


@update.command(name="try")
@options.data
@options.config
@click.pass_obj
def try_again(box: Systems, data: Path, config: Path | None) -> None:
    """Restart into an update that is installed."""
    _as_root()
    settings = options.settings(config, data)
    with _said(speech.of(settings)):
        box.booted()
        _try(box, settings, data)


@update.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.data
@options.config
@click.pass_obj
def rollback(box: Systems, yes: bool, data: Path, config: Path | None) -> None:  # noqa: FBT001  click's way
    """Go back to the version before the last update, and restart.

    All records stay. The version that runs now is gone until it is installed again.
    """
    _as_root()
    with _said(speech.of(options.settings(config, data))):
        slot = box.booted()
    if not yes:
        click.confirm("Go back to the version before the last update?", abort=True)
    box.change(lambda boot: slots.mark_bad(boot, slot))
    memory.remember(data, Fate.TAKEN_BACK)
    Machine().run("systemctl", "reboot")


def _try(box: Systems, settings: Settings, data: Path) -> None:
    """Restart into what is installed, in a quiet moment. Raises UpdateRefused where there is none for long."""
    ends = time.monotonic() + _QUIET_WAIT_S
    while (untimely := _untimely(box, settings)) and time.monotonic() < ends:
        time.sleep(_LOOK_S)
    if untimely:
        raise UpdateRefused(untimely)
    box.change(slots.begin_trial)
    memory.remember(data, Fate.TRYING)
    Machine().run("systemctl", "reboot", "--reboot-argument=0 tryboot")


def _refuse_untimely(box: Systems, settings: Settings) -> None:
    if untimely := _untimely(box, settings):
        raise UpdateRefused(untimely)


def _untimely(box: Systems, settings: Settings) -> Refusal | None:
    facts = hub_state.facts(settings, lambda: Facts(answering=False))
    return rules.untimely(facts, box.uptime_s())


def _as_root() -> None:
    if os.geteuid() != 0:
        raise OperatorError("only root can update a hub")


@contextmanager
def _said(words: Words) -> Iterator[None]:
    """Say a refusal in the language of the hub."""
    try:
        yield
    except UpdateRefused as error:
        raise OperatorError(updates.refused(words, error)) from error


def _told(words: Words, last: LastUpdate) -> str:
    """Say what became of the last update."""
    text = {
        Fate.INSTALLED: updates.INSTALLED,
        Fate.TRYING: updates.TRYING,
        Fate.KEPT: updates.KEPT,
        Fate.TAKEN_BACK: updates.TAKEN_BACK,
        Fate.RETURNED: updates.NOT_WELL if last.missing else updates.DID_NOT_START,
    }[last.fate]
    told = words.say(text, version=last.version, before=last.before)
    return " ".join([told, *(words.say(need.value) for need in last.needs)])


for _command in (update_inside.backend, update_inside.seal, update_inside.settle, update_inside.prove):
    update.add_command(_command)
