"""Hears whether another box on the network is this hub now: made of its copy, while this one was taken for dead."""

from collections.abc import Callable

from zeroconf import (  # type: ignore[attr-defined]  # exported, though not listed
    DNSText,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    Zeroconf,
)

from hub.services.discovery import presence


class Successor(RecordUpdateListener):
    """Looks at what is announced for hubs, also under this hub's own name; ``is_newer`` judges the proof."""

    def __init__(self, is_newer: Callable[[str], bool]) -> None:
        self._is_newer = is_newer
        self.is_here = False

    def async_update_records(self, _zc: Zeroconf, _now: float, records: list[RecordUpdate]) -> None:
        """Take what arrived in one message."""
        for update in records:
            record = update.new
            if isinstance(record, DNSText) and record.key.endswith(presence.HUBS):
                told = presence.restored(ServiceInfo(presence.HUBS, record.name, properties=record.text))
                self.is_here = self.is_here or self._is_newer(told)
