"""hikma-hub console."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from hub.actions.box import announced
from hub.actions.box.announced import Announced
from hub.actions.people import setup
from hub.actions.phones import access, pairing
from hub.core.phone.reach import LOOKS, REMEDY
from hub.core.status.facts import Facts
from hub.core.status.state import HubState
from hub.services.status import file
from hub.store.database import Store
from hub.store.phones import reached
from hub.words import LANGUAGES, status, words
from tests.cli.conftest import Run
from tests.simulator import processes

SAFE = Facts(free_bytes=10**12, synced_ago_s=60)


def once(run: Run, store: Store, **env: str) -> str:
    done = run("console", "--once", data=store.path.parent, env={f"HIKMA_HUB_{key}": env[key] for key in env})
    assert done.status == 0, done.err
    return done.out


def test_it_shows_name_addresses_and_code(run: Run, store: Store) -> None:
    announced.keep(store, Announced("hikma-hub", "hikma-hub-2.local"))
    shown = once(run, store, HUB_NAME="North clinic", SERVER_HOST="10.0.0.9")
    assert shown.startswith("North clinic\n  http://10.0.0.9:4001\n  http://hikma-hub-2.local:4001\n")
    assert "\u2584" in shown
    assert "! Another device on this network is already called hikma-hub.local." in shown
    assert "press the hub's button" in shown


@pytest.mark.parametrize("code", LANGUAGES)
def test_it_speaks_the_language_of_the_settings(run: Run, store: Store, tmp_path: Path, code: str) -> None:
    spoken = words(code)
    with store.write() as tx:
        reached.note(tx, access.pair(tx, "phone", None, most=10).num, "10.0.0.5")
    pairing.open_for(store, 7)
    shown = once(run, store, HUB_LANGUAGE=code, SERVER_HOST="10.0.0.9", BOX_STATUS_FILE=str(tmp_path / "status.json"))
    facts = Facts(answering=False)
    for text in HubState.NOT_ANSWERING.texts:
        assert status.fill(spoken, text, facts) in shown
    assert spoken.count(*LOOKS, 1, host="10.0.0.5") in shown
    assert spoken.say(REMEDY) in shown
    assert spoken.number(7) in shown
    assert (setup.code(store) or "-") in shown
    if code != "en":
        assert "Phones can be added" not in shown


def test_on_the_kernels_console_it_speaks_english_where_that_cannot_draw_the_language(
    run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "status.json")
    monkeypatch.setenv("TERM", "linux")
    assert "The hub does not answer." in once(run, store, HUB_LANGUAGE="ar", BOX_STATUS_FILE=path)
    assert "Le hub ne répond pas." in once(run, store, HUB_LANGUAGE="fr", BOX_STATUS_FILE=path)


def test_it_shows_the_state_and_the_remedy_that_the_hub_wrote(run: Run, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    assert "does not answer" in once(run, store, BOX_STATUS_FILE=str(path))
    file.write(path, "Hub", SAFE)
    shown = once(run, store, BOX_STATUS_FILE=str(path))
    assert status.sentence(words("en"), SAFE) in shown
    assert status.remedy(words("en"), SAFE) in shown


def test_where_no_hub_can_say_how_it_is_the_screen_measures(run: Run, store: Store, tmp_path: Path) -> None:
    shown = once(run, store, BOX_STATUS_FILE=str(tmp_path / "missing" / "status.json"))
    assert "No phone on its list has synced yet." in shown.replace("\n", " ")
    assert "does not answer" not in shown


def test_it_shows_the_setup_code_until_the_hub_is_set_up(run: Run, store: Store) -> None:
    code = setup.code(store)
    assert code
    assert code in once(run, store)
    setup.finish(store, "Amal", "correct horse battery")
    assert "etup code" not in once(run, store)


def test_it_says_for_how_long_pairing_is_open(run: Run, store: Store) -> None:
    pairing.open_for(store, 7)
    assert "7 more minutes" in once(run, store)
    assert "at any time" in once(run, store, PAIRING_MODE="open")


def test_it_warns_when_phones_look_elsewhere_and_says_how_to_mend_it(run: Run, store: Store) -> None:
    with store.write() as tx:
        reached.note(tx, access.pair(tx, "phone", None, most=10).num, "10.0.0.5")
    shown = once(run, store, SERVER_HOST="10.0.0.9")
    assert "1 phone is looking for the hub at its old address 10.0.0.5" in shown
    assert "router" in shown
    assert "looks for" not in once(run, store, SERVER_HOST="10.0.0.5")


def test_it_waits_for_the_first_start(run: Run, tmp_path: Path) -> None:
    done = run("console", "--once", data=tmp_path / "none")
    assert done.status == 0
    assert "not started for the first time" in done.out


def test_it_refreshes_itself_in_place(store: Store) -> None:
    child = subprocess.Popen(
        (*processes.HUB, "console", "--seconds", "0.2", "--data", str(store.path.parent)),
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    assert child.stdout
    seen = b""
    while b"5 more minutes" not in seen:
        seen += os.read(child.stdout.fileno(), 65536)
        if b"Adding phones is off" in seen and b"more minutes" not in seen:
            pairing.open_for(store, 5)
    child.kill()
    child.wait()
    child.stdout.close()
    assert len(re.findall(rb"\x1b\[H", seen)) > 1
    assert b"\x1b[2J" not in seen
