"""Runs the stand-in cloud as a child process, and looks into its database beside it."""

import json
import subprocess
from pathlib import Path
from typing import Any, Self

import httpx

from hub.core.cloud.tables import PUSH_ORDER
from hub.core.records.table import Table
from tests.simulator import processes
from tests.simulator.cloud.faults import PATH as FAULTS_PATH
from tests.simulator.cloud.faults import Kind
from tests.simulator.cloud.open import open_store
from tests.simulator.cloud.seed import Seed

_ALWAYS = 1_000_000_000
_PATIENTS = 'SELECT "id" FROM "patients" WHERE "primary_clinic_id" = ?'


class CloudProcessError(Exception):
    """The stand-in cloud did not start; the text is for the person at the terminal."""


class CloudProcess:
    """``python -m tests.simulator.cloud`` with the made-up organisation, from ``with`` to its end.

    data: where it keeps its SQLite file and the key of its hub.
    """

    def __init__(self, data: Path, *, log: Path) -> None:
        self.url = ""
        self.api_key = ""
        self._data = data
        self._log = log
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._data.mkdir(parents=True, exist_ok=True)
        command = (*processes.CLOUD, "--data", str(self._data), "--seed-demo")
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C at the terminal is for us, and we end it when all is there.
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=processes.environ(),
                start_new_session=True,
            )
        try:
            self._greet(self._child)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        if self._child is not None:
            processes.end(self._child)
            if self._child.stdout:
                self._child.stdout.close()
            self._child = None

    def cut(self) -> None:
        """Let every request to it be lost."""
        httpx.post(self.url + FAULTS_PATH, json={"kind": Kind.DROP.value, "times": _ALWAYS}, trust_env=False)

    def mend(self) -> None:
        """Let requests come through again."""
        httpx.delete(self.url + FAULTS_PATH, trust_env=False)

    def count(self, clinic_id: str) -> int:
        """Count the live patients of a clinic and what hangs on them."""
        store = open_store(self._data)
        try:
            return sum(int(store.read(_count(table), [clinic_id])[0][0]) for table in PUSH_ORDER)
        finally:
            store.close()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of a table in the wire's form, deleted ones too."""
        store = open_store(self._data)
        try:
            return Seed(store).rows(table)
        finally:
            store.close()

    def _greet(self, process: subprocess.Popen[bytes]) -> None:
        """Read its first line: ``{"url": ..., "api_key": ...}``."""
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise CloudProcessError(f"the stand-in cloud did not start:\n{processes.last_words(self._log)}")
        greeting = json.loads(line)
        self.url, self.api_key = greeting["url"], greeting["api_key"]


def _count(table: Table) -> str:
    patient = table.patient or "id"
    return f'SELECT count(*) FROM "{table.name}" WHERE is_deleted = false AND "{patient}" IN ({_PATIENTS})'
