"""hikma-hub setup-code, fingerprint and admin, beside a hub that serves."""

import re
from pathlib import Path

from hub.actions.people import setup
from hub.store.database import Store
from tests.cli.conftest import Run
from tests.hubs import ServedHub

PASSWORD = "four words are enough\n"


def test_the_setup_code_is_shown_until_there_is_an_administrator(tmp_path: Path, run: Run) -> None:
    data = tmp_path / "data"
    code = run("setup-code", data=data).out.strip()
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", code)
    assert run("setup-code", "--json", data=data).json == {"setup_code": code}
    assert run("admin", "add", "amal", "--password-stdin", data=data, stdin=PASSWORD).status == 0
    assert "has no setup code any more" in run("setup-code", data=data).out
    assert run("setup-code", "--json", data=data).json == {"setup_code": None}
    store = Store(data)
    assert setup.is_done(store)
    store.close()


def test_administrators_are_made_listed_and_removed(served: ServedHub, run: Run) -> None:
    for name in ("amal", "zoé"):
        assert run("admin", "add", name, "--password-stdin", data=served.data, stdin=PASSWORD).status == 0
    assert [row["name"] for row in run("admin", "list", "--json", data=served.data).json] == ["amal", "zoé"]
    assert run("admin", "password", "amal", "--password-stdin", data=served.data, stdin=PASSWORD).status == 0
    assert run("admin", "remove", "zoé", data=served.data).status == 0
    last = run("admin", "remove", "amal", data=served.data)
    assert last.status == 1
    assert "last administrator" in last.err


def test_what_cannot_be_done_is_said_in_words(served: ServedHub, run: Run) -> None:
    done = run("admin", "password", "nobody", "--password-stdin", data=served.data, stdin=PASSWORD)
    assert done.status == 1
    assert "there is no administrator called nobody" in done.err
    assert "needs 10 to 200" in run("admin", "add", "x", "--password-stdin", data=served.data, stdin="short\n").err


def test_the_fingerprint_stays_the_same(served: ServedHub, run: Run) -> None:
    first = run("fingerprint", data=served.data).out.strip()
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", first)
    assert run("fingerprint", data=served.data).out.strip() == first
