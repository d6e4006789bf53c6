"""hikma-hub demo: a hub at work, with model phones."""

import sys
from pathlib import Path

import click


@click.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Keep the hub's data in this folder.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=4001, show_default=True)
@click.option("--phones", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=1), help="Stop after so long; otherwise at Ctrl-C.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same clinic.")
@click.option("--setup", is_flag=True, help="Leave the setup of the hub, on its page, to you.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def demo(
    data: Path | None,
    host: str,
    port: int,
    phones: int,
    seconds: float | None,
    seed: int,
    setup: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Start a hub and let model phones work on a made-up clinic with it."""
    from hub.demo.show import run_demo  # noqa: PLC0415  the other commands start faster without it

    sys.exit(
        run_demo(
            data=data,
            host=host,
            port=port,
            phones=phones,
            seconds=seconds,
            seed=seed,
            as_json=as_json,
            leave_setup=setup,
        )
    )
