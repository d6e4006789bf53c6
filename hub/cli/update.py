"""hikma-hub update: what runs, what an update is worth, and the way there and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from hub import __version__
from hub.cli import options, speech, update_inside, update_parts, update_wishes
from hub.core.errors import OperatorError, UpdateRefused
from hub.core.update.refusal import Refusal
from hub.core.update.told import Told
from hub.core.update.wishes import Source
from hub.desk import Desk
from hub.firstboot.machine import Machine
from hub.services.update import finding, memory, systems
from hub.services.update.rauc import CONF, Rauc
from hub.services.update.systems import Systems
from hub.words import Words, updates

_bundle = click.argument("bundle", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
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
    row: dict[str, object] = {"version": __version__, "last": updates.became(words, last) if last else None}
    try:
        running, boot = box.booted(), box.read()
    except UpdateRefused as error:
        options.show_one({**row, "update": updates.refused(words, error)}, as_json=as_json)
        return
    systems_of = {"running": running.value, "usual": boot.committed.value, "next": boot.primary.value}
    there = Desk(told_file=str(update_parts.places().told)).told(Told).found
    found = {"found": " ".join(updates.found(words, one) for one in there)} if there else {}
    options.show_one({**row, **systems_of, **found}, as_json=as_json)


@update.command()
@_bundle
@_older
@options.data
@options.config
@options.as_json
@click.pass_obj
def check(box: Systems, bundle: Path | None, older: bool, data: Path, config: Path | None, as_json: bool) -> None:  # noqa: FBT001  click's way
    """Check whether an update is for this hub; changes nothing.

    Without BUNDLE: what is on the stick, was sent through the page or is at the organisation's address.
    """
    settings = options.settings(config, data)
    words = speech.of(settings)
    with _said(words):
        box.booted()
        if bundle:
            found = box.check(bundle, current=__version__, may_be_older=older)
            options.show_one({"version": found.version, "current": __version__}, as_json=as_json)
            return
        seen = update_parts.granting(box, data, settings).look(far=True)
    rows = [{"from": one.source, "version": one.version, "what": updates.found(words, one)} for one in seen]
    options.show(rows, as_json=as_json, empty=words.say(Refusal.NOT_THERE.sentence))


@update.command()
@_bundle
@_older
@options.data
@options.config
@click.pass_obj
def install(box: Systems, bundle: Path | None, older: bool, data: Path, config: Path | None) -> None:  # noqa: FBT001  click's way
    """Install an update and restart into it.

    Without BUNDLE: the one on the stick. The hub keeps it only if it proves well within ten minutes; otherwise it goes
    back by itself.
    """
    update_parts.as_root()
    settings = options.settings(config, data)
    installer = update_parts.installer(box, data, settings)
    with _said(speech.of(settings)):
        box.booted()
        found = installer.install(bundle or _on_stick(box), may_be_older=older)
        click.echo(f"Version {found.version} is installed. The hub restarts into it as soon as nobody uses it.")
        installer.try_out()


@update.command(name="try")
@options.data
@options.config
@click.pass_obj
def try_again(box: Systems, data: Path, config: Path | None) -> None:
    """Restart into an update that is installed."""
    update_parts.as_root()
    settings = options.settings(config, data)
    with _said(speech.of(settings)):
        update_parts.installer(box, data, settings).try_out()


@update.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.data
@options.config
@click.pass_obj
def rollback(box: Systems, yes: bool, data: Path, config: Path | None) -> None:  # noqa: FBT001  click's way
    """Go back to the version before the last update, and restart.

    All records stay. The version that runs now is gone until it is installed again.
    """
    update_parts.as_root()
    settings = options.settings(config, data)
    with _said(speech.of(settings)):
        box.booted()
        if not yes:
            click.confirm("Go back to the version before the last update?", abort=True)
        update_parts.installer(box, data, settings).go_back()


def _on_stick(box: Systems) -> Path:
    seen = finding.look(box, update_parts.places(), Source.STICK, current=__version__)
    if seen is None:
        raise UpdateRefused(Refusal.NOT_THERE)
    return seen[1]


@contextmanager
def _said(words: Words) -> Iterator[None]:
    """Say a refusal in the language of the hub."""
    try:
        yield
    except UpdateRefused as error:
        raise OperatorError(updates.refused(words, error)) from error


for _command in (
    update_inside.backend,
    update_inside.seal,
    update_inside.settle,
    update_inside.prove,
    update_wishes.look,
    update_wishes.grant,
):
    update.add_command(_command)
