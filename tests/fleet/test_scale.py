"""The measuring of a large fleet works, on a small one."""

import pytest

from hub.core.fleet.series import Series
from tests.fleet import hubs, scale
from tests.fleet.engines import Fleet


def test_a_hub_of_the_measuring_tells_all_its_days(own_fleet_server: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "token", lambda _: own_fleet_server.server().token)
    cost = scale.tell(own_fleet_server.server(), 4, hubs.now_ms(), 1)
    assert cost.reports == 4
    assert 0 < cost.sent < 4 * 20_000 < cost.text
    assert len(own_fleet_server.points("hikma_hub_up")["north"]) == 96
    assert len(own_fleet_server.query("last_over_time(hikma_hub_up[60d])")) == 1
    for _, query in scale.queries():
        own_fleet_server.query(query, flush=False)


def test_queries_are_those_of_the_page_and_of_the_rules() -> None:
    named = dict(scale.queries())
    assert {"page seen", "page level", "rule HubSilent", "rule OldVersion"} <= set(named)
    assert Series("up").name in named["page seen"]
