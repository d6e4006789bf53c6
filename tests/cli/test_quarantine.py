"""hikma-hub quarantine, beside a hub that serves (P7)."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core.records.access import Permission
from hub.store.database import Store
from hub.store.people import audit, users
from tests.cli.conftest import Run
from tests.hubs import EMAIL, ServedHub, add_user, changes, row

NAME = "Amina-Zahra"


@pytest.fixture
def entry(served: ServedHub, run: Run) -> Iterator[int]:
    """Let a user without the permission register a patient; give the number of the entry."""
    store = Store(served.data)
    clinic_id = run("clinic", "list", "--json", data=served.data).json[0]["id"]
    add_user(store, clinic_id, email="limited@x.example", without=[Permission.REGISTER])
    client = served.client("limited", email="limited@x.example")
    record_id = f"kept-{uuid.uuid4()}"
    client.push(changes("patients", created=[row("patients", record_id, given_name=NAME, primary_clinic_id=clinic_id)]))
    yield max(found["num"] for found in run("quarantine", "list", "--json", data=served.data).json)
    with store.write() as tx:
        tx.db.execute("DELETE FROM quarantine")
    store.close()


def mend(served: ServedHub) -> None:
    store = Store(served.data)
    with store.write() as tx:
        clinic_id = next(users.clinics(tx.db))["id"]
        users.grant(tx, "user-limited@x.example", clinic_id, Permission)
    store.close()


def test_a_hub_without_entries_says_so(served: ServedHub, run: Run) -> None:
    assert run("quarantine", "list", data=served.data).out == "There are no records to check.\n"
    assert run("quarantine", "list", "--json", data=served.data).json == []


def test_entries_are_listed_with_their_reason_and_without_the_record(served: ServedHub, run: Run, entry: int) -> None:
    (listed,) = run("quarantine", "list", "--json", data=served.data).json
    about = {*("num", "table_name", "record_id", "action", "device", "user_id", "user", "phone", "note", "at", "size")}
    assert listed.keys() == about | {"reason", "code", "params"}
    assert (listed["num"], listed["table_name"], listed["record_id"][:5]) == (entry, "patients", "kept-")
    assert listed["code"] == "not_permitted"
    assert listed["params"] == {"needs": ["can_register_patients"], "table": "patients"}
    assert "permission to register patients" in listed["reason"]
    assert NAME not in run("quarantine", "list", data=served.data).out


def test_one_entry_is_shown_whole(served: ServedHub, run: Run, entry: int) -> None:
    shown = run("quarantine", "show", str(entry), data=served.data).json
    assert json.loads(shown["raw"])["given_name"] == NAME


def test_an_entry_that_still_cannot_be_taken_in_stays(served: ServedHub, run: Run, entry: int) -> None:
    assert run("quarantine", "retry", str(entry), data=served.data).out == "0 of 1 accepted.\n"
    assert len(run("quarantine", "list", "--json", data=served.data).json) == 1


@pytest.mark.parametrize("which", ["one", "--all"])
def test_an_entry_is_taken_in_after_the_permission_was_mended(
    served: ServedHub, run: Run, entry: int, which: str
) -> None:
    mend(served)
    words = str(entry) if which == "one" else which
    assert run("quarantine", "retry", words, data=served.data).out == "1 of 1 accepted.\n"
    assert run("quarantine", "list", "--json", data=served.data).json == []
    assert NAME in str(served.client("reader", email=EMAIL).pull().json)


def test_which_entries_to_retry_must_be_said(served: ServedHub, run: Run) -> None:
    assert run("quarantine", "retry", data=served.data).status == 2


@pytest.mark.parametrize("words", [("show", "999"), ("retry", "999")])
def test_an_unknown_entry_is_refused_in_words(served: ServedHub, run: Run, words: tuple[str, ...]) -> None:
    done = run("quarantine", *words, data=served.data)
    assert (done.status, done.err) == (1, "hikma-hub: there is no entry 999; see 'hikma-hub quarantine list'\n")


def test_s6_an_export_is_whole_for_its_owner_alone_and_in_the_audit_log(
    served: ServedHub, run: Run, entry: int, tmp_path: Path
) -> None:
    output = tmp_path / "export.jsonl"
    assert run("quarantine", "export", "--output", str(output), data=served.data).status == 0
    (line,) = output.read_text("utf-8").splitlines()
    assert json.loads(line)["num"] == entry
    assert output.stat().st_mode & 0o777 == 0o600
    store = Store(served.data)
    with store.read() as db:
        assert "quarantine.exported" in [found["event"] for found in audit.entries(db)]
    store.close()


def test_an_entry_is_set_aside_and_taken_back(served: ServedHub, run: Run, entry: int) -> None:
    assert run("quarantine", "set-aside", str(entry), "a double", data=served.data).out == "Set aside.\n"
    (listed,) = run("quarantine", "list", "--json", data=served.data).json
    assert listed["note"] == "a double"
    assert run("quarantine", "take-back", str(entry), data=served.data).status == 0
    for words in (("set-aside", "999999", "why"), ("take-back", "999999")):
        assert "there is no entry" in run("quarantine", *words, data=served.data).err
