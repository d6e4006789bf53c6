"""``python -m tests.simulator``: a hub at work, with model phones and a stand-in cloud."""

import sys
from pathlib import Path
from typing import Any

import click

from tests.simulator.run import ShowOptions, run_demo


@click.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Keep the hub's data in this folder.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=4001, show_default=True)
@click.option("--phones", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=1), help="Stop after so long; otherwise at Ctrl-C.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same work.")
@click.option(
    "--cloud/--no-cloud", default=True, show_default=True, help="Run a stand-in cloud that the hub relays to."
)
@click.option("--line-fails", is_flag=True, help="Cut the line to the cloud now and then.")
@click.option("--setup", "leave_setup", is_flag=True, help="Leave the setup of the hub, on its page, to you.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def demo(**options: Any) -> None:  # noqa: ANN401  the options above, by name
    """Start a hub and a cloud, and let model phones work on a made-up clinic with them.

    At the end, phones, hub and cloud are compared; the status is 0 if all hold the same.
    """
    if options["line_fails"] and not options["cloud"]:
        raise click.UsageError("without a cloud there is no line that could fail")
    sys.exit(run_demo(ShowOptions(**options)))


if __name__ == "__main__":
    demo()
