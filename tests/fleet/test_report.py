"""A hub and a real fleet server: VictoriaMetrics, vmauth and nginx as the role configures them."""

import ssl
from itertools import pairwise

import httpx
import msgspec
import pytest

from hub.core.errors import OperatorError
from hub.core.fleet.sample_time import ClockQuality
from hub.services.fleet.client import FleetServer
from hub.services.fleet.report import report, try_out
from hub.store.database import Store
from tests.fleet import hubs
from tests.fleet.engines import PERSON, TOKENS, Fleet

ENOUGH = 10_000_000


def test_days_without_a_line_arrive_in_order_and_once(fleet_server: Fleet, store: Store) -> None:
    times = hubs.past(store, 10 * 24)
    assert report(store, fleet_server.server(), ENOUGH).outcome == "sent"
    assert fleet_server.points("hikma_hub_records")["north"] == [(at, float(num)) for num, at in enumerate(times)]
    hubs.forget_answers(store, 100)
    assert report(store, fleet_server.server(), ENOUGH).outcome == "sent"
    points = fleet_server.points("hikma_hub_records")["north"]
    assert points == [(at, float(num)) for num, at in enumerate(times)]
    assert hubs.told(store).num == 240


def test_a_token_writes_under_its_own_name_whatever_it_claims(fleet_server: Fleet) -> None:
    at = hubs.now_ms()
    claims = f'forged{{hub="south"}} 1 {at}\nforged{{hub=""}} 2 {at}\nforged 3 {at - 1}\n'.encode()
    for query in ("", "?extra_label=hub=south", "?extra_label=hub=south&extra_label=x=y", "?extra_label=hub="):
        answer = httpx.post(
            f"{fleet_server.url}/api/v1/import/prometheus{query}",
            content=claims,
            headers={"Authorization": f"Bearer {TOKENS['north']}"},
            verify=_context(fleet_server),
        )
        assert answer.status_code == 204
    assert set(fleet_server.points("forged")) == {"north"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/query?query=up",
        "/api/v1/export?match[]=up",
        "/",
        "/alerts",
        "/api/v1/admin/tsdb/delete_series?match[]=up",
        "/api/v1/import",
        "/write",
    ],
)
def test_a_hubs_token_reads_nothing_and_deletes_nothing(fleet_server: Fleet, path: str) -> None:
    for method in ("GET", "POST"):
        answer = httpx.request(
            method,
            fleet_server.url + path,
            headers={"Authorization": f"Bearer {TOKENS['north']}"},
            verify=_context(fleet_server),
        )
        assert answer.status_code == 401


def test_a_wrong_token_is_told_and_nothing_is_lost(fleet_server: Fleet, store: Store) -> None:
    hubs.past(store, 30)
    ended = report(store, fleet_server.server(token="some-other-token-03"), ENOUGH)
    assert (ended.outcome, ended.num, ended.failures) == ("refused", 0, 1)
    assert report(store, fleet_server.server("south"), ENOUGH).num == 30
    assert len(fleet_server.points("hikma_hub_up")["south"]) == 30


def test_an_unknown_authority_is_no_line_and_nothing_is_told_to_it(fleet_server: Fleet, store: Store) -> None:
    hubs.past(store, 3)
    stranger = FleetServer(fleet_server.url, TOKENS["north"])
    ended = report(store, stranger, ENOUGH)
    assert (ended.outcome, ended.num) == ("no_line", 0)


def test_the_clock_of_the_hub_does_not_matter(own_fleet_server: Fleet, store: Store) -> None:
    times = hubs.past(store, 48, clock=ClockQuality.RECKONED)
    assert report(store, own_fleet_server.server(), ENOUGH).outcome == "sent"
    points = own_fleet_server.points("hikma_hub_up")["north"]
    assert len(points) == len(times)
    assert all(a < b for (a, _), (b, _) in pairwise(points))
    assert max(abs(at - true) for (at, _), true in zip(points, times, strict=True)) < 5000
    assert set(own_fleet_server.points("hikma_hub_clock_quality")["north"]) == {(at, 2.0) for at, _ in points}


def test_a_day_has_its_bound_and_the_rest_goes_the_next_day(fleet_server: Fleet, store: Store) -> None:
    hubs.past(store, 60 * 24)
    first = report(store, fleet_server.server(), 30_000)
    assert first.outcome == "over_day"
    assert 0 < first.num < 1440
    assert first.day_bytes <= 30_000
    assert first.not_before_ms > first.tried_ms
    assert report(store, fleet_server.server(), ENOUGH).num == 1440


def test_sixty_days_fit_into_one_days_usual_allowance(fleet_server: Fleet, store: Store) -> None:
    hubs.past(store, 60 * 24)
    ended = report(store, fleet_server.server(), 250_000)
    assert (ended.outcome, ended.num) == ("sent", 1440)


def test_a_server_that_wants_less_is_left_in_peace(own_fleet_server: Fleet, store: Store) -> None:
    hubs.past(store, 3)
    for _ in range(200):
        if try_out(own_fleet_server.server()).outcome.word == "busy":
            break
    ended = report(store, own_fleet_server.server(), ENOUGH)
    assert (ended.outcome, ended.num) == ("busy", 0)
    assert ended.not_before_ms >= ended.tried_ms + 200_000
    assert report(store, own_fleet_server.server("south"), ENOUGH).outcome == "sent"  # each hub by itself


def test_what_a_server_cannot_take_now_is_kept_for_later(own_fleet_server: Fleet, store: Store) -> None:
    hubs.past(store, 3)
    own_fleet_server.stop("database")
    assert report(store, own_fleet_server.server(), ENOUGH).outcome in {"failing", "busy"}
    own_fleet_server.stop("gate")
    assert report(store, own_fleet_server.server(), ENOUGH).outcome == "failing"
    own_fleet_server.stop("front")
    down = report(store, own_fleet_server.server(), ENOUGH)
    assert (down.outcome, down.num, down.failures) == ("no_line", 0, 3)
    own_fleet_server.start_database("-storage.minFreeDiskSpaceBytes=1000000GB")
    own_fleet_server.start_front()
    full = report(store, own_fleet_server.server(), ENOUGH)
    assert (full.num, full.failures) == (0, 4)
    assert full.outcome in {"busy", "failing"}
    own_fleet_server.stop("database")
    own_fleet_server.start_database()
    assert report(store, own_fleet_server.server(), ENOUGH).num == 3
    assert len(own_fleet_server.points("hikma_hub_up")["north"]) == 3


def test_people_see_everything_and_only_with_their_password(fleet_server: Fleet, store: Store) -> None:
    hubs.past(store, 2, health=msgspec.structs.replace(hubs.WELL, waiting=7))
    report(store, fleet_server.server(), ENOUGH)
    fleet_server.flush()
    with httpx.Client(base_url=fleet_server.url, verify=_context(fleet_server)) as web:
        assert web.get("/").status_code == 401
        assert web.get("/", auth=(PERSON[0], "wrong")).status_code == 401
        assert "<h1>Hikma fleet</h1>" in web.get("/", auth=PERSON).text
        asked = {"query": "last_over_time(hikma_hub_waiting_records[60d])"}
        [found] = [
            one
            for one in web.post("/api/v1/query", data=asked, auth=PERSON).json()["data"]["result"]
            if one["metric"]["hub"] == "north"
        ]
        assert found["value"][1] == "7"
        assert web.post("/api/v1/admin/tsdb/delete_series", auth=PERSON).status_code in {404, 405}


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("http://fleet.example.org", "x" * 16, "https"),
        ("ftp://fleet.example.org", "x" * 16, "address"),
        ("https://fleet.example.org/?a=b", "x" * 16, "address"),
        ("https://fleet.example.org", "short", "16 to 512"),
        ("https://fleet.example.org", "with\nlines and blanks", "16 to 512"),
    ],
)
def test_what_cannot_be_a_server_is_refused_before_anything_is_sent(url: str, token: str, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        try_out(FleetServer(url, token))


def _context(fleet: Fleet) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(fleet.ca))
