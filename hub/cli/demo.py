"""hikma-hub demo: says where the demonstration went."""

import click

from hub.core.errors import OperatorError


@click.command(context_settings={"ignore_unknown_options": True}, hidden=True)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def demo(words: tuple[str, ...]) -> None:  # noqa: ARG001  whatever it was asked for before
    """Say where the demonstration went: it is not part of the product."""
    raise OperatorError(
        "the demonstration comes with the source code, not with the product: run 'make run' in a checkout"
    )
