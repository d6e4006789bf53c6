"""A box dies, and somebody without skill makes another one of what is left: by the page, or by the spare."""

import re
from pathlib import Path

import httpx
import pytest

from tests.hubs import ServedHub, changes, new_store, prepare, row
from tests.services.copy.copies import SECRET, until
from tests.simulator.transport import NetworkLostError

pytestmark = pytest.mark.slow


def new_hub(data: Path, like: ServedHub, **settings: str) -> ServedHub:
    """Return a hub that is new, at the address of another one, which is dead."""
    new_store(data).close()
    made = ServedHub(data, {f"HIKMA_HUB_{name}": value for name, value in settings.items()})
    made.port, made.url = like.port, like.url
    return made


def recover_by_page(hub: ServedHub) -> None:
    """Do what somebody does who reads the pages of the new hub, which stand for themselves."""
    code = hub.do("setup-code").split()[-1]
    with httpx.Client(base_url=hub.url, headers={"accept": "text/html", "origin": hub.url}, timeout=30) as browser:

        def submit(path: str, **fields: str) -> None:
            found = re.search(r'name="form_key" value="(\w+)"', browser.get("/setup").text)
            assert found
            assert browser.post(path, data={"form_key": found[1], **fields}).status_code == 303

        submit("/setup/code", code=code)
        submit("/setup/recover", passphrase=SECRET)


def test_the_page_of_a_new_hub_makes_it_the_one_of_its_stick(tmp_path: Path) -> None:
    (stick := tmp_path / "stick").mkdir()
    prepare(tmp_path / "old")
    old = ServedHub(tmp_path / "old")
    old.do("copy", "start", str(stick), "--passphrase-stdin", stdin=SECRET + "\n")
    old.start()
    client = old.client()
    until(lambda: old.do_json("copy", "status").get("standing") == "safe", within_s=60)
    assert client.push(changes("patients", created=[row("patients", "p-1", given_name="Amal")])).status == 200
    old.close()
    new = new_hub(tmp_path / "new", old, COPY_FOLDER=str(stick))
    try:
        new.start()
        recover_by_page(new)
        client.transport = new.connect()

        def pulls() -> bool:
            try:
                client.shake()
                return bool(client.pull().json["changes"]["patients"]["created"][0]["id"] == "p-1")
            except (NetworkLostError, KeyError, IndexError):
                return False

        until(pulls, within_s=60)
        until(lambda: new.do_json("copy", "status").get("standing") == "safe", within_s=60)
    finally:
        new.close()
