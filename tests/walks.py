"""Counts how many rooms (files of hub/) a story walks through: ``python -m tests.walks``.

A crossing is a call from one file of hub/ into another, or the return from it. Few rooms and few crossings mean that a
reader can follow a story down and up again; calls that only pass through libraries count for nothing.
"""

import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from hub.services.relay.runner import Runner
from hub.services.rpc.dispatch import Rpc
from tests.hubs import Answer, InProcessHub, changes, edit, row
from tests.services.relay import world as worlds

HOUSE = str(Path(sys.modules["hub"].__file__ or "").parent)


class Walk:
    """What was walked through while it was watched, from the first call of ``door`` on."""

    def __init__(self, *doors: Callable[..., Any]) -> None:
        self.rooms: dict[str, None] = {}
        self.functions: set[CodeType] = set()
        self.calls = 0
        self.crossings = 0
        self._doors = {door.__code__ for door in doors}
        self._stack: list[str] = []

    @contextmanager
    def watched(self) -> Iterator["Walk"]:
        """Watch this thread."""
        sys.setprofile(self._step)
        try:
            yield self
        finally:
            sys.setprofile(None)

    def _step(self, frame: FrameType, event: str, _arg: object) -> None:
        room = frame.f_code.co_filename
        if event not in {"call", "return"} or not room.startswith(HOUSE):
            return
        if event == "call" and (self._stack or frame.f_code in self._doors):
            self.calls += 1
            self.functions.add(frame.f_code)
            self.rooms[room] = None
            self.crossings += bool(self._stack) and self._stack[-1] != room
            self._stack.append(room)
        elif event == "return" and self._stack:
            self._stack.pop()
            self.crossings += bool(self._stack) and self._stack[-1] != room

    def line(self, story: str) -> str:
        """Write it as a row of the table."""
        return f"{story:<28}{self.calls:>7}{len(self.functions):>11}{len(self.rooms):>7}{self.crossings:>11}"


def main() -> None:
    """Print the table; with ``-v`` also the rooms, in the order in which they are first entered."""
    print(f"{'story':<28}{'calls':>7}{'functions':>11}{'rooms':>7}{'crossings':>11}")  # noqa: T201  that is what it is for
    with tempfile.TemporaryDirectory() as folder:
        for story, walk in (*phone(Path(folder) / "phone"), *cloud(Path(folder) / "cloud")):
            print(walk.line(story), flush=True)  # noqa: T201
            if "-v" in sys.argv:
                print(*(f"    {Path(room).relative_to(HOUSE)}" for room in walk.rooms), sep="\n")  # noqa: T201


def phone(folder: Path) -> Iterator[tuple[str, Walk]]:
    """Walk a phone's stories; each is told once before, so that what is made once is not counted."""
    hub = InProcessHub(folder)
    one, other = hub.client("one"), hub.client("other")
    for counts in (False, True):
        base = row("patients", str(uuid.uuid4()), primary_clinic_id=hub.clinic_id)
        stories: dict[str, Callable[[], Answer]] = {
            "push of 1 new patient": partial(one.push, changes("patients", created=[base])),
            "push of 1 edit": partial(one.push, changes("patients", updated=[edit(base, phone="2")])),
            "first pull": partial(other.pull, 0),
        }
        for story, tell in stories.items():
            walk, _ = _told(tell)
            if counts:
                yield story, walk
    cursor = other.pull(other.pull(0).json["timestamp"]).json["timestamp"]
    yield "empty pull", _told(partial(other.pull, cursor))[0]
    hub.close()


def _told(story: Callable[[], Answer]) -> tuple[Walk, Answer]:
    with Walk(Rpc.open_query, Rpc.open_command, Rpc.answer).watched() as walk:
        answer = story()
    assert answer.status == 200
    return walk, answer


def cloud(folder: Path) -> Iterator[tuple[str, Walk]]:
    """Walk the relay's stories, with a stand-in cloud over HTTP."""
    with worlds.world(folder) as world:
        for new in ("", "(again)"):
            patient = world.patient()
            world.visit(patient)
            for story in ("relay cycle, 2 new records", "idle relay cycle"):
                with Walk(Runner.run).watched() as walk:
                    world.cycle()
                if new:
                    yield story, walk


if __name__ == "__main__":
    main()
