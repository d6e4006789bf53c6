"""Decides which users and clinics made on this hub are which of the cloud's, which knows only its own.

Users are matched by their email, clinics by their name, or because there is only one of each; else by hand.
"""

from collections.abc import Mapping, Sequence

import msgspec

from hub.core.errors import OperatorError


class Pair(msgspec.Struct, frozen=True):
    """One made here and the one of the cloud that it is; None where there is none."""

    hub: str | None
    hub_name: str | None
    cloud: str | None
    cloud_name: str | None


def pairs(own: Mapping[str, str], theirs: Mapping[str, str], matched: Mapping[str, str]) -> list[Pair]:
    """Put those made here and the cloud's side by side.

    own, theirs: id -> name.
    matched: id here -> id in the cloud.
    """
    found = [Pair(key, name, matched.get(key), theirs.get(matched.get(key, ""))) for key, name in own.items()]
    taken = {pair.cloud for pair in found}
    return found + [Pair(None, None, key, name) for key, name in theirs.items() if key not in taken]


def check_by_hand(found: Sequence[Pair], own: str, theirs: str, what: str) -> None:
    """Raise OperatorError unless one made here is unmatched and the other is the cloud's.

    what: "clinic" or "user".
    """
    here = next((pair for pair in found if pair.hub == own), None)
    if here is None:
        raise OperatorError(f"{own}: no {what} with this ID was added on this hub")
    if here.cloud is not None:
        raise OperatorError(f"{own} is already matched with {here.cloud}")
    if theirs not in {pair.cloud for pair in found}:
        raise OperatorError(f"{theirs}: no {what} with this ID came from the cloud; see 'hikma-hub cloud {what}s'")


def same_clinics(own: Mapping[str, str], theirs: Mapping[str, str], matched: Mapping[str, str]) -> dict[str, str]:
    """Return which clinics made here are which of the cloud's: id here -> id there, new matches only.

    own: id -> name of all clinics made here.
    theirs: id -> name of the hub's clinics in the cloud, '' for one of which only the id is known.
    """
    by_name = {_folded(name): clinic for clinic, name in theirs.items() if name}
    found = {}
    for clinic, name in own.items():
        there = by_name.get(_folded(name))
        if there is None and len(own) == len(theirs) == 1 and by_name:
            [there] = theirs
        if there and clinic not in matched:
            found[clinic] = there
    return found


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
