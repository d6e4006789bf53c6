"""hikma-hub discover: the hubs on the network."""

import asyncio

import click
import msgspec

from hub.cli import options
from hub.services.discovery import browser


@click.command()
@options.as_json
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=3.0, show_default=True, help="How long to listen.")
def discover(as_json: bool, seconds: float) -> None:  # noqa: FBT001  click's way
    """List the hubs on this network. What they announce is not verified."""
    found = [msgspec.to_builtins(hub) for hub in asyncio.run(browser.look(seconds))]
    if not as_json:
        found = [{**hub, "addresses": " ".join(hub["addresses"])} for hub in found]
    options.show(found, as_json=as_json, empty="No hubs were found. Is this computer on the same network?")
