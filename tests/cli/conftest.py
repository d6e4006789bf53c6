"""Runs commands beside a hub that serves all the while."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub import cli
from tests.hubs import ServedHub, prepare


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  any JSON
        """Read what it printed."""
        assert self.status == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    """Return a running hub."""
    data = tmp_path_factory.mktemp("served") / "data"
    prepare(data)
    hub = ServedHub(data)
    hub.start()
    yield hub
    hub.close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Return a function that runs ``hikma-hub WORDS --data DIR`` in this process, where starting it costs nothing."""

    def command(
        *words: str, data: Path | None = None, stdin: str | bytes = "", env: Mapping[str, str] | None = None
    ) -> Done:
        where = ["--data", str(data)] if data else []
        given = tmp_path / "stdin"
        given.write_bytes(stdin.encode() if isinstance(stdin, str) else stdin)
        capsys.readouterr()
        with monkeypatch.context() as patch, given.open(encoding="utf-8") as file:
            patch.setattr("sys.argv", ["hikma-hub", *words, *where])
            patch.setattr("sys.stdin", file)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        printed = capsys.readouterr()
        return Done(int(ended.value.code or 0), printed.out, printed.err)

    return command
