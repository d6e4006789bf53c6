"""Redacts lines of the log for the support file: only listed events, fields and numbers stay (S6).

The log holds nothing of patients or people by its own rule; what leaves the clinic is held to a narrower one, whatever
a line says.
"""

import builtins
import re
from collections.abc import Collection
from typing import Final

from hub.core import errors
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.log_events import LogEvent

_NUMBERS: Final = frozenset(
    {"device", "down", "findings", "held", "ms", "port", "pulled", "pushed", "requests", "seen", "status", "up"}
)
_EVENTS: Final = frozenset(LogEvent)
_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "critical"})
_PATHS: Final = frozenset({"/", "/rpc/heartbeat", "/rpc/handshake", "/rpc/query", "/rpc/command"})
_OUTCOMES: Final = frozenset({*(outcome.word for outcome in Outcome), "failed", "broken"})
_FAILURES: Final = frozenset(
    name for names in (builtins, errors) for name, kind in vars(names).items() if isinstance(kind, type)
)
_PLACES = re.compile(r"[a-z_]+\.py:\d{1,6}( > [a-z_]+\.py:\d{1,6})*\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{8,15}Z\Z")
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,3})?\Z")
_PAIR = re.compile(r'([a-z_]{1,24})=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|\Z)')
_FRAME = re.compile(r'\s*File "(?:[^"]*/)?([a-z_]+\.py)", line (\d{1,6}), in ')
_RAISED = re.compile(r"(?:[a-z_0-9]+\.)*([A-Z][A-Za-z]*)(?=:|\Z)")


def redacted(line: str, procedures: Collection[str]) -> str:
    """Return what may leave the box: events, numbers, where it failed and by which kind of error; else how long it was.

    procedures: the names of all that phones may ask for.
    line: ``event=rpc procedure=sync_pull ms=4`` as the hub logs, or a line of a traceback.
    """
    pairs = _pairs(line)
    if pairs:
        return " ".join(f"{key}={_kept(key, value, procedures) or '-'}" for key, value in pairs)
    frame = _FRAME.match(line)
    if frame:
        return f"  {frame[1]}:{frame[2]}"
    raised = _RAISED.match(line)
    if raised and raised[1] in _FAILURES:
        return raised[1]
    return f"({len(line)} characters)"


def _pairs(line: str) -> list[tuple[str, str]]:
    """Read ``key=value`` from the first to the last letter of a line; nothing if it is something else."""
    found, at = [], 0
    while at < len(line):
        pair = _PAIR.match(line, at)
        if pair is None:
            return []
        found.append((pair[1], pair[2].strip('"')))
        at = pair.end()
    return found


def _kept(key: str, value: str, procedures: Collection[str]) -> str:
    """Return a value if it can only be the hub's own."""
    match key:
        case "event":
            is_own = value in _EVENTS
        case "level":
            is_own = value in _LEVELS
        case "timestamp":
            is_own = bool(_TIME.match(value))
        case "outcome":
            is_own = value in _OUTCOMES
        case "procedure":
            is_own = value in procedures
        case "where":
            is_own = bool(_PLACES.match(value))
        case "path":
            is_own = value in _PATHS
        case "error":
            value = value.partition(":")[0]
            is_own = value in _FAILURES
        case _:
            is_own = key in _NUMBERS and bool(_NUMBER.match(value))
    return value if is_own else ""
