"""What was acknowledged is on the stick, and a hub is made of it again; a stick that fails delays nobody for long."""

import random
import shutil
import threading
from pathlib import Path

import msgspec
import pytest

from hub.actions.box import copying as actions
from hub.app import copying
from hub.core.copy.standing import CopyStanding
from hub.core.encrypted_stream import recipient
from hub.core.errors import OperatorError
from hub.services.copy import reading
from hub.services.copy import stick as sticks
from hub.services.copy import writer as writers
from hub.services.copy.stick import Journal
from hub.services.copy.writer import CopyWriter
from hub.store.database import Store
from hub.store.records import unsearched
from tests.hubs import POLICY, InProcessHub, changes, edit, row
from tests.services.copy.copies import SECRET, contents, copied, rebuilt, standing, until
from tests.simulator.rows import Row


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess at the passphrase cost nothing, and look for the stick often."""
    monkeypatch.setattr("hub.core.encrypted_stream.recipient._WORK_FACTOR", 4)
    monkeypatch.setattr(writers, "_LOOK_S", 0.05)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return tmp_path / "stick"


def patients(count: int, *, seed: int = 0) -> list[Row]:
    return [row("patients", f"p-{seed}-{number}", given_name=f"Name {number}") for number in range(count)]


def need_base(writer: CopyWriter) -> None:
    with writer._changed:
        writer._based_s = None
    until(lambda: writer._based_s is not None)


def test_a_hub_is_made_again_of_the_stick_alone(hub: InProcessHub, stick: Path, tmp_path: Path) -> None:
    client = hub.client()
    with copied(hub.store, stick):
        for seed in range(5):
            assert client.push(changes("patients", created=patients(3, seed=seed))).status == 200
        before = contents(hub.store)
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store) == before
    kept, anew = actions.config(hub.store), actions.config(store)
    assert kept
    assert anew  # the new hub keeps a copy on the same stick, beside the one that it was made of
    assert (anew.folder, anew.recipient) == (kept.folder, kept.recipient)
    assert anew.id != kept.id
    store.close()


def test_patients_who_came_many_at_once_are_found_on_the_hub_that_is_made_of_the_stick(
    hub: InProcessHub, stick: Path, tmp_path: Path
) -> None:
    client, many = hub.client(), unsearched.MANY
    assert client.push(changes("patients", created=patients(many, seed=1))).status == 200
    with copied(hub.store, stick):  # the first are in the backup, the others in the journal
        assert client.push(changes("patients", created=patients(many, seed=2))).status == 200
        edited = [edit(patients(1, seed=seed)[0], given_name="Edited") for seed in (1, 2)]
        assert client.push(changes("patients", updated=edited)).status == 200
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store)["patient_words"] == contents(hub.store)["patient_words"]
    assert len(contents(store)["patient_words"]) == 2 * many
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_the_database_is_what_backup_and_journal_give(
    seed: int, hub: InProcessHub, stick: Path, tmp_path: Path
) -> None:
    draw = random.Random(seed)
    clients = [hub.client(f"client-{number}") for number in range(3)]
    known: list[Row] = []
    with copied(hub.store, stick) as writer:
        for step in range(25):
            client = draw.choice(clients)
            kind = draw.choice(["create", "many", "edit", "delete", "pull", "wrong", "sign in", "stick", "other"])
            if kind in {"create", "many"}:
                made = patients(700 if kind == "many" and step < 10 else 3, seed=step)
                known += made
                assert client.push(changes("patients", created=made)).status == 200
            elif kind == "edit" and known:
                base = draw.choice(known)
                client.push(changes("patients", updated=[edit(base, given_name=f"Other {step}")]))
            elif kind == "delete" and known:
                client.push(changes("patients", deleted=[draw.choice(known)["id"]]))
            elif kind == "pull":
                client.pull(client.pull().json["timestamp"])
            elif kind == "wrong":
                client.push({"patients": {"created": [{"id": f"w-{step}", "sex": 7}], "updated": [], "deleted": []}})
            elif kind == "sign in":
                client.login()
            elif kind == "stick":
                writer._lose(OSError("pulled")) if draw.random() < 0.3 else None
            elif kind == "other":
                beside = Store(hub.data)  # the command line is another process
                with beside.write() as tx:
                    tx.db.execute("INSERT OR REPLACE INTO reached (device, host) VALUES (?, 'x')", [step])
                beside.close()
        until(lambda: writer._copied == actions.last(hub.store) and standing(hub.store) is CopyStanding.SAFE)
        before = contents(hub.store)
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store) == before
    assert store.check(full=True) == []
    store.close()


def test_what_is_answered_is_on_the_stick_already(hub: InProcessHub, stick: Path, tmp_path: Path) -> None:
    client = hub.client()
    with copied(hub.store, stick):
        assert client.push(changes("patients", created=patients(1))).status == 200
        shutil.copytree(stick, tmp_path / "taken at once")
    store = rebuilt(tmp_path / "taken at once", tmp_path / "new")
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM patients").fetchone()[0] == 1
    store.close()


def test_an_answer_before_the_journal_is_seen_by_the_test_above(
    hub: InProcessHub, stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = hub.client()
    go_on = threading.Event()
    with copied(hub.store, stick):
        monkeypatch.setattr(CopyWriter, "wait", lambda _writer, _noted: True)  # the order is broken on purpose
        add = Journal.add
        monkeypatch.setattr(Journal, "add", lambda *given, is_last: go_on.wait(30) and add(*given, is_last=is_last))
        assert client.push(changes("patients", created=patients(1))).status == 200
        shutil.copytree(stick, tmp_path / "taken at once")
        go_on.set()
    store = rebuilt(tmp_path / "taken at once", tmp_path / "new")
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM patients").fetchone()[0] == 0
    store.close()


def test_a_stick_that_hangs_delays_one_phone_once_and_is_caught_up(
    hub: InProcessHub, stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = hub.client()
    go_on = threading.Event()
    with copied(hub.store, stick, wait_s=0.2):
        flush = Journal.flush
        monkeypatch.setattr(Journal, "flush", lambda journal: go_on.wait(30) and flush(journal))
        for seed in range(5):
            assert client.push(changes("patients", created=patients(1, seed=seed))).status == 200
        assert standing(hub.store) is CopyStanding.AWAY
        go_on.set()
        until(lambda: standing(hub.store) is CopyStanding.SAFE)
        before = contents(hub.store)
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_a_stick_that_was_pulled_is_caught_up_when_it_is_back(hub: InProcessHub, stick: Path, tmp_path: Path) -> None:
    client = hub.client()
    with copied(hub.store, stick):
        stick.rename(tmp_path / "pulled")
        for seed in range(3):
            assert client.push(changes("patients", created=patients(1, seed=seed))).status == 200
        until(lambda: standing(hub.store) is CopyStanding.AWAY)
        (tmp_path / "pulled").rename(stick)
        until(lambda: standing(hub.store) is CopyStanding.SAFE)
        before = contents(hub.store)
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_what_a_commit_that_failed_left_on_the_stick_gives_way(hub: InProcessHub, stick: Path, tmp_path: Path) -> None:
    client = hub.client()
    with copied(hub.store, stick) as writer:
        take = writer.take

        def take_and_fail(*given: object) -> None:
            take(*given)  # type: ignore[arg-type]
            until(lambda: not writer._queue and not writer._writing)
            writer.take = take  # type: ignore[method-assign]
            raise ZeroDivisionError

        writer.take = take_and_fail  # type: ignore[assignment, method-assign]
        with pytest.raises(ZeroDivisionError), hub.store.write() as tx:
            tx.db.execute("INSERT INTO reached (device, host) VALUES (99, 'never committed')")
        assert client.push(changes("patients", created=patients(1))).status == 200
        before = contents(hub.store)
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_a_restart_goes_on_where_the_stick_is(hub: InProcessHub, stick: Path, tmp_path: Path) -> None:
    client = hub.client()
    with copied(hub.store, stick):
        assert client.push(changes("patients", created=patients(1))).status == 200
    with hub.store.write() as tx:
        tx.db.execute("INSERT INTO reached (device, host) VALUES (99, 'while nobody copied')")
    with copied(hub.store, stick):
        assert client.push(changes("patients", created=patients(1, seed=2))).status == 200
        before = contents(hub.store)
        assert len(sticks.copies(stick)[0].bases()) == 1  # no second backup was needed
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_a_torn_tail_loses_nothing_but_itself(hub: InProcessHub, stick: Path, tmp_path: Path) -> None:
    client = hub.client()
    with copied(hub.store, stick):
        assert client.push(changes("patients", created=patients(1))).status == 200
    (_, last) = sticks.copies(stick)[0].journals()[-1]
    with last.open("ab") as file:
        file.write(bytes(5000))
    with copied(hub.store, stick):
        assert client.push(changes("patients", created=patients(1, seed=2))).status == 200
        before = contents(hub.store)
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_a_journal_file_that_is_missing_is_seen_and_mended_by_a_backup(
    hub: InProcessHub, stick: Path, tmp_path: Path
) -> None:
    client = hub.client()
    for seed in range(3):
        with copied(hub.store, stick):
            assert client.push(changes("patients", created=patients(1, seed=seed))).status == 200
    copy = sticks.copies(stick)[0]
    copy.journals()[1][1].unlink()
    assert copy.reach().is_broken
    with copied(hub.store, stick):
        assert len(copy.bases()) == 2
        before = contents(hub.store)
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_a_cloned_stick_that_is_older_is_brought_up_to_date(hub: InProcessHub, stick: Path, tmp_path: Path) -> None:
    client = hub.client()
    with copied(hub.store, stick):
        pass
    shutil.copytree(stick, tmp_path / "clone")
    with copied(hub.store, stick):
        for seed in range(3):
            assert client.push(changes("patients", created=patients(1, seed=seed))).status == 200
        actions.trim(hub.store, 10_000)
    stick.rename(tmp_path / "first")
    (tmp_path / "clone").rename(stick)
    with copied(hub.store, stick):
        before = contents(hub.store)
        store = rebuilt(stick, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_old_journals_go_when_two_newer_backups_are_there(hub: InProcessHub, stick: Path) -> None:
    client = hub.client()
    for seed in range(4):
        with copied(hub.store, stick) as writer:
            assert client.push(changes("patients", created=patients(1, seed=seed))).status == 200
            need_base(writer)
    copy = sticks.copies(stick)[0]
    assert len(copy.bases()) == 2
    assert len(copy.journals()) < 4
    assert copy.reach().last == actions.last(hub.store) or not copy.reach().is_broken


def test_the_journal_that_is_being_written_is_never_needless(hub: InProcessHub, stick: Path) -> None:
    with copied(hub.store, stick) as writer:
        need_base(writer)
    copy = sticks.copies(stick)[0]
    copy.begin_journal(bytes(range(32))).close()
    last = copy.journals()[-1]
    copy.prune()
    assert copy.journals()[-1] == last


def test_a_box_whose_stick_a_restored_one_has_taken_over_says_so(
    hub: InProcessHub, stick: Path, tmp_path: Path
) -> None:
    with copied(hub.store, stick):
        pass
    restored = rebuilt(stick, tmp_path / "new")
    with copied(restored, stick):
        pass
    restored.close()
    with copied(hub.store, stick, until_is=CopyStanding.AWAY):
        until(lambda: actions.is_replaced(hub.store))


def test_a_passphrase_that_is_wrong_restores_nothing(hub: InProcessHub, stick: Path, tmp_path: Path) -> None:
    from hub.app import backup  # noqa: PLC0415  the copies' own restore has the right one

    with copied(hub.store, stick):
        pass
    with pytest.raises(OperatorError, match="passphrase is wrong"):
        backup.restore_copy(sticks.copies(stick)[0], tmp_path / "new", "five words are not enough")
    assert not (tmp_path / "new").exists()


def test_a_byte_of_a_whole_backup_that_changed_is_seen_when_the_copy_is_verified(
    hub: InProcessHub, stick: Path
) -> None:
    with copied(hub.store, stick):
        assert hub.client().push(changes("patients", created=patients(1))).status == 200
    copy = sticks.copies(stick)[-1]
    private = recipient.private_key(SECRET, copy.mark.salt)
    assert reading.check(copy, private) > 0
    [(_, base)] = copy.bases()
    raw = bytearray(base.read_bytes())
    raw[-40] ^= 1
    base.write_bytes(raw)
    with pytest.raises(OperatorError):
        reading.check(copy, private)


def test_a_box_that_was_replaced_takes_no_records(hub: InProcessHub) -> None:
    client = hub.client()
    hub.store.is_replaced = True
    assert client.push(changes("patients", created=patients(1))).status == 503
    assert client.pull().status == 200


def test_a_copy_that_is_required_and_away_refuses_a_push(hub: InProcessHub, stick: Path, tmp_path: Path) -> None:
    hub.restart(policy=msgspec.structs.replace(POLICY, needs_copy=True))
    client = hub.client()
    assert client.push(changes("patients", created=patients(1))).status == 503
    with copied(hub.store, stick):
        assert client.push(changes("patients", created=patients(1))).status == 200
        stick.rename(tmp_path / "pulled")
        until(lambda: standing(hub.store) is CopyStanding.AWAY)
        assert client.push(changes("patients", created=patients(1, seed=2))).status == 503
        assert client.pull().status == 200


def test_a_copy_that_was_begun_anew_and_has_no_backup_yet_does_not_hide_the_one_before(
    hub: InProcessHub, stick: Path, tmp_path: Path
) -> None:
    with copied(hub.store, stick):
        assert hub.client().push(changes("patients", created=patients(1))).status == 200
        before = contents(hub.store)
    copying.start(hub.store, stick, SECRET, hub_name="Test Hub")
    store = rebuilt(stick, tmp_path / "new")
    assert contents(store)["patients"] == before["patients"]
    store.close()


def test_a_setting_is_on_the_stick_soon_also_if_nothing_else_changes(
    hub: InProcessHub, stick: Path, tmp_path: Path
) -> None:
    settings = hub.data / "hub.toml"
    settings.write_text("[pairing]\nminutes = 6\n")
    with copied(hub.store, stick) as writer:
        settings.write_text("[pairing]\nminutes = 7\n")
        until(lambda: writer._files_seen == writer._files_now())
        until(lambda: writer._copied == actions.last(hub.store))
    store = rebuilt(stick, tmp_path / "new")
    store.close()
    assert "minutes = 7" in (tmp_path / "new" / "hub.toml").read_text()
