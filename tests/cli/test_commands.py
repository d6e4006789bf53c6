import subprocess
import sys

import click
import pytest

from hub.cli import hikma_hub

_HEAVY = ("litestar", "granian", "zeroconf", "httpx")
_LOADING = {"serve", "discover", "cloud", "relay", "fleet", "page", "support-file", "copy", "spare", "take-over"}
"""Commands that serve, or talk to a neighbour of the hub or measure with its parts."""
_LOADED = "import sys; from hub.cli import hikma_hub; hikma_hub.get_command(None, {name!r}); print(*sys.modules)"


@pytest.mark.parametrize("name", hikma_hub.list_commands(click.Context(hikma_hub)))
def test_every_command_is_there_and_says_what_it_does(name: str) -> None:
    command = hikma_hub.get_command(click.Context(hikma_hub), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(hikma_hub.list_commands(click.Context(hikma_hub))) - _LOADING))
def test_a_command_loads_no_server_that_it_does_not_need(name: str) -> None:
    words = [sys.executable, "-c", _LOADED.format(name=name)]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert not set(_HEAVY) & set(loaded)


def test_a_command_that_is_not_there_is_refused() -> None:
    assert hikma_hub.get_command(click.Context(hikma_hub), "nope") is None
