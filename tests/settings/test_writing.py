"""Changing the settings file."""

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import SettingError
from hub.settings import amend, load
from tests.mounts import Mount, mount

__all__ = ["mount"]

TEMPLATE = files("hub").joinpath("hub.toml").read_text("utf-8")
MINUTES = ("pairing", "minutes")


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "hub.toml"


def test_a_file_is_made_where_there_is_none(toml: Path) -> None:
    amend(toml, {MINUTES: 25, ("hub", "language"): "ar", ("web", "show_lights"): True})
    settings = load(toml, {})
    assert (settings.pairing.minutes, settings.hub.language, settings.web.show_lights) == (25, "ar", True)
    assert toml.stat().st_mode & 0o077 == 0


def test_the_template_keeps_its_comments_and_the_value_stands_at_its_own(toml: Path) -> None:
    toml.write_text(TEMPLATE, "utf-8")
    amend(toml, {MINUTES: 25})
    assert toml.read_text("utf-8") == TEMPLATE.replace("#minutes = 10", "minutes = 25", 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[pairing]\nminutes = 5 # why\n", "[pairing]\nminutes = 25 # why\n"),
        ("[pairing]\n#minutes = 7\nminutes = 5\n", "[pairing]\n#minutes = 7\nminutes = 25\n"),
        ("[pairing]\n#minutes = seven\n", "[pairing]\nminutes = 25\n"),
        ("[relay]\n#minutes = 7\n", "[relay]\n#minutes = 7\n\n[pairing]\nminutes = 25\n"),
        ("pairing = {mode = 'open', minutes = 5}\n", "pairing = {mode = 'open', minutes = 25}\n"),
        ("pairing.minutes = 5\n", "pairing.minutes = 25\n"),
        ("[pairing]\r\nminutes = 5\r\n", "[pairing]\r\nminutes = 25\r\n"),
    ],
)
def test_only_the_value_changes_however_the_file_is_written(toml: Path, before: str, after: str) -> None:
    toml.write_bytes(before.encode())
    amend(toml, {MINUTES: 25})
    assert toml.read_bytes().decode() == after


@settings(deadline=None)  # each example waits for the disk
@given(
    minutes=st.integers(1, 240),
    name=st.from_regex(r"\A[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,80}\Z"),
    is_template=st.booleans(),
)
def test_what_was_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, minutes: int, name: str, *, is_template: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "hub.toml"
    path.write_text(TEMPLATE if is_template else "", "utf-8")
    amend(path, {MINUTES: minutes, ("hub", "name"): name})
    settings = load(path, {})
    assert (settings.pairing.minutes, settings.hub.name) == (minutes, name)


@pytest.mark.parametrize("broken", ["[pairing\n", "[pairing]\nminutes = 0\n", "[unheard]\n"])
def test_a_file_that_is_wrong_already_is_left_as_it_is(toml: Path, broken: str) -> None:
    toml.write_text(broken)
    with pytest.raises(SettingError):
        amend(toml, {MINUTES: 25})
    assert toml.read_text() == broken


def test_a_value_out_of_bounds_never_reaches_the_file(toml: Path) -> None:
    with pytest.raises(SettingError, match="allowed is a whole number from 1 to 240"):
        amend(toml, {MINUTES: 999})
    assert not toml.exists()


def test_a_full_disk_leaves_the_old_file(mount: Mount) -> None:
    toml = mount.path / "hub.toml"
    toml.write_text(TEMPLATE, "utf-8")
    mount.fill()
    with pytest.raises(SettingError, match="No space left"):
        amend(toml, {MINUTES: 25})
    assert toml.read_text("utf-8") == TEMPLATE
    mount.empty()
    amend(toml, {MINUTES: 25})
    assert load(toml, {}).pairing.minutes == 25


def test_the_rights_of_the_file_stay_and_a_link_leads_to_it(toml: Path, tmp_path: Path) -> None:
    toml.write_text("")
    toml.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(toml)
    amend(link, {MINUTES: 25})
    assert link.is_symlink()
    assert toml.stat().st_mode & 0o777 == 0o640
    assert load(toml, {}).pairing.minutes == 25
