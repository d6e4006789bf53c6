"""Lets the page know what is there and what is done about it."""

from pathlib import Path

import msgspec

from hub import files
from hub.core.errors import HubError
from hub.core.update.told import Doing, Told
from hub.core.update.wishes import Found
from hub.services.update import memory
from hub.services.update.systems import Systems


class Teller(msgspec.Struct, frozen=True, kw_only=True):
    """Tells it in one file; ``data``: where the last update is remembered."""

    box: Systems
    data: Path
    path: Path

    def tell(self, found: tuple[Found, ...], *, doing: Doing | None = None, failed: Found | None = None) -> Told:
        """Tell what was found, what is being done, and what was asked for and not done. Raises OSError."""
        told = msgspec.structs.replace(self._systems(), found=found, doing=doing, failed=failed)
        # Anybody here may read it: it holds versions alone.
        files.replace(self.path, [msgspec.json.encode(told)], mode=0o644, durable=False)
        return told

    def _systems(self) -> Told:
        last = memory.read(self.data)
        try:
            running, boot = self.box.booted(), self.box.read()
            usual = boot.committed
        except (HubError, OSError):
            return Told(last=last)
        is_ready = boot.on_trial is not None and boot.on_trial is not running
        return Told(running=running, usual=usual, other=running.other in boot.own, is_ready=is_ready, last=last)
