"""Who may change which setting."""

import pytest

from hub import settings
from hub.settings import Change, change
from hub.settings.changes import CHANGES


@pytest.mark.parametrize("name", settings.names())
def test_every_setting_says_how_it_is_changed(name: str) -> None:
    assert change(*name.split(".")) in Change


def test_nothing_is_declared_that_is_no_setting() -> None:
    sections = {name.split(".")[0] for name in settings.names()}
    assert set(CHANGES) <= {*settings.names(), *sections}


@pytest.mark.parametrize("name", ["pairing.mode", "web.plain_sign_in", "login.attempts", "box.restart_command"])
def test_what_guards_the_hub_or_runs_on_the_box_is_not_open_to_the_page(name: str) -> None:
    assert not change(*name.split(".")).is_open
