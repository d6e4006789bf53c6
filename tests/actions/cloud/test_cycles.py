"""What cycles keep of how far they came, and of how they ended."""

import pytest

from hub.actions.cloud import cycles, link, queue
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import Last, Link
from hub.core.cloud.outbox import TRIES, Entry, OutboxState
from hub.core.reasons import Code
from hub.core.records.tables import TABLES
from hub.store.cloud import outbox
from hub.store.database import Store
from tests.hubs import changes, row
from tests.store import pushes

PATIENTS = TABLES["patients"]
LINK = Link("https://cloud.test", "device", "Hub", ("north",))


@pytest.fixture
def connected(store: Store) -> Store:
    link.connect(store, LINK, "key")
    return store


def patients(store: Store, *entries: Entry) -> None:
    """Let these be the entries of the outbox."""
    made = [row("patients", f"p{num}") for num, _ in enumerate(entries)]
    pushes.push(store, changes("patients", created=made))
    with store.write() as tx:
        outbox.put(tx, PATIENTS, dict(enumerate(entries, 1)))


def states(store: Store) -> list[OutboxState]:
    with store.read() as db:
        found = outbox.entries(db, PATIENTS, range(1, 100))
    return [entry.state(cycles.progress(store).pulls) for _, entry in sorted(found.items())]


def on_hold() -> Entry:
    return Entry(1).refused(1, Code.REFUSED.of(table="patients"))


def test_everything_that_is_asked_for_during_a_cycle_is_not_forgotten_by_it(connected: Store) -> None:
    cycles.want_everything(connected)
    cycles.advance(connected, pulls=4, cursor_cloud_ms=7)
    progress = cycles.progress(connected)
    assert (progress.full_wanted, progress.pulls, progress.cursor_cloud_ms) == ("asked for", 4, 7)


def test_a_cycle_that_ends_after_the_cloud_was_disconnected_keeps_nothing(connected: Store) -> None:
    assert link.disconnect(connected)
    cycles.advance(connected, pulls=4)
    cycles.save_last_cycle(connected, Last(outcome="done"))
    assert not link.disconnect(connected)
    assert cycles.progress(connected).pulls == 0
    assert cycles.last_cycle(connected)[0] == Last()


def test_what_two_pulls_did_not_show_is_sent_again_and_what_is_on_hold_only_when_it_is_time(connected: Store) -> None:
    patients(connected, Entry(1, sent=1, sent_pull=0), Entry(1, sent=1, sent_pull=1), on_hold())
    assert cycles.finish_pull(connected, 2, ("north",), full=False, retry=0) == 1
    assert states(connected) == [OutboxState.WAITING, OutboxState.SENT, OutboxState.ON_HOLD]
    assert cycles.progress(connected).pulls == 2
    cycles.finish_pull(connected, 2, ("north",), full=False, retry=1)
    assert states(connected)[2] is OutboxState.WAITING


def test_what_was_sent_again_and_again_and_never_shown_goes_on_hold_for_people(connected: Store) -> None:
    patients(connected, Entry(1, sent=1, sent_pull=0, tries=TRIES))
    cycles.finish_pull(connected, 2, ("north",), full=False, retry=0)
    assert states(connected) == [OutboxState.ON_HOLD]
    assert pushes.reasons(connected) == [Code.CLINIC_MISSING.of(table="patients", column="primary_clinic_id")]


def test_what_is_tried_again_is_a_few_at_a_time(connected: Store) -> None:
    patients(connected, on_hold(), on_hold(), on_hold())
    cycles.finish_pull(connected, 1, ("north",), full=False, retry=2)
    assert states(connected).count(OutboxState.ON_HOLD) == 1


def test_what_is_on_hold_is_shown_as_soon_as_the_records_to_check_have_room(connected: Store) -> None:
    patients(connected, on_hold())
    room, connected.quarantine_max = connected.quarantine_max, 0
    cycles.finish_pull(connected, 1, ("north",), full=False, retry=0)
    assert pushes.reasons(connected) == []
    connected.quarantine_max = room
    cycles.finish_pull(connected, 2, ("north",), full=False, retry=0)
    assert pushes.reasons(connected) == [Code.REFUSED.of(table="patients")]


def test_what_is_in_no_outbox_cannot_be_let_go(connected: Store) -> None:
    patients(connected, on_hold())
    with connected.write() as tx:
        assert not queue.release(tx, "patients", "of nobody")
        outbox.put(tx, PATIENTS, {1: None})
        assert not queue.release(tx, "patients", "p0")


def test_new_clinics_let_everything_on_hold_go_again_and_a_new_name_does_not(connected: Store) -> None:
    patients(connected, on_hold())
    link.update(connected, Link("https://cloud.test", "device", "Other name", ("north",)))
    assert states(connected) == [OutboxState.ON_HOLD]
    link.update(connected, Link("https://cloud.test", "device", "Other name", ("north", "south")))
    assert states(connected) == [OutboxState.WAITING]


def test_a_cycle_that_the_power_cut_is_not_shown_as_running(connected: Store) -> None:
    cycles.save_last_cycle(connected, Last(outcome="done", tried_ms=5))
    cycles.mark_running(connected)
    assert cycles.last_cycle(connected)[0].running_since_ms
    cycles.clear_interrupted(connected)
    assert cycles.last_cycle(connected)[0] == Last(outcome="done", tried_ms=5)


def test_why_the_hub_does_not_relay_is_kept_beside_how_the_last_cycle_ended(connected: Store) -> None:
    cycles.save_last_cycle(connected, Last(outcome="done", tried_ms=5))
    cycles.note_withheld(connected, Outcome.OUT_OF_HOURS)
    last, _ = cycles.last_cycle(connected)
    assert (last.outcome, last.sentence, last.tried_ms) == ("out_of_hours", Outcome.OUT_OF_HOURS.sentence, 5)
