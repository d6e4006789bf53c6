"""When a whole backup is due."""

import pytest

from hub.core.copy.standing import is_base_due

HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("age_h", "quiet_s", "hour", "expected"),
    [
        (11, 60, 2, False),
        (13, 60, 2, True),
        (13, 60, 14, False),
        (37, 60, 14, True),
        (37, 1, 14, False),
        (49, 1, 14, True),
        (float("inf"), 0, 14, True),
    ],
)
def test_it_is_made_in_a_quiet_night_and_at_the_latest_after_two_days(
    age_h: float, quiet_s: float, hour: int, *, expected: bool
) -> None:
    assert is_base_due(age_s=age_h * HOUR_S, quiet_s=quiet_s, hour=hour) is expected
