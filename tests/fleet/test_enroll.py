"""Enrolling a hub, by command and on the page, and reporting after the relay: with a real fleet server."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub.app import fleet as reporting
from hub.app.live_settings import LiveSettings
from hub.core.cloud.link import Last, Link
from hub.services.fleet.report import report
from hub.services.fleet.reporter import Reporter
from hub.settings import Settings, load
from hub.store.box import state
from hub.store.cloud import connection
from hub.store.database import Store
from tests.cli.conftest import Run, run
from tests.fleet import hubs
from tests.fleet.engines import TOKENS, Fleet
from tests.web.site import Site

__all__ = ["run"]


@pytest.fixture
def live(fleet_server: Fleet, store: Store) -> LiveSettings:
    """Return the settings of a hub that knows the organisation's authority."""
    file = store.path.with_name("hub.toml")
    file.write_text(f'[fleet]\nca_file = "{fleet_server.ca}"\n')
    return LiveSettings(Settings(), file, {})


def test_a_hub_is_enrolled_reports_and_leaves_by_command(
    fleet_server: Fleet, store: Store, live: LiveSettings, run: Run
) -> None:
    data = store.path.parent
    hubs.past(store, 5)
    assert run("fleet", "send", data=data).status == 1
    refused = run(
        "fleet", "enroll", "--url", fleet_server.url, "--token-stdin", data=data, stdin="not-a-token-at-all\n"
    )
    assert (refused.status, "does not accept" in refused.err) == (1, True)
    assert run("fleet", "status", "--json", data=data).json["enrolled"] is False
    words = ("fleet", "enroll", "--url", f"{fleet_server.url}/", "--token-stdin")
    assert run(*words, data=data, stdin=f"{TOKENS['north']}\n").status == 0
    assert load(live.path, {}).fleet.url == fleet_server.url
    assert (data / "fleet.token").stat().st_mode & 0o077 == 0
    assert run("fleet", "status", "--json", data=data).json["samples_to_send"] == 5
    sent = run("fleet", "send", "--json", data=data).json
    assert (sent["outcome"], sent["samples_to_send"]) == ("sent", 0)
    status = run("fleet", "status", "--json", data=data).json
    assert (status["outcome"], status["samples_kept"], status["samples_to_send"]) == ("sent", 6, 0)
    assert 0 < status["bytes_today"] < 20_000
    assert TOKENS["north"] not in run("fleet", "status", data=data).out
    assert len(fleet_server.points("hikma_hub_up")["north"]) == 6
    assert run("fleet", "leave", data=data).status == 0
    assert not (data / "fleet.token").exists()
    assert run("fleet", "leave", data=data).status == 1


def test_a_server_that_is_out_of_reach_can_be_named_beforehand(store: Store, run: Run) -> None:
    words = ("fleet", "enroll", "--url", "https://127.0.0.1:9", "--token-stdin")
    done = run(*words, data=store.path.parent, stdin=f"{TOKENS['north']}\n")
    assert (done.status, "cannot be reached" in done.out) == (0, True)
    assert run("fleet", "status", "--json", data=store.path.parent).json["enrolled"] is True


@pytest.fixture
def inside(tmp_path: Path, fleet_server: Fleet) -> Iterator[Site]:
    """Return the pages as an administrator who signed in sees them."""
    with Site(tmp_path / "site") as made:
        made.file.write_text(f'[fleet]\nca_file = "{fleet_server.ca}"\n')
        made.set_up()
        made.sign_in()
        yield made


def test_an_administrator_enrolls_the_hub_on_the_page_and_it_counts_at_once(fleet_server: Fleet, inside: Site) -> None:
    wrong = inside.submit("/settings/fleet", {"url": fleet_server.url, "token": "x" * 20}, page="/settings")
    assert (wrong.status_code, "does not take this address" in wrong.text) == (400, True)
    form = {"url": fleet_server.url, "token": TOKENS["south"]}
    assert inside.submit("/settings/fleet", form, page="/settings").status_code == 303
    assert reporting.current(inside.store, inside.live) is not None
    reporting.send(inside.store, inside.live)
    text = inside.get("/settings").text
    assert fleet_server.url in text
    assert "has the latest figures" in text
    assert TOKENS["south"] not in text
    assert inside.submit("/settings/leave-fleet", {}, page="/settings").status_code == 303
    assert reporting.current(inside.store, inside.live) is None


def test_it_reports_after_the_relay_and_not_while_records_move(
    fleet_server: Fleet, store: Store, live: LiveSettings
) -> None:
    reporting.enroll(store, live, fleet_server.url, TOKENS["north"])
    reporter = Reporter(store, lambda: reporting.current(store, live))
    last = Last(tried_ms=1000, outcome="done", running_since_ms=5)
    with store.write() as tx:
        connection.connect(tx, Link("https://cloud.example", "d", "n", ()), "hh_key")
        connection.save_last(tx, last)
    hubs.past(store, 100)
    reporter.look()
    assert hubs.told(store).num == 0
    with store.write() as tx:
        connection.save_last(tx, msgspec.structs.replace(last, running_since_ms=0))
    reporter.look()
    assert hubs.told(store).num == 100
    hubs.past(store, 1)
    reporter.look()
    assert hubs.told(store).num == 100  # not before the next relay
    with store.write() as tx:
        state.put(tx, state.TOLD, msgspec.structs.replace(hubs.told(store), outcome="paused"))
        connection.save_last(tx, msgspec.structs.replace(last, running_since_ms=0, tried_ms=2000))
    reporter.look()
    assert hubs.told(store).num == 101


def test_records_that_begin_to_move_interrupt_a_report_and_lose_nothing(
    fleet_server: Fleet, store: Store, live: LiveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporting.enroll(store, live, fleet_server.url, TOKENS["north"])
    hubs.past(store, 200)
    asked = iter([True, False, True, True, True])
    monkeypatch.setattr("hub.services.fleet.report.telling.may_go_on", lambda _: next(asked))
    found = reporting.current(store, live)
    assert found is not None
    first = report(store, *found)
    assert (first.outcome, 0 < first.num < 200, first.failures) == ("paused", True, 0)
    assert report(store, *found).num == 200
