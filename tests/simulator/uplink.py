"""Connects the show's hub to its stand-in cloud, tells how far the records are, and sees that all arrive."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from hub.services.status import file
from tests.simulator.comparison import unlike_cloud
from tests.simulator.hub_process import Commands, HubProcessError
from tests.simulator.local_store import LocalStore
from tests.simulator.reference import CLINIC_ID

CYCLES = 30
"""In so many cycles everything must be in the cloud: two do, unless it asks the hub to wait."""

BUSY_S = 5.0
"""Between two cycles of which the first failed."""

LINE_S = (15.0, 25.0)
"""With a line that fails: for so long it holds, and then for so long it is gone."""

_LOOK_S = 1.0


class CloudAccess(Protocol):
    """What the show needs of a cloud."""

    url: str
    api_key: str

    def count(self, clinic_id: str) -> int:
        """Count the records of a clinic's patients there."""
        ...

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of a table, in the wire's form."""
        ...

    def cut(self) -> None:
        """Cut the line to it."""
        ...

    def mend(self) -> None:
        """Let requests come through again."""
        ...


class Uplink:
    """The hub's way to the cloud.

    status: the hub's status.json.
    line_fails: cut the line now and then.
    """

    def __init__(
        self,
        hub: Commands,
        cloud: CloudAccess,
        status: Path,
        say: Callable[[str, str], None],
        *,
        line_fails: bool = False,
    ) -> None:
        self._hub = hub
        self._cloud = cloud
        self._status = status
        self._say = say
        self._line_fails = line_fails
        self._is_cut = False
        self._turns_s = 0.0
        self._looked_s = 0.0
        self._told = ("", 0)

    def connect(self) -> None:
        """Connect the hub, and let the first cycle bring clinic and staff; raises HubProcessError."""
        words = ("cloud", "connect", "--url", self._cloud.url, "--api-key-stdin")
        self._hub.do_json(*words, stdin=self._cloud.api_key + "\n")
        self._hub.do_json("relay", "--once")
        self._turns_s = time.monotonic() + LINE_S[0]

    def look(self) -> None:
        """Return what has become of the records, if that is news; turn the line on or off when it is time."""
        now_s = time.monotonic()
        if now_s < self._looked_s + _LOOK_S:
            return
        self._looked_s = now_s
        if self._line_fails and now_s >= self._turns_s:
            self._turn(now_s)
        report = file.read(self._status, now_s)
        count = self._cloud.count(CLINIC_ID)
        if report is not None and self._told != (report.state, count):
            self._told = (report.state, count)
            self._say("cloud", f"{count:5} records there    {report.sentence}")

    def deliver(self) -> list[str]:
        """Run cycles until the cloud has shown everything that it can; returns why something is not there, if so."""
        if self._is_cut:
            self._turn(time.monotonic())
        stands: dict[str, Any] = {}
        for _ in range(CYCLES):
            try:
                self._hub.do_json("relay", "--once")
            except HubProcessError:
                time.sleep(BUSY_S)
            self.look()
            stands = self._hub.do_json("cloud", "status")
            if not stands["waiting"] and not stands["sent"]:
                break
        left = sum(stands[name] for name in ("waiting", "sent", "held"))
        return [f"{left} records", stands["sentence"], *_reasons(stands)] if left else []

    def differences(self, store: LocalStore) -> list[str]:
        """Name every record that a phone and the cloud do not hold alike."""
        return unlike_cloud(store, self._cloud.rows, CLINIC_ID)

    def count(self) -> int:
        """Count the records in the cloud."""
        return self._cloud.count(CLINIC_ID)

    def _turn(self, now_s: float) -> None:
        self._is_cut = not self._is_cut
        self._turns_s = now_s + LINE_S[self._is_cut]
        if self._is_cut:
            self._cloud.cut()
            self._say("line", "is gone: the hub keeps what phones bring")
            return
        self._cloud.mend()
        self._say("line", "is back, and somebody presses Sync now")
        try:
            self._hub.do_json("relay", "--once")
        except HubProcessError:
            return  # the hub tries again by itself


def _reasons(stands: dict[str, Any]) -> list[str]:
    return [f"{row['records']} {row['table_name']}: {row['reason']}" for row in stands["reasons"]] + [
        f"{row['table']} {row['id']}: {row['reason']}" for row in stands["missing"]
    ]
