"""Why phones are refused."""

import pytest

from hub.core.errors import Conflict, Forbidden, Malformed, PhoneError, TooLarge, TooMany, Unauthorised, Unavailable
from hub.core.phone.refusal import SHOWN_MS, Refusal, RefusalReason, again, reason_of


@pytest.mark.parametrize(
    ("error", "known", "unknown"),
    [
        (Forbidden("x"), RefusalReason.BLOCKED, RefusalReason.UNKNOWN),
        (Unauthorised("x"), None, RefusalReason.UNKNOWN),
        (TooLarge("x"), RefusalReason.TOO_LARGE, RefusalReason.TOO_LARGE),
        (Unavailable("x"), RefusalReason.NO_ROOM, RefusalReason.NO_ROOM),
        (TooMany("x"), None, None),
        (Malformed("x"), None, None),
        (Conflict("x"), None, None),
    ],
)
def test_what_people_can_mend_has_a_reason(
    error: PhoneError, known: RefusalReason | None, unknown: RefusalReason | None
) -> None:
    assert (reason_of(error, is_known=True), reason_of(error, is_known=False)) == (known, unknown)


def test_refusals_for_one_reason_add_up_and_another_reason_counts_anew() -> None:
    first = again(None, 7, RefusalReason.SIGN_IN, 1000)
    second = again(first, 7, RefusalReason.SIGN_IN, 2000)
    assert second == Refusal(7, RefusalReason.SIGN_IN, 2, 1000, 2000)
    assert again(second, 7, RefusalReason.BLOCKED, 3000) == Refusal(7, RefusalReason.BLOCKED, 1, 3000, 3000)


def test_what_was_refused_long_ago_is_shown_no_more() -> None:
    refusal = again(None, 7, RefusalReason.SIGN_IN, 1000)
    assert (refusal.is_shown(1000 + SHOWN_MS - 1), refusal.is_shown(1000 + SHOWN_MS)) == (True, False)
