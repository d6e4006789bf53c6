"""A reader can follow what a phone does: few rooms are entered, and each is left for good (tests.walks)."""

from pathlib import Path

from tests import walks

MOST = {
    "push of 1 new patient": (22, 128),
    "push of 1 edit": (27, 194),
    "first pull": (20, 138),
    "empty pull": (22, 116),
}
"""Rooms and crossings; a story that needs more has become harder to read."""


def test_a_phones_stories_go_through_few_rooms(tmp_path: Path) -> None:
    told = {story: (len(walk.rooms), walk.crossings) for story, walk in walks.phone(tmp_path / "hub")}
    assert told.keys() == MOST.keys()
    assert {
        story: found for story, found in told.items() if found[0] > MOST[story][0] or found[1] > MOST[story][1]
    } == {}
