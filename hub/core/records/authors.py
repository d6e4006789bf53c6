"""Decides whose rights a pushed record is judged by, where several people use one phone (S5).

What a record says of its author is a claim, and so is the time that it says. It counts only for people who have signed
in on this very phone and whose sign-in still holds, and gives them no more than they were allowed then.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from hub.core.records.codec import Record
from hub.core.records.table import Table

_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "patients": "last_modified_by",
        "visits": "provider_id",
        "events": "recorded_by_user_id",
        "patient_vitals": "recorded_by_user_id",
        "patient_problems": "recorded_by_user_id",
        "appointments": "user_id",
        "prescriptions": "provider_id",
        "prescription_items": "recorded_by_user_id",
        "dispensing_records": "dispensed_by",
    }
)
"""Where the app writes down who entered a record."""


class SignIn(NamedTuple):
    """Somebody signed in on a phone, at this hub time."""

    user_id: str
    role: str
    issued_ms: int


class Judged(NamedTuple):
    """Whose rights count, and as they were when."""

    sign_in: SignIn
    at_ms: int


class Span(NamedTuple):
    """Between which hub times something was entered that comes now, as far as the hub knows."""

    since_ms: float
    """It was not there when the phone synced last; infinite where nothing is known of that."""
    now_ms: int

    def moment(self, said: object) -> int:
        """Return when it was entered, which the phone says to be ``said``.

        A time to come says only that the phone's clock is ahead: it may have been any, and the earliest is taken.
        """
        if not isinstance(said, int | float) or not said > 0:
            return self.now_ms
        return int(said if said <= self.now_ms else min(self.since_ms, self.now_ms))


def of_new(table: Table, record: Record, me: str, sign_ins: Sequence[SignIn], span: Span) -> tuple[bool, list[Judged]]:
    """Return who may answer for a new record beside ``me``, who is signed in; whether ``me`` counts at all.

    Whoever is named as its author answers for it alone.
    """
    claimed = record.text(_COLUMNS.get(table.name))
    moment = span.moment(record.get("created_at"))
    named = [each for each in sign_ins if each.user_id == claimed]
    if named and claimed != me:
        return False, [_judged(named[0], sign_ins, moment)]
    return True, _others(me, sign_ins, moment)


def of_edit(record: Record, me: str, sign_ins: Sequence[SignIn], span: Span) -> list[Judged]:
    """Return who may answer for an edit beside ``me``, as it is now: who was signed in when it was made."""
    return _others(me, sign_ins, span.moment(record.row.updated_at))


def _others(me: str, sign_ins: Sequence[SignIn], moment: int) -> list[Judged]:
    """Return ``me`` as I was then, and who was signed in then."""
    found = [each for each in sign_ins if each.user_id == me][:1]
    then = max((each for each in sign_ins if each.issued_ms <= moment), key=lambda each: each.issued_ms, default=None)
    if then and then.user_id != me:
        found.append(then)
    return [_judged(each, sign_ins, moment) for each in found]


def _judged(who: SignIn, sign_ins: Sequence[SignIn], moment: int) -> Judged:
    """Nobody is judged by a time before they first signed in here: a phone can say any."""
    first = min(each.issued_ms for each in sign_ins if each.user_id == who.user_id)
    return Judged(who, max(moment, first))
