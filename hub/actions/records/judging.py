"""Judges a record by the rights of whoever may have entered it, where several use one phone (core.records.authors)."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from hub.core.records.authors import Judged
from hub.core.records.push_decision import Pusher, Refuse
from hub.store.database import Transaction
from hub.store.phones import callers

Decision = TypeVar("Decision")


def pushers(tx: Transaction, pusher: Pusher, others: Iterable[Judged]) -> Iterator[Pusher]:
    """Return other users of a phone as those who push, each with the rights of then."""
    for judged in others:
        who = judged.sign_in
        rights = callers.rights(tx.db, who.user_id, who.role, at_ms=judged.at_ms)
        yield msgspec.structs.replace(pusher, rights=rights)


def first_allowed(own: Decision | None, others: Iterable[Decision]) -> Decision:
    """Return the first decision that is no refusal; else the own one, or the first of all.

    own: by the rights of who is signed in; None where these do not count.
    """
    refused = own
    for decision in others:
        if not isinstance(decision, Refuse):
            return decision
        refused = decision if refused is None else refused
    if refused is None:
        raise AssertionError("nobody can have entered it")
    return refused
