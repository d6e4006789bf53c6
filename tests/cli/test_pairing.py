"""hikma-hub pairing, beside a hub that serves."""

import random
from pathlib import Path

import pytest

from hub.core.phone import wire
from hub.core.phone.keys import KeyPair
from tests.cli.conftest import Run
from tests.hubs import Client, ServedHub
from tests.simulator.phone import Phone
from tests.simulator.rpc import CallFailedError


@pytest.fixture(autouse=True)
def _open_again(served: ServedHub, run: Run) -> None:
    run("pairing", "open", "--minutes", "60", data=served.data)


def shake(served: ServedHub, client_id: str) -> int:
    return Client(served.connect(), client_id).shake().status


def test_show_prints_the_code_of_the_running_hub_as_json(served: ServedHub, run: Run) -> None:
    shown = run("pairing", "show", "--json", data=served.data).json
    answer = Client(served.connect(), "scanner").shake().json
    assert {name: shown[name] for name in ("type", "url", "id")} == {
        "type": "sync_hub",
        "url": served.url,
        "id": answer["hub_id"],
    }


def test_a_phone_pairs_by_the_printed_code_and_the_hub_proves_its_identity(served: ServedHub, run: Run) -> None:
    phone = Phone(rng=random.Random(5), now_ms=lambda: 0, connect=served.connect)
    code = run("pairing", "show", "--json", data=served.data).json
    phone.pair(code, check_pk=True)
    with pytest.raises(CallFailedError, match="does not prove"):
        phone.pair({**code, "pk": wire.encode(KeyPair().public)}, check_pk=True)


def test_s2_close_and_open_work_at_once(served: ServedHub, run: Run) -> None:
    assert run("pairing", "close", data=served.data).status == 0
    assert shake(served, "late") == 403
    assert "5 minutes" in run("pairing", "open", "--minutes", "5", data=served.data).out
    assert shake(served, "late") == 200


def test_open_without_minutes_takes_the_setting(served: ServedHub, run: Run) -> None:
    done = run("pairing", "open", data=served.data, env={"HIKMA_HUB_PAIRING_MINUTES": "7"})
    assert "7 minutes" in done.out


@pytest.mark.parametrize("minutes", ["0", "241", "x", "-5"])
def test_open_for_too_long_or_not_at_all_is_refused(served: ServedHub, run: Run, minutes: str) -> None:
    assert run("pairing", "open", "--minutes", minutes, data=served.data).status == 2


def test_show_draws_the_code_and_says_for_how_long(served: ServedHub, run: Run) -> None:
    out = run("pairing", "show", data=served.data).out
    assert served.url in out
    assert "Phones can be added for another 60 minutes" in out


def test_show_says_how_to_open_when_it_is_closed(served: ServedHub, run: Run) -> None:
    run("pairing", "close", data=served.data)
    assert "hikma-hub pairing open" in run("pairing", "show", data=served.data).out


def test_show_writes_a_picture(served: ServedHub, run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    assert run("pairing", "show", "--png", str(picture), data=served.data).status == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_hub_can_be_shown_before_its_first_start(run: Run, tmp_path: Path) -> None:
    shown = [run("pairing", "show", "--json", data=tmp_path / "new").json for _ in range(2)]
    assert shown[0] == shown[1]
    assert shown[0]["url"].endswith(":4001")
