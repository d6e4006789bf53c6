"""A pytest plug-in: which lines of the hub each test file reaches, in this process and its threads.

Writes REACH_DIR/PID.coverage, whose contexts are the test files.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage

_ROOT = Path(__file__).parents[2]


class Reach:
    """What was reached since the current test file came up."""

    def __init__(self, folder: Path) -> None:
        file = folder / f"{os.getpid()}.coverage"
        self._coverage = Coverage(data_file=str(file), config_file=False, source_dirs=[str(_ROOT / "hub")])
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Watch a test, with the fixtures that are set up and torn down around it."""
        self._coverage.switch_context(item.path.relative_to(_ROOT).as_posix())
        return (yield)

    def pytest_sessionfinish(self) -> None:
        """Write what was seen."""
        self._coverage.stop()
        self._coverage.save()


def pytest_configure(config: pytest.Config) -> None:
    """Watch, if it was asked for."""
    if folder := os.environ.get("REACH_DIR"):
        config.pluginmanager.register(Reach(Path(folder)))
