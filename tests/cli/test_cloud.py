"""hikma-hub cloud and relay, as processes of their own."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.relay import world as worlds
from tests.services.relay.world import World
from tests.simulator import processes

pytestmark = pytest.mark.slow


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with worlds.world(tmp_path, connected=False) as made:
        yield made


def cli(world: World, *words: str, stdin: str = "", status: int = 0) -> str:
    environ = {**os.environ, "HIKMA_HUB_DATA": str(world.store.path.parent)}
    command = (*processes.HUB, *words)
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def connect(world: World) -> dict[str, object]:
    words = ("cloud", "connect", "--url", world.url, "--api-key-stdin", "--json")
    answer: dict[str, object] = json.loads(cli(world, *words, stdin=world.hub.api_key + "\n"))
    return answer


def test_connect_shows_name_and_clinics_and_never_the_key(world: World) -> None:
    answer = connect(world)
    assert (answer["name"], answer["clinics"]) == ("hub-1", [world.here])
    assert world.hub.api_key not in cli(world, "cloud", "status", "--json")


def test_connect_says_what_is_wrong_in_one_sentence(world: World) -> None:
    words = ("cloud", "connect", "--api-key-stdin", "--url")
    assert "https" in cli(world, *words, "http://cloud.example.org", stdin="hh_1\n", status=1)
    assert "does not accept this hub's key" in cli(world, *words, world.url, stdin="hh_1\n", status=1)


def test_relay_once_prints_what_it_did(world: World) -> None:
    connect(world)
    world.patient()
    row = json.loads(cli(world, "relay", "--once", "--json"))
    assert (row["outcome"], row["pushed"]["stored"]) == ("done", 1)
    assert row["traffic"]["requests"] == 3


def test_relay_once_fails_with_its_reason(world: World) -> None:
    assert "No cloud is connected" in cli(world, "relay", "--once", status=1)


def test_status_names_the_clinic_the_states_and_the_reasons(world: World) -> None:
    connect(world)
    world.event({"id": "", "patient_id": world.patient()["id"]})
    cli(world, "relay", "--once")
    row = json.loads(cli(world, "cloud", "status", "--json"))
    assert (row["clinics"], row["waiting"], row["sent"], row["held"]) == (["Al Noor"], 0, 1, 1)
    assert row["in_step"] is False
    assert row["sentence"] == "The last exchange with the cloud succeeded."
    assert (row["reasons"][0]["code"], row["reasons"][0]["held"]) == ("visit_missing", 1)
    assert row["reasons"][0]["reason"] in cli(world, "cloud", "status")


def test_disconnect_forgets_the_key(world: World) -> None:
    connect(world)
    cli(world, "cloud", "disconnect")
    assert json.loads(cli(world, "cloud", "status", "--json"))["connected"] is False
    assert "no cloud" in cli(world, "cloud", "disconnect", status=1)


def test_a_held_record_is_let_go_by_quarantine_retry(world: World) -> None:
    connect(world)
    world.patient(primary_clinic_id=world.elsewhere)
    cli(world, "relay", "--once")
    [entry] = json.loads(cli(world, "quarantine", "list", "--json"))
    assert entry["action"] == "relay"
    assert "1 of 1" in cli(world, "quarantine", "retry", str(entry["num"]))
    assert json.loads(cli(world, "quarantine", "list", "--json")) == []


def test_a_full_pull_can_be_asked_for(world: World) -> None:
    connect(world)
    cli(world, "relay", "--once")
    assert json.loads(cli(world, "relay", "--once", "--json"))["full"] is False
    assert json.loads(cli(world, "relay", "--once", "--full", "--json"))["full"] is True


def test_clinics_are_listed_and_matched_by_hand(world: World) -> None:
    own = [json.loads(cli(world, "clinic", "add", "--name", name, "--json"))["id"] for name in ("Third", "Fourth")]
    connect(world)
    world.patient(primary_clinic_id=own[0])
    cli(world, "relay", "--once")
    assert not world.seed.rows("patients")
    theirs = {"hub": None, "hub_name": None, "cloud": world.here, "cloud_name": "Al Noor"}
    assert theirs in json.loads(cli(world, "cloud", "clinics", "--json"))
    cli(world, "cloud", "match-clinic", "--hub", own[0], "--cloud", world.here)
    cli(world, "relay", "--once")
    assert [row["primary_clinic_id"] for row in world.seed.rows("patients")] == [world.here]
    matched = {"hub": own[0], "hub_name": "Third", "cloud": world.here, "cloud_name": "Al Noor"}
    assert matched in json.loads(cli(world, "cloud", "clinics", "--json"))
    assert "no clinic with" in cli(world, "cloud", "match-clinic", "--hub", "x", "--cloud", world.here, status=1)


def test_users_are_listed_and_matched_by_hand(world: World) -> None:
    clinic = json.loads(cli(world, "clinic", "add", "--name", "Al Noor", "--json"))["id"]
    words = ("--email", "pia@home.org", "--name", "Pia", "--role", "provider", "--clinic", clinic)
    own = json.loads(cli(world, "user", "add", *words, "--password-stdin", "--json", stdin="secret\n"))["id"]
    connect(world)
    cli(world, "relay", "--once")
    cli(world, "cloud", "match-user", "--hub", own, "--cloud", world.nurse)
    matched = {"hub": own, "hub_name": "pia@home.org", "cloud": world.nurse, "cloud_name": "pia@test"}
    assert matched in json.loads(cli(world, "cloud", "users", "--json"))
