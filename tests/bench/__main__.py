"""Runs the benchmarks and prints their table: ``make bench``, or ``python -m tests.bench sync crowd --json``."""

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.bench.rows import Row

_HERE = Path(__file__).parent
_PLAIN = {"__main__", "rows", "material", "hostile"}
"""No benchmarks of this kind; attacks need root, and have a table of their own."""


def main() -> int:
    """Run the named benchmarks, or all; the exit status tells whether every limit was kept."""
    every = sorted(path.stem for path in _HERE.glob("*.py") if path.stem not in _PLAIN)
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*every, []], help="benchmarks to run; all if none is named")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    asked = parser.parse_args()
    kept = True
    for row in _rows(asked.names or every):
        kept &= row.within is not False
        print(_json(row) if asked.json else _line(row), flush=True)
    return 0 if kept else 1


def _rows(names: list[str]) -> Iterator[Row]:
    for name in names:
        yield from importlib.import_module(f"tests.bench.{name}").run()


def _line(row: Row) -> str:
    ratio = f"{row.ratio:5.2f} x floor {row.floor:,.1f}" if row.floor else ""
    mark = {True: "ok", False: "OVER", None: ""}[row.within]
    limit = f"(limit {row.limit:g}) {mark}" if row.limit is not None else ""
    return f"{row.what:<62} {row.measured:>10,.1f} {row.unit:<6} {ratio} {limit} {row.note}".rstrip()


def _json(row: Row) -> str:
    return json.dumps({**msgspec.to_builtins(row), "ratio": row.ratio, "within": row.within})


if __name__ == "__main__":
    sys.exit(main())
