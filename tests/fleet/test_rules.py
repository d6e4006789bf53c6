"""The rules for alerts: each fires and clears, shown by promtool; vmalert and VictoriaMetrics take them as they are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.core.fleet import series
from hub.core.fleet.reporting import CHUNK
from hub.core.status.state import HubState
from tests.fleet import engines, hubs
from tests.fleet.engines import PACKAGE, ROLE, Fleet, rendered, variables
from tests.outside import run, tool

VERSIONS = ["1.2.0", "1.3.0"]


def rules() -> str:
    return rendered("rules.yml.j2", variables(fleet_versions=VERSIONS))


def hourly(name: str, values: str, **labels: str) -> dict[str, str]:
    told = ",".join(f'{key}="{value}"' for key, value in {"hub": "north", **labels}.items())
    return {"series": f"hikma_hub_{name}{{{told}}}", "values": values}


def alive(hours: int) -> dict[str, str]:
    return hourly("up", f"1x{hours}")


CASES: dict[str, tuple[list[dict[str, str]], list[int], list[int]]] = {
    "HubSilent": ([hourly("up", "1x24 _x100 1x24")], [24 + 73, 24 + 99], [10, 24 + 71, 24 + 103]),
    "RecordsWaitLong": ([hourly("waiting_seconds", "0x10 3600+3600x60 0x90")], [65], [10, 45, 80]),
    "OneCopyOnly": ([hourly("copies", "2x10 1x10 2x10")], [15], [5, 25]),
    "CardNearlyFull": (
        [hourly("free_bytes", "30x10 2x10 30x10"), hourly("disk_bytes", "32x30")],
        [15],
        [5, 25],
    ),
    "CardFailing": ([hourly("card_errors", "0x10 2x10 0x10")], [15], [5, 25]),
    "QuarantineGrows": (
        [alive(250), hourly("quarantined_records", "0x20 3x200", reason="invalid_id")],
        [25],
        [5, 20 + 80],
    ),
    "PhonesRefused": ([hourly("phones_refused", "0x10 1x10 0x10", reason="blocked")], [15], [5, 25]),
    "ClockWrong": ([hourly("clock_wrong", "0x10 1x10 0x10")], [15], [5, 25]),
    "PowerWeak": ([hourly("power_weak", "0x10 1x10 0x10")], [15], [5, 25]),
    "Restarts": (
        [hourly("starts_total", "1x30 2+1x10 12x60"), hourly("boots_total", "1x101")],
        [36],
        [20, 90],
    ),
    "KeyRefused": ([hourly("state", "0x10 1x10 0x10", state="key_refused")], [15], [5, 25]),
    "OldVersion": (
        [hourly("info", "1x20 0x10", version="1.1.9"), hourly("info", "_x20 1x10", version="1.3.0")],
        [15],
        [25],
    ),
}


def promtool(tmp_path: Path, tests: list[dict[str, Any]]) -> None:
    (tmp_path / "rules.yml").write_text(rules())
    (tmp_path / "test.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1h", "tests": tests})
    )
    done = run(tool("promtool", PACKAGE), "test", "rules", tmp_path / "test.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_case() -> None:
    [group] = yaml.safe_load(rules())["groups"]
    assert {rule["alert"] for rule in group["rules"]} == set(CASES)


def test_no_rule_names_versions_where_none_was_given() -> None:
    assert "OldVersion" not in rendered("rules.yml.j2", variables())


@pytest.mark.parametrize("name", CASES)
def test_it_fires_and_it_clears(name: str, tmp_path: Path) -> None:
    tool("promtool", PACKAGE)
    told, firing, quiet = CASES[name]
    done = []
    for hours, count in [*((hour, 1) for hour in firing), *((hour, 0) for hour in quiet)]:
        query = f'count(ALERTS{{alertname="{name}",alertstate="firing",hub="north"}}) or vector(0)'
        done.append({"expr": query, "eval_time": f"{hours}h", "exp_samples": [{"labels": "{}", "value": count}]})
    promtool(tmp_path, [{"interval": "1h", "input_series": told, "promql_expr_test": done}])


def test_every_series_of_rules_page_and_dashboard_is_one_that_hubs_tell() -> None:
    texts = [rules(), *(path.read_text("utf-8") for path in (ROLE / "files").iterdir())]
    named = set(re.findall(r"\bhikma_hub_([a-z_]+)", " ".join(texts)))
    named |= set(re.findall(r'newest\("(\w+)"\)', " ".join(texts)))
    assert named - set(series.HELP) == set()
    assert len(named) > 15
    states = re.findall(r'state=~"([\w|]+)"', rules())
    assert {word for one in states for word in one.split("|")} <= {state.name.lower() for state in HubState}


def test_the_queries_of_page_and_dashboard_are_answered(fleet_server: Fleet) -> None:
    script = (ROLE / "files/fleet.js").read_text("utf-8")
    block = script.split("const QUERIES = {", 1)[1].split("};", 1)[0]
    queries = re.findall(r'["`](.*)["`],', block)
    queries = [re.sub(r'\$\{newest\("(\w+)"\)\}', r"last_over_time(hikma_hub_\1[60d])", one) for one in queries]
    dashboard = json.loads((ROLE / "files/grafana.json").read_text("utf-8"))
    queries += [target["expr"].replace("$hub", ".*") for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(queries) > 20
    for query in queries:
        fleet_server.query(query)


def test_vmalert_takes_the_rules_and_names_the_hub_that_fell_silent(fleet_server: Fleet, tmp_path: Path) -> None:
    fleet_server.post_lines("hikma_hub_up", "north", [hubs.now_ms() - 5 * 24 * hubs.HOUR_MS])
    fleet_server.post_lines("hikma_hub_up", "south", [hubs.now_ms() - hubs.HOUR_MS])
    fleet_server.flush()
    path = tmp_path / "rules.yml"
    path.write_text(rules())
    fleet_server.start_alerts(path)
    assert fleet_server.firing("HubSilent") == {"north"}


def test_the_page_gets_enough_of_what_one_report_carries() -> None:
    assert CHUNK * 4000 < 1024 * 1024  # nginx takes a megabyte, and it is compressed
    assert "client_max_body_size 1m" in rendered("nginx.conf.j2", engines.variables())
