"""Tables of a later app wait until the cloud shows that it has them, and then go there like all others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.box import facts
from hub.core.reasons import Code
from hub.words import status, words
from tests.services.relay.world import World, row, uid, world
from tests.simulator.rows import Row

NOTHING = {"waiting": 0, "sent": 0, "missed": 0, "held": 0}
WAITING = {**NOTHING, "waiting": 1}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as there:
        yield there


def allergy(made: World) -> Row:
    values: Row = {**row("patient_allergies", uid(), patient_id=made.patient()["id"]), "allergen_label": "Penicillin"}
    made.enter("patient_allergies", values)
    return values


def settle(made: World) -> None:
    for _ in range(3):
        made.cycle()


def test_it_waits_with_a_reason_while_the_cloud_does_not_take_it(made: World) -> None:
    allergy(made)
    settle(made)
    assert made.waiting() == WAITING
    assert [reason.code for reason in made.reasons()] == [Code.TABLE_UNTAKEN]


def test_it_goes_as_soon_as_a_pull_names_the_table_and_is_proven_by_the_next(made: World) -> None:
    first = allergy(made)
    settle(made)
    rows = made.app.state.cloud.later.rows.setdefault("patient_allergies", {})
    made.cycle()
    assert rows[str(first["id"])]["allergen_label"] == "Penicillin"
    settle(made)
    assert (made.waiting(), made.reasons()) == (NOTHING, [])
    second = allergy(made)
    made.change("patient_allergies", first, severity="mild")
    settle(made)
    assert rows[str(first["id"])]["severity"] == "mild"
    assert str(second["id"]) in rows
    made.want_everything()
    settle(made)
    assert made.waiting() == NOTHING
    made.remove("patient_allergies", str(first["id"]))
    settle(made)
    assert (set(rows), made.waiting()) == ({str(second["id"])}, NOTHING)


def test_what_the_cloud_only_says_that_it_takes_ends_with_a_person(made: World) -> None:
    made.app.state.cloud.later.ignores = True
    made.app.state.cloud.later.rows["patient_allergies"] = {}
    allergy(made)
    for _ in range(8):
        made.cycle()
    assert made.waiting() == {**NOTHING, "held": 1}
    assert [reason.code for reason in made.reasons()] == [Code.NOT_SHOWN]


def test_what_only_the_cloud_has_of_it_is_counted_where_people_look(made: World) -> None:
    ours = allergy(made)
    settle(made)
    rows = made.app.state.cloud.later.rows.setdefault("patient_allergies", {})
    settle(made)
    assert set(rows) == {str(ours["id"])}
    for _ in range(2):
        theirs = uid()
        rows[theirs] = {**rows[str(ours["id"])], "id": theirs}
    made.want_everything()
    settle(made)
    now = facts.gather(made.store)
    assert now.later == 2
    assert dict(status.summary(words("en"), now))["Only in the cloud, from a newer app"] == "2"
    rows.clear()
    made.want_everything()
    settle(made)
    assert facts.gather(made.store).later == 0
