"""A pytest plug-in: which functions of the hub each test file reaches, in this process and its threads.

Writes REACH_DIR/PID.json: {"hub/core/x.py:Class.function": [test files]}.
"""

import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

import pytest

_ROOT = Path(__file__).parents[2]
_HUB = str(_ROOT / "hub")


class Reach:
    """What was called since the current test file came up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._called: dict[str, set[CodeType]] = defaultdict(set)
        self._now: set[CodeType] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Watch a test, with the fixtures that are set up and torn down around it."""
        self._now = self._called[item.path.relative_to(_ROOT).as_posix()]
        threading.setprofile(self._see)
        sys.setprofile(self._see)
        result = yield
        sys.setprofile(None)
        return result

    def pytest_sessionfinish(self) -> None:
        """Write what was seen."""
        found: dict[str, list[str]] = defaultdict(list)
        for file, codes in self._called.items():
            for code in codes:
                if code.co_filename.startswith(_HUB):
                    path = Path(code.co_filename).relative_to(_ROOT).as_posix()
                    found[f"{path}:{code.co_qualname.replace('.<locals>', '')}"].append(file)
        (self._folder / f"{os.getpid()}.json").write_text(json.dumps(found), "utf-8")

    def _see(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            self._now.add(frame.f_code)


def pytest_configure(config: pytest.Config) -> None:
    """Watch, if it was asked for."""
    if folder := os.environ.get("REACH_DIR"):
        config.pluginmanager.register(Reach(Path(folder)))
