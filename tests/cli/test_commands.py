import subprocess
import sys

import click
import pytest

from hub.cli import hikma_hub

_HEAVY = ("litestar", "granian", "zeroconf", "httpx")
_LOADED = "import sys; from hub.cli import hikma_hub; hikma_hub.get_command(None, {name!r}); print(*sys.modules)"


@pytest.mark.parametrize("name", hikma_hub.list_commands(click.Context(hikma_hub)))
def test_every_command_is_there_and_says_what_it_does(name: str) -> None:
    command = hikma_hub.get_command(click.Context(hikma_hub), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


@pytest.mark.parametrize("name", ["firstboot", "lights"])
def test_what_starts_first_on_a_box_does_not_load_the_server(name: str) -> None:
    words = [sys.executable, "-c", _LOADED.format(name=name)]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert not set(_HEAVY) & set(loaded)


def test_a_command_that_is_not_there_is_refused() -> None:
    assert hikma_hub.get_command(click.Context(hikma_hub), "nope") is None
