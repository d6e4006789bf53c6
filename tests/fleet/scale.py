"""A fleet of many hubs over many days, time compressed: what it costs a hub, and what it costs the server.

``python -m tests.fleet.scale --hubs 1000 --days 60`` lets each hub tell its days with the hub's own code, one report a
day over a TLS connection of its own, to nginx, vmauth and VictoriaMetrics as the role configures them. Then it asks
what the page and the rules ask. The hubs and the server share this machine.
"""

import argparse
import random
import re
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from hub.core.fleet.health import Counted, Health
from hub.core.fleet.sample_time import ClockQuality, Moment
from hub.services.fleet import exposition
from hub.services.fleet.client import Client, FleetServer
from hub.store.box.samples import Sample
from tests.fleet import engines
from tests.fleet.engines import ROLE, Fleet, rendered, variables
from tests.fleet.hubs import HOUR_MS, WELL

_DAY = 24
_STATES = ("in_cloud", "waiting", "line_lost", "quarantine", "clock_wrong")


class Cost(NamedTuple):
    """What a hub sent: reports, bytes counted by the hub (bodies, headers, connections), bytes of text before gzip."""

    reports: int
    sent: int
    text: int


def life(seed: int, days: int, now_ms: int) -> Iterator[Sample]:
    """Return the samples of a hub, oldest first: it works by day, waits for its line, is cut off now and then."""
    draw = random.Random(seed)
    totals = {"pushes": 0, "pages": 0, "boots": 1, "starts": 1, "relays.done": 0, "relays.no_line": 0}
    records, waiting, free = draw.randrange(1000, 90_000), 0, draw.randrange(5, 25) * 10**9
    for hour in range(days * _DAY):
        works, has_line = 7 <= hour % _DAY <= 18, draw.random() < 0.3
        entered = draw.randrange(40) if works else 0
        records, waiting, free = records + entered, 0 if has_line else waiting + entered, free - entered * 4000
        totals["pushes"] += entered // 4
        totals["pages"] += entered
        totals["relays.done" if has_line else "relays.no_line"] += 12
        cut = draw.random() < 0.02
        totals["boots"] += cut
        totals["starts"] += cut
        state = (
            "in_cloud" if not waiting else draw.choice(_STATES[1:3]) if draw.random() < 0.98 else draw.choice(_STATES)
        )
        health = msgspec.structs.replace(
            WELL,
            state=state,
            worst=state if draw.random() < 0.9 else "power_weak",
            level="safe" if state == "in_cloud" else "waiting",
            records=records,
            waiting=waiting,
            waiting_s=draw.randrange(200_000) if waiting else 0,
            phones_today=draw.randrange(8),
            free_bytes=free,
            temperature_c=40 + draw.randrange(200) / 10,
            copies=2,
            machine=msgspec.structs.replace(
                WELL.machine, uptime_s=hour % 50 * 3600, memory_free_bytes=draw.randrange(10**8, 2 * 10**8)
            ),
            counted=Counted(
                totals=dict(totals), schema=16, quarantined={"invalid_id": seed % 3} if seed % 5 == 0 else {}
            ),
        )
        yield _sample(hour + 1, now_ms - (days * _DAY - hour) * HOUR_MS, health)


def _sample(num: int, at_ms: int, health: Health) -> Sample:
    return Sample(num, Moment(at_ms, 0, at_ms, ClockQuality.EXACT), at_ms, health)


def tell(server: FleetServer, days: int, now_ms: int, seed: int) -> Cost:
    """Let one hub tell all its days, one report a day."""
    samples = list(life(seed, days, now_ms))
    own = msgspec.structs.replace(server, token=token(seed))
    before, cost = None, Cost(0, 0, 0)
    for start in range(0, len(samples), _DAY):
        day = samples[start : start + _DAY]
        text = exposition.text(before, day)
        with Client(own) as client:
            greeted = client.post(exposition.compressed(b""))
            reply = client.post(exposition.compressed(text))
        assert reply.outcome.word == "sent", reply
        before = day[-1]
        sent = greeted.sent_bytes + reply.sent_bytes
        cost = Cost(cost.reports + 1, cost.sent + sent, cost.text + len(text))
    return cost


def token(seed: int) -> str:
    """Return the token of a hub."""
    return f"token-of-hub-{seed:08}"


def queries() -> Iterator[tuple[str, str]]:
    """Return what the page and the rules ask, by name."""
    script = (ROLE / "files/fleet.js").read_text("utf-8")
    block = script.split("const QUERIES = {", 1)[1].split("};", 1)[0]
    for name, query in re.findall(r'(\w+): ["`](.*)["`],', block):
        yield f"page {name}", re.sub(r'\$\{newest\("(\w+)"\)\}', r"last_over_time(hikma_hub_\1[60d])", query)
    for rule in yaml.safe_load(rendered("rules.yml.j2", variables(fleet_versions=["1.0.0"])))["groups"][0]["rules"]:
        yield f"rule {rule['alert']}", rule["expr"]


def main() -> None:
    """Run it, and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hubs", type=int, default=1000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    listed = [{"name": f"hub-{seed}", "token": token(seed)} for seed in range(given.hubs)]
    with tempfile.TemporaryDirectory() as folder, engines.fleet(Path(folder) / "server", fleet_hubs=listed) as fleet:
        server, now_ms, begun = fleet.server(), time.time_ns() // 1_000_000, time.monotonic()
        with ProcessPoolExecutor(given.workers) as pool:
            costs = list(pool.map(partial(tell, server, given.days, now_ms), range(given.hubs), chunksize=4))
        _print(fleet, given.hubs, given.days, costs, time.monotonic() - begun)


def _print(fleet: Fleet, hubs: int, days: int, costs: list[Cost], took_s: float) -> None:
    reports, sent = sum(one.reports for one in costs), sum(one.sent for one in costs)
    text = sum(one.text for one in costs)
    print(f"{hubs} hubs, {days} days, {reports} reports in {took_s:.0f} s")
    print(f"a hub and a day: {sent / hubs / days:.0f} bytes sent, {text / hubs / days:.0f} as text")
    for name, used in fleet.used().items():
        each_ms = used.cpu_s / reports * 1000
        print(f"{name}: {used.cpu_s:.1f} s CPU ({each_ms:.2f} ms a report), {used.rss / 2**20:.0f} MiB")
    fleet.flush()
    size = sum(path.stat().st_size for path in (fleet.folder / "data").rglob("*") if path.is_file())
    print(f"disk: {size / 2**20:.1f} MiB, {size / hubs / days:.0f} bytes a hub and day")
    for name, query in queries():
        begun = time.monotonic()
        rows = len(fleet.query(query, flush=False, nocache="1"))
        print(f"{name}: {(time.monotonic() - begun) * 1000:.0f} ms, {rows} rows")


if __name__ == "__main__":
    main()
