"""hikma-hub status, doctor, serve, and what all commands share."""

import re
import socket
from pathlib import Path

import pytest

from hub import __version__
from hub.store.database import FILE_NAME
from tests.cli.conftest import Run
from tests.hubs import ServedHub, changes, prepare, row
from tests.simulator.hub_process import HubProcessError

ALL = [
    ("status",), ("doctor",), ("pairing", "close"), ("device", "list"), ("device", "revoke", "x"), ("clinic", "list"),
    ("token", "revoke", "--all"), ("user", "list"), ("user", "disable", "x"), ("quarantine", "list"),
    ("quarantine", "show", "1"), ("quarantine", "retry", "--all"),
]  # fmt: skip


def test_status_says_whether_everything_is_safe(served: ServedHub, run: Run) -> None:
    assert run("status", "--json", data=served.data).json["state"] == "no_phone"
    phone = served.client("pusher")
    phone.pull()
    assert run("status", "--json", data=served.data).json["state"] == "safe"
    phone.push(changes("patients", created=[row("patients", "p")]))
    told = run("status", "--json", data=served.data).json
    assert (told["waiting"], told["writable"], told["damage"]) == (1, True, [])
    assert told["sentence"] in run("status", data=served.data).out


def test_doctor_finds_a_sound_hub_fit(served: ServedHub, run: Run) -> None:
    checks = run("doctor", "--json", data=served.data).json
    assert {check["result"] for check in checks} == {"pass"}
    assert {"database", "writing", "disk", "privacy"} <= {check["check"] for check in checks}


def test_status_names_facts_as_the_page_does(served: ServedHub, run: Run) -> None:
    page = served.connect().get("/")[1].decode()
    lines = run("status", data=served.data).out.splitlines()[2:]
    labels = {line.strip().split("  ")[0] for line in lines}
    assert {label for label in labels if label in page} == {
        "Phones in the last 24 hours",
        "Last sync of a phone",
        "Records on this hub",
        "Adding phones",
    }
    assert {"Storage", "Clock", "Database", "Records to check", "Cloud"} <= labels


def test_doctor_speaks_to_people_as_the_page_does_and_keeps_its_names_for_scripts(served: ServedHub, run: Run) -> None:
    told = run("doctor", data=served.data).out
    assert re.search(r"^Storage +pass +[\d.]+ GB free$", told, re.MULTILINE)
    assert "Can save" in told
    assert "disk" in {check["check"] for check in run("doctor", "--json", data=served.data).json}


@pytest.mark.parametrize("at", [0, 20, 60])
def test_doctor_tells_of_damage_on_one_line_and_of_nothing_that_it_cannot_know(
    run: Run, tmp_path: Path, at: int
) -> None:
    data = tmp_path / "data"
    prepare(data)
    with (data / FILE_NAME).open("r+b") as file:
        file.seek(at * 4096)
        file.write(b"\xff" * 20 * 4096)
    assert run("status", data=data).status == 0
    done = run("doctor", data=data)
    assert done.status == 1
    assert re.search(r"^Database +fail  ", done.out, re.MULTILINE)
    assert re.search(r"^State +fail +The hub's data is damaged\.$", done.out, re.MULTILINE)
    assert all(re.match(r"[A-Z][a-z ]+  +(pass|fail|not measured)  |check", line) for line in done.out.splitlines())


def test_doctor_ends_with_1_when_something_is_not_fit(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    prepare(data)
    (data / FILE_NAME).chmod(0o644)
    done = run("doctor", data=data)
    assert done.status == 1
    assert "others can read the database" in done.out


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_where_there_is_no_hub_a_command_says_so_and_makes_none(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = run(*words, data=tmp_path / "nothing")
    assert (done.status, "there is no hub in" in done.err) == (1, True)
    assert not (tmp_path / "nothing").exists()


def test_the_folder_may_be_said_by_a_variable(served: ServedHub, run: Run) -> None:
    assert run("status", "--json", env={"HIKMA_HUB_DATA": str(served.data)}).status == 0


def test_a_wrong_setting_is_refused_with_the_line_to_mend(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "hub.toml"
    config.write_text("[pairing]\n\nminuts = 5\n")
    done = run("serve", "--config", str(config), data=tmp_path / "data")
    assert done.status == 1
    assert "line 3" in done.err
    assert "minutes" in done.err


def test_serve_says_what_is_wrong_with_the_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("serve", "--port", "4001", data=tmp_path / "file" / "data")
    assert (done.status, "cannot open" in done.err) == (1, True)


def test_serve_on_a_taken_port_ends_and_does_not_pretend(served: ServedHub, tmp_path: Path) -> None:
    data = tmp_path / "second"
    prepare(data)
    second = ServedHub(data)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", second.port))
        taken.listen()
        with pytest.raises(HubProcessError, match="ended at once"):
            second.start()
    assert served.client("first").pull().status == 200


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out == f"hikma-hub, version {__version__}\n"


def test_an_error_is_one_sentence_and_no_traceback(served: ServedHub) -> None:
    done = served.cli("device", "revoke", "nobody")
    assert (done.returncode, done.stderr) == (
        1,
        "hikma-hub: there is no phone nobody; see 'hikma-hub device list'\n",
    )


def test_commands_run_as_processes_of_their_own_beside_the_hub(served: ServedHub) -> None:
    done = served.cli("clinic", "add", "--name", "By another process", "--json")
    assert done.returncode == 0, done.stderr
    assert "By another process" in str(served.client("sees-it").pull().json)
