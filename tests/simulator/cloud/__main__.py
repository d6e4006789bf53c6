"""Runs a stand-in cloud: ``python -m tests.simulator.cloud --data DIR`` prints its URL as JSON, then serves."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import msgspec
from granian.server.embed import Server

from tests.simulator.cloud.app import create_app
from tests.simulator.cloud.example import seed_example
from tests.simulator.cloud.open import open_store
from tests.simulator.cloud.serve import HOST, listening, server
from tests.simulator.cloud.store import CloudStore
from tests.simulator.processes import free_port

_KEY_FILE = "api-key"


def main() -> None:
    """Serve until a signal comes."""
    options = _options()
    store = open_store(options.postgres or options.data)
    port = options.port or free_port()
    greeting = {"url": f"http://{HOST}:{port}"}
    if options.seed_demo:
        greeting["api_key"] = _demo_key(store, options.data)
    app = create_app(
        store, time_zone=options.time_zone, rate_limit=options.rate_limit, max_history_days=options.max_history_days
    )
    try:
        asyncio.run(_serve(server(app, port), port, greeting))
    finally:
        store.close()


async def _serve(served: Server, port: int, greeting: dict[str, str]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, served.stop)
    serving = asyncio.create_task(served.serve())
    await asyncio.to_thread(listening, port)
    sys.stdout.write(msgspec.json.encode(greeting).decode() + "\n")
    sys.stdout.flush()
    await serving


def _demo_key(store: CloudStore, data: Path | None) -> str:
    """Return the demo hub's key; it is kept beside the data, because the cloud itself knows only its hash."""
    kept = data / _KEY_FILE if data else None
    if kept and kept.exists():
        return kept.read_text()
    api_key = seed_example(store).api_key
    if kept:
        kept.touch(0o600)
        kept.write_text(api_key)
    return api_key


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator.cloud", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--data", type=Path, metavar="DIR", help="keep the tables in SQLite in DIR")
    where.add_argument("--postgres", metavar="DSN", help="keep the tables in this PostgreSQL database")
    parser.add_argument("--port", type=int, default=0, help="loopback port (default: a free one)")
    parser.add_argument("--seed-demo", action="store_true", help="add a small organisation and a hub; print its key")
    parser.add_argument("--time-zone", default="UTC", help="the server process's own zone (default: UTC)")
    parser.add_argument("--rate-limit", type=int, default=60, help="requests per 60 s and client (default: 60)")
    parser.add_argument("--max-history-days", type=int, metavar="N", help="as MAX_HISTORY_DAYS_SYNC")
    return parser.parse_args()


if __name__ == "__main__":
    main()
