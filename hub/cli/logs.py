"""Sets up logging: one event, one line, to standard output, where systemd's journal takes it."""

import logging

import structlog
from structlog.typing import EventDict

from hub.settings import LogSettings


def configure(log: LogSettings) -> None:
    """Log from this level on, as key=value or JSON."""
    renderer: structlog.typing.Processor
    if log.format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _one_line,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, log.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _one_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Escape what could begin a line of its own or reach for the terminal of who reads the log."""
    return {
        key: value.encode("unicode_escape").decode() if isinstance(value, str) and not value.isprintable() else value
        for key, value in event.items()
    }
