"""Concludes from a phone's cursor which answers it has stored, and what it may have of the others."""

import math
from collections.abc import Mapping, Sequence

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone import doubt, page_size
from hub.core.phone.opening import Resumed
from hub.core.phone.sheets import NO_RECORDS, Delivery, Sheet, SuspectRecord

FAILED_TWICE = 2
"""After so many unconfirmed answers, what they carried is in doubt, and the next one carries nothing that can fail."""


def settle(resumed: Resumed, arrived: Delivery, deliveries: Sequence[Delivery]) -> Resumed:
    """Write off a delivery that arrived; what changed after the view it was read from is absorbed anew."""
    lost = [each.weight for each in deliveries if each.timestamp < arrived.timestamp and not each.is_retry]
    capacity = page_size.learned(resumed.head.capacity, arrived.weight, lost)
    head = msgspec.structs.replace(resumed.head, settled=arrived.timestamp, attempts=0, capacity=capacity)
    asked = doubt.size(_asked(resumed.sheets, arrived))
    if asked and not any(sheet.failed for sheet in resumed.sheets.values()):
        head = msgspec.structs.replace(head, asked=asked)
    settled = msgspec.structs.replace(
        resumed,
        head=head,
        since=min(resumed.since, arrived.revision),
        sheets={
            name: sheet.settle(arrived.tables[name]) if name in arrived.tables else sheet
            for name, sheet in resumed.sheets.items()
        },
        outdated={
            key: nums - arrived.tables[key[0]].nums if key[0] in arrived.tables else nums
            for key, nums in resumed.outdated.items()
        },
        arrived=arrived,
        own_until=min((each.timestamp for each in deliveries if each.timestamp > arrived.timestamp), default=math.inf),
        doubtful=_maybe_late(arrived, deliveries),
    )
    return _learn(settled, [each for each in deliveries if each.timestamp < arrived.timestamp])


def repeat(resumed: Resumed, deliveries: Sequence[Delivery]) -> Resumed:
    """Meet a phone that did not confirm the last answers: they may have failed for what they carried."""
    if any(each.is_retry or _asked(resumed.sheets, each) for each in deliveries):
        return msgspec.structs.replace(resumed, rests=True)
    if resumed.head.attempts < FAILED_TWICE:
        return resumed
    return msgspec.structs.replace(resumed, sheets=_doubted(resumed.sheets, deliveries), rests=True)


def meet_anew(resumed: Resumed, cursor: float, deliveries: Sequence[Delivery]) -> Resumed:
    """Meet a phone with a cursor that it was never given: it has what it had, and perhaps the last answers."""
    return msgspec.structs.replace(
        resumed,
        head=msgspec.structs.replace(resumed.head, settled=cursor, attempts=0, asked=0),
        sheets=_doubted(resumed.sheets, deliveries),
        doubtful=deliveries,
        is_met_anew=True,
    )


def _learn(resumed: Resumed, before: Sequence[Delivery]) -> Resumed:
    """Conclude from a question before the answer that arrived: it failed, and the phone is there."""
    arrived = resumed.arrived.tables if resumed.arrived else {}
    sheets = {
        name: sheet._replace(unsure=sheet.unsure - arrived[name].nums) if name in arrived else sheet
        for name, sheet in resumed.sheets.items()
    }
    questions = [asked for each in before if (asked := _asked(sheets, each))]
    if not questions:
        return resumed
    failed: doubt.Nums = doubt.likeliest(questions[-1])
    is_enough = doubt.size(failed) <= doubt.ENOUGH
    return msgspec.structs.replace(
        resumed,
        head=msgspec.structs.replace(resumed.head, asked=0),
        sheets={
            name: _failed(sheet, failed.get(name, NO_RECORDS), is_enough=is_enough)
            for name, sheet in resumed.sheets.items()
        },
        suspected=tuple(SuspectRecord(name, num) for name, nums in failed.items() for num in nums) if is_enough else (),
    )


def _failed(sheet: Sheet, nums: FrozenBitMap, *, is_enough: bool) -> Sheet:
    if is_enough:
        return sheet._replace(has=sheet.has | nums, unsure=sheet.unsure - nums, failed=NO_RECORDS)
    return sheet._replace(failed=nums)


def _asked(sheets: Mapping[str, Sheet], delivery: Delivery) -> dict[str, FrozenBitMap]:
    """Return what an answer asked: the doubtful records that it carried."""
    found = {name: part.nums & sheets[name].unsure for name, part in delivery.tables.items() if name in sheets}
    return {name: nums for name, nums in found.items() if nums}


def _doubted(sheets: Mapping[str, Sheet], deliveries: Sequence[Delivery]) -> dict[str, Sheet]:
    """Put in doubt what unconfirmed answers carried."""
    doubted = dict(sheets)
    for delivery in deliveries:
        for name, part in delivery.tables.items():
            if name in doubted and name not in doubt.KEPT:
                doubted[name] = doubted[name].doubt(part.nums)
    return doubted


def _maybe_late(arrived: Delivery, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Return the answers that may have come late.

    Two syncs of a phone can overlap. Of the answers that it did not confirm nobody knows whether they came and when;
    if it confirms one that is not the newest, that one came late itself.
    """
    newest = max(delivery.timestamp for delivery in deliveries)
    return [each for each in deliveries if not each.timestamp == arrived.timestamp == newest]
