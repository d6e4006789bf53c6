"""What of the audit log is counted instead of written."""

import pytest

from hub.core.people import audit_room
from hub.core.people.audit_room import ALIKE


@pytest.mark.parametrize(
    ("event", "newest", "now_ms", "is_flood"),
    [
        ("page.refused", [("page.refused", 0)] * ALIKE, 59_999, True),
        ("page.refused", [("page.refused", 0)] * ALIKE, 60_000, False),
        ("page.refused", [("page.refused", 0)] * (ALIKE - 1), 0, False),
        ("page.refused", [("page.refused", 0)] * (ALIKE - 1) + [("login.refused", 0)], 0, False),
        ("page.sign_in", [("page.sign_in", 0)] * ALIKE, 0, False),
    ],
)
def test_only_a_flood_of_what_anybody_can_cause_is_counted(
    *, event: str, newest: list[tuple[str, int]], now_ms: int, is_flood: bool
) -> None:
    assert audit_room.is_flood(event, newest, now_ms) is is_flood


def test_old_entries_go_every_256_entries() -> None:
    assert [num for num in range(1, 600) if audit_room.is_to_be_pruned(num)] == [256, 512]
