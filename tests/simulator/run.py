"""Runs the demo: a cloud, a hub and a show, from the first line on the terminal to the last."""

import contextlib
import json
import secrets
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

import click

from tests.simulator.cloud_process import CloudProcess, CloudProcessError
from tests.simulator.hub_process import HubProcess, HubProcessError
from tests.simulator.rpc import CallFailedError
from tests.simulator.show import Show, line
from tests.simulator.staff import PASSWORD, STAFF
from tests.simulator.uplink import Uplink

_INTERRUPTED = 130
"""As a shell tells the end by Ctrl-C."""


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """What was asked for on the command line.

    data: the hub's directory; None for a temporary one that is thrown away.
    seconds: how long the phones work; None until Ctrl-C.
    leave_setup: leave the first visit of the page, with its setup code, to whoever watches.
    cloud: run a stand-in cloud beside the hub.
    line_fails: cut the line to it now and then.
    """

    data: Path | None = None
    host: str = "127.0.0.1"
    port: int = 4001
    phones: int = 5
    seconds: float | None = None
    seed: int = 1
    as_json: bool = False
    leave_setup: bool = False
    cloud: bool = True
    line_fails: bool = False


def run_demo(options: ShowOptions) -> int:
    """Run the show until its time is over or Ctrl-C comes, and compare what everyone holds; returns the exit code.

    0: all hold the same at the end. 1: they do not, or something failed. 130: a second Ctrl-C came before that.
    """
    with tempfile.TemporaryDirectory(prefix="hikma-hub-demo-") as scratch, _interruptible():
        try:
            return _run(options, Path(scratch))
        except (HubProcessError, CloudProcessError, CallFailedError) as error:
            click.echo(f"demo: {error}", err=True)
            return 1
        except KeyboardInterrupt:
            click.echo("demo: stopped before all were compared", err=True)
            return _INTERRUPTED


def _run(options: ShowOptions, scratch: Path) -> int:
    data = options.data or scratch / "data"
    status = scratch / "status.json"
    # There is no box with lights: its page draws them.
    settings = {"HIKMA_HUB_WEB_SHOW_LIGHTS": "true", "HIKMA_HUB_BOX_STATUS_FILE": str(status)}
    if options.cloud:
        settings["HIKMA_HUB_RELAY_MINUTES"] = "1"
    with contextlib.ExitStack() as children:
        hub = HubProcess(data, host=options.host, port=options.port, log=scratch / "serve.log", settings=settings)
        cloud = CloudProcess(data / "cloud", log=scratch / "cloud.log") if options.cloud else None
        if cloud:
            children.enter_context(cloud)
        children.enter_context(hub)
        say = _silence if options.as_json else _say
        say(f"The hub runs at {hub.url}")
        say(_setup_code(hub) if options.leave_setup else _administrator(hub))
        uplink = None
        if cloud:
            say(f"The cloud runs at {cloud.url}; it knows {STAFF[0].email} and others by the password {PASSWORD}")
            uplink = Uplink(hub, cloud, status, lambda *told: say(line(*told)), line_fails=options.line_fails)
        show = Show(hub, phones=options.phones, seed=options.seed, say=say, uplink=uplink)
        show.prepare()
        with contextlib.suppress(KeyboardInterrupt):
            show.work(options.seconds)
        show.settle()
    if options.as_json:
        click.echo(json.dumps(asdict(show.summary)))
    return 0 if show.summary.same else 1


def _administrator(hub: HubProcess) -> str:
    """Make someone who can sign in on the page; returns how."""
    name, password = "demo", secrets.token_urlsafe(9)
    known = {row["name"] for row in hub.do_json("admin", "list")}
    hub.do("admin", "password" if name in known else "add", name, "--password-stdin", stdin=password + "\n")
    return f"Its page is at {hub.url}; sign in there as {name} with the password {password}"


def _setup_code(hub: HubProcess) -> str:
    code = hub.do_json("setup-code")["setup_code"]
    return f"Its page is at {hub.url}; " + (f"set it up there with the code {code}" if code else "it is set up already")


def _say(text: str, fg: str | None = None) -> None:
    click.secho(text, fg=fg)  # click leaves colours out where no one can see them


def _silence(text: str, fg: str | None = None) -> None:
    """Say nothing."""


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that no process is left behind; a shell's background job ignores neither."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
