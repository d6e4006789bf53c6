"""Power cuts while a backup is made: the command is killed, or the hub that sends one to a browser (O4, P1).

``make backup-cut N=30 SEED=1`` kills each as often, drawn by SEED: in turn at any moment, and at any byte of the file.
"""

import contextlib
import os
import random
import re
import shutil
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path

import click
import httpx
import pytest

from hub.actions.people import setup
from hub.app import backup
from hub.core.errors import OperatorError
from hub.store.database import FILE_NAME
from tests.bench import material
from tests.hubs import ServedHub
from tests.simulator import processes

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SEED = int(os.environ.get("SEED", "1"))
RECORDS = 10_000
SECRET = "four words are enough"
_LEFT = {f"{FILE_NAME}.backup", f"{FILE_NAME}.backup-journal", "archive.lock"}
"""All that a cut may leave beside the data; the next backup, or the next start, removes the copy."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


class Got(StrEnum):
    """What somebody has in hand after a cut."""

    NOTHING = "no file"
    PART = "a part, which no hub is made of"
    WHOLE = "the whole backup"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[ServedHub]:
    """Return a hub at work, with many records and an administrator."""
    store, _ = material.hub(tmp_path / "data", RECORDS)
    setup.finish(store, "amal", SECRET)
    store.close()
    served = ServedHub(tmp_path / "data")
    served.start()
    yield served
    served.close()


def got(file: bytes | None, scratch: Path) -> Got:
    """Try to make a hub of what is there; all that can be made is the whole one."""
    if file is None:
        return Got.NOTHING
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        backup.restore([file], scratch, SECRET)
    except OperatorError:
        assert not any(scratch.iterdir())
        return Got.PART
    assert records(scratch) == RECORDS
    return Got.WHOLE


def records(data: Path) -> int:
    """Count the records of a database that is whole."""
    with closing(sqlite3.connect(data / FILE_NAME)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(db.execute("SELECT count(*) FROM events").fetchone()[0])


def content(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def wait(child: subprocess.Popen[bytes], for_s: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(for_s)


def wait_for_bytes(child: subprocess.Popen[bytes], file: Path, size: int) -> None:
    """Wait until a child has written as much, or ended."""
    while child.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_size > size:
                return
        wait(child, 0.001)


def tell(found: list[Got]) -> None:
    for one, times in Counter(found).most_common():
        click.echo(f"{one}: {times} of {len(found)}")


def test_o4_a_backup_whose_command_is_cut_is_whole_or_not_there(hub: ServedHub, tmp_path: Path) -> None:
    (shelf := tmp_path / "shelf").mkdir()
    out, unfinished, scratch = shelf / "hub.backup", shelf / ".hub.backup.new", tmp_path / "new"
    words = (*processes.HUB, "backup", "--data", str(hub.data), "--out", str(out), "--passphrase-stdin")
    before, begun_s = names(hub.data), time.monotonic()
    hub.do("backup", "--out", str(out), "--passphrase-stdin", stdin=SECRET)
    lasts_s, size, draw = time.monotonic() - begun_s, out.stat().st_size, random.Random(SEED)
    found = list[Got]()
    for number in range(ROUNDS):
        out.unlink(missing_ok=True)
        earlier = content(unfinished)
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=processes.environ()) as made:
            assert made.stdin is not None
            made.stdin.write(SECRET.encode())
            made.stdin.close()
            if number % 2:
                wait_for_bytes(made, unfinished, draw.randrange(size))
            else:
                wait(made, draw.uniform(0, lasts_s))
            made.kill()
        written = content(unfinished)
        found.append(got(content(out) or (None if written == earlier else written), scratch))
        assert (found[-1] is Got.WHOLE) or not out.exists(), "a part has the name of a backup"
        assert names(hub.data) - before <= _LEFT
        assert names(shelf) <= {out.name, unfinished.name}
        assert records(hub.data) == RECORDS
    tell(found)
    hub.do("backup", "--out", str(out), "--passphrase-stdin", stdin=SECRET)
    assert got(out.read_bytes(), scratch) is Got.WHOLE
    assert names(shelf) == {out.name}
    assert names(hub.data) - before <= {"archive.lock"}


class Browser:
    """An administrator's browser, which goes on over restarts of the hub."""

    def __init__(self, hub: ServedHub) -> None:
        self._client = httpx.Client(
            base_url=hub.url, headers={"accept": "text/html", "origin": hub.url}, timeout=120, trust_env=False
        )
        assert self._client.post("/sign-in/form", data=self._form("/sign-in", name="amal", password=SECRET)).is_redirect

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def download(self, size: int = 2**63, then: Callable[[], None] = lambda: None) -> tuple[bytes, bool]:
        """Ask for a backup, and do something once so much is there; returns what came, and whether that was all."""
        came = bytearray()
        with contextlib.suppress(httpx.TransportError):
            form = self._form("/box", passphrase=SECRET, again=SECRET)
            with self._client.stream("POST", "/box/backup", data=form) as answer:
                assert answer.status_code == 200
                for piece in answer.iter_raw():
                    came += piece
                    if len(came) > size:
                        then()
            return bytes(came), True
        return bytes(came), False

    def _form(self, page: str, **fields: str) -> dict[str, str]:
        key = re.search(r'name="form_key" value="(\w+)"', self._client.get(page).text)
        assert key
        return {"form_key": key[1], **fields}


@pytest.fixture
def browser(hub: ServedHub) -> Iterator[Browser]:
    made = Browser(hub)
    yield made
    made.close()


def test_o4_a_hub_that_is_cut_while_it_sends_a_backup_goes_on_and_what_came_of_it_makes_no_hub(
    hub: ServedHub, browser: Browser, tmp_path: Path
) -> None:
    scratch, before, begun_s = tmp_path / "new", names(hub.data), time.monotonic()
    whole, is_all = browser.download()
    assert is_all
    assert got(whole, scratch) is Got.WHOLE
    lasts_s, draw, found = time.monotonic() - begun_s, random.Random(SEED), list[Got]()
    for number in range(ROUNDS):
        if number % 2:
            came, is_all = browser.download(draw.randrange(len(whole)), hub.kill)
        else:
            cut = threading.Timer(draw.uniform(0, lasts_s), hub.kill)
            cut.start()
            came, is_all = browser.download()
            cut.join()
        hub.kill()
        found.append(got(came or None, scratch))
        assert (found[-1] is Got.WHOLE) or not is_all, "the browser takes a part for all of it"
        assert names(hub.data) - before <= _LEFT
        assert records(hub.data) == RECORDS
        hub.start()
        assert names(hub.data) - before <= {"archive.lock"}
    tell(found)
    assert got(browser.download()[0], scratch) is Got.WHOLE
