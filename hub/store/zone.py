"""Reads the machine's time zone, which is the clinic's: days that phones pick are days there."""

import os
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCAL = Path("/etc/localtime")


def of_machine() -> tzinfo:
    """Return the zone with its whole past, as TZ or Debian names it; UTC where nothing does."""
    named = os.environ.get("TZ", "").removeprefix(":")
    try:
        if named:
            return ZoneInfo(named)
        with _LOCAL.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        # TZ may be a rule such as <+03>-3 or WAT-1, of which only the offset of now can be known.
        return datetime.now().astimezone().tzinfo or UTC if named else UTC
