"""Judges a record by the rights of whoever may have entered it, where several use one phone (core.records.authors)."""

from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

import msgspec

from hub.core.records.authors import Judged
from hub.core.records.push_decision import Parents, Pusher, Refuse
from hub.store.database import Transaction
from hub.store.phones import callers
from hub.store.records import former_clinics

Decision = TypeVar("Decision")


def pushers(
    tx: Transaction,
    pusher: Pusher,
    parents: Parents,
    others: Iterable[Judged],
    patients: Collection[str],
    heard_ms: float,
) -> Iterator[tuple[Pusher, Parents]]:
    """Return other users of a phone as those who push, each with the rights and with the patients' clinics of then.

    A phone can say any time. Whose a patient was counts only where it cannot have known otherwise.

    patients: those about whom it is; none where only their clinics of now count.
    heard_ms: up to which hub time the phone on which it was entered has heard of moves.
    """
    for judged in others:
        who = judged.sign_in
        rights = callers.rights(tx.db, who.user_id, who.role, at_ms=judged.at_ms)
        moved = former_clinics.at(tx.db, patients, judged.at_ms, heard_ms=heard_ms)
        yield msgspec.structs.replace(pusher, rights=rights), parents._replace(moved=moved)


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
