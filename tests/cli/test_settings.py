"""hikma-hub settings."""

from pathlib import Path

import pytest

from hub.store.database import Store
from hub.store.people import audit
from tests.cli.conftest import Run
from tests.hubs import ServedHub


def test_every_setting_is_listed_with_what_it_may_be(run: Run, store: Store) -> None:
    data = store.path.parent
    rows = {row["setting"]: row for row in run("settings", "--json", data=data).json}
    assert rows["pairing.minutes"] == {
        "setting": "pairing.minutes",
        "value": "10",
        "usual": True,
        "variable": None,
        "allowed": "a whole number from 1 to 240",
    }
    (data / "hub.toml").write_text("[pairing]\nminutes = 5\n")
    found = run("settings", data=data, env={"HIKMA_HUB_PAIRING_MODE": "open"}).out
    assert "HIKMA_HUB_PAIRING_MODE" in found
    assert any(line.split()[:3] == ["pairing.minutes", "5", "no"] for line in found.splitlines())


def test_a_setting_is_set_in_the_file_beside_the_data_and_noted(run: Run, store: Store) -> None:
    data = store.path.parent
    done = run("settings", "set", "pairing.mode", "open", data=data)
    assert (done.status, "when the hub restarts" in done.out) == (0, True)
    assert (data / "hub.toml").read_text() == '[pairing]\nmode = "open"\n'
    assert "Nothing changed" in run("settings", "set", "pairing.mode", "open", data=data).out
    with store.read() as db:
        assert [entry["detail"] for entry in audit.entries(db)] == ["pairing.mode: window -> open"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("pairing.minuts", "5", "there is no setting pairing.minuts; did you mean pairing.minutes?"),
        ("pairing", "5", "there is no setting pairing."),
        ("pairing.minutes", "0", "allowed is a whole number from 1 to 240"),
        ("web.idle_minutes", "5", "HIKMA_HUB_WEB_IDLE_MINUTES is set, which overrides"),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_reason(
    run: Run, store: Store, name: str, value: str, says: str
) -> None:
    done = run("settings", "set", name, value, data=store.path.parent, env={"HIKMA_HUB_WEB_IDLE_MINUTES": "9"})
    assert done.status == 1
    assert says in done.err
    assert not (store.path.parent / "hub.toml").exists()


def test_a_file_that_is_wrong_is_said_with_its_line(run: Run, store: Store) -> None:
    (store.path.parent / "hub.toml").write_text("[pairing]\nminuts = 5\n")
    for words in (("settings",), ("settings", "set", "pairing.minutes", "5")):
        done = run(*words, data=store.path.parent)
        assert done.status == 1
        assert "line 2: there is no setting minuts" in done.err


@pytest.mark.slow
def test_a_hub_takes_the_settings_beside_its_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "hub.toml").write_text('[hub]\nname = "North clinic"\n')
    hub = ServedHub(data)
    hub.start()
    try:
        assert "North clinic" in hub.cli("console", "--once").stdout
    finally:
        hub.close()
