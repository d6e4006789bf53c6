"""Backing a hub up while it serves, and making one of the file again (O4)."""

import io
import os
import sqlite3
import subprocess
import tarfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.box import certificate, identity
from hub.app import backup
from hub.core import encrypted_stream
from hub.core.clock import resumed_ms
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.encrypted_stream import age
from hub.core.errors import OperatorError
from hub.services.relay.runner import Runner
from hub.store import snapshot
from hub.store.database import Store, hub_time
from hub.store.people import audit, page_sessions, users
from hub.store.people.page_sessions import Account, AccountKind
from hub.store.phones import callers
from tests import age_tool
from tests.age_tool import needs_age
from tests.hubs import InProcessHub, changes, row
from tests.mounts import Mount, mount
from tests.services.copy.copies import until
from tests.services.relay import world as worlds
from tests.services.relay.world import RULES
from tests.simulator import processes
from tests.store import pushes

__all__ = ["mount"]

SECRET = "four words are enough"
FIRST = Path(__file__).parents[1] / "vectors" / "backup" / "hub_format_1.backup"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess cost nothing."""
    monkeypatch.setattr(age, "_WORK_FACTOR", 4)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[InProcessHub]:
    """Return a hub with a phone, patients, a certificate and settings."""
    made = InProcessHub(tmp_path / "data")
    rows = [row("patients", f"p{number}", given_name="Amina") for number in range(300)]
    made.client().push(changes("patients", created=rows))
    certificate.load(made.store, "hikma-hub.local")
    settings_of(made.store).write_text("[pairing]\nminutes = 25\n")
    yield made
    made.close()


def settings_of(store: Store) -> Path:
    return store.path.parent / "hub.toml"


def made(store: Store) -> bytes:
    return b"".join(backup.encrypted(store, SECRET, settings_of(store)))


def count(store: Store, table: str) -> int:
    with store.read() as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def tarred(plain: bytes) -> bytes:
    return b"".join(encrypted_stream.encrypt(SECRET, [plain]))


def test_o4_a_hub_comes_again_with_all_that_it_held_and_was(hub: InProcessHub, tmp_path: Path) -> None:
    with hub.store.write() as tx:
        page_sessions.begin(tx, Account(AccountKind.ADMINISTRATOR, "amal"))
        before = hub_time(tx.db)
    backup.restore([made(hub.store)], tmp_path / "new", SECRET)
    store = Store(tmp_path / "new")
    with store.read() as db:
        assert callers.find(db, "client-1")
        assert users.find_by_email(db, "amal@clinic.example")
        assert hub_time(db) > before
        assert next(audit.entries(db))["event"] == "backup.restored"
        assert db.execute("SELECT count(*) FROM page_sessions").fetchone()[0] == 0
    assert count(store, "patients") == 300
    assert identity.load(store).id == identity.load(hub.store).id
    assert identity.load(store).keys.public != identity.load(hub.store).keys.public
    for path in (settings_of(hub.store), *certificate.paths(hub.store)):
        again = tmp_path / "new" / path.relative_to(hub.store.path.parent)
        assert again.read_bytes() == path.read_bytes()
        assert again.stat().st_mode & 0o077 == 0
    assert store.check(full=True) == []
    store.close()
    assert not (tmp_path / "new" / "restoring").exists()


@needs_age
def test_a_technician_opens_a_backup_without_a_hub(hub: InProcessHub, tmp_path: Path) -> None:
    (tmp_path / "hub.backup").write_bytes(made(hub.store))
    age_tool.decrypt(SECRET, tmp_path / "hub.backup", tmp_path / "hub.tar")
    subprocess.run(["tar", "-xf", "hub.tar"], cwd=tmp_path, check=True)  # noqa: S607  the one of this machine
    assert (tmp_path / "hub.toml").read_bytes() == settings_of(hub.store).read_bytes()
    assert (tmp_path / "tls" / "certificate.pem").exists()
    opened = sqlite3.connect(tmp_path / "hub.db")
    assert opened.execute("SELECT count(*) FROM patients").fetchone()[0] == 300
    opened.close()


def test_a_backup_of_the_first_release_makes_a_hub(tmp_path: Path) -> None:
    backup.restore([FIRST.read_bytes()], tmp_path / "new", SECRET)
    store = Store(tmp_path / "new")
    assert count(store, "patients") == 3
    assert settings_of(store).read_text() == "[pairing]\nminutes = 25\n"
    store.close()


def test_o4_phones_that_go_on_are_neither_held_up_nor_half_in_it(hub: InProcessHub, tmp_path: Path) -> None:
    begun, stop = threading.Event(), threading.Event()

    def work() -> None:
        client = hub.client("client-2")
        while not stop.is_set():
            visit, vitals = (row(table, str(uuid.uuid4()), patient_id="p1") for table in ("visits", "patient_vitals"))
            both = {**changes("visits", created=[visit]), **changes("patient_vitals", created=[vitals])}
            assert client.push(both).status == 200
            begun.set()

    nurse = threading.Thread(target=work)
    nurse.start()
    begun.wait()
    content = made(hub.store)
    stop.set()
    nurse.join()
    backup.restore([content], tmp_path / "new", SECRET)
    store = Store(tmp_path / "new")
    assert 0 < count(store, "visits") == count(store, "patient_vitals") <= count(hub.store, "visits")
    store.close()


def test_nothing_of_it_can_be_read_without_the_passphrase(hub: InProcessHub) -> None:
    content = made(hub.store)
    private = identity.load(hub.store).keys.private_bytes()
    assert not any(secret in content for secret in (b"Amina", b"SQLite format", b"hub.db", b"minutes", private))


def test_no_copy_is_left_behind_however_it_ends(hub: InProcessHub) -> None:
    made(hub.store)
    pieces = backup.encrypted(hub.store, SECRET, settings_of(hub.store))
    next(pieces)
    assert (hub.store.path.with_name("hub.db.backup")).exists()
    pieces.close()  # type: ignore[attr-defined]  # a generator: the browser went away
    assert not list(hub.store.path.parent.glob("*backup*"))
    assert made(hub.store)


def test_a_short_passphrase_is_refused(hub: InProcessHub) -> None:
    with pytest.raises(OperatorError, match="12 characters"):
        backup.encrypted(hub.store, "short", settings_of(hub.store))


def test_a_disk_without_room_for_the_copy_is_said_before_it_is_filled(mount: Mount) -> None:
    store = Store(mount.path / "data")
    with pytest.raises(OperatorError, match="not enough free storage"):
        backup.encrypted(store, SECRET, settings_of(store))
    store.close()


def test_what_a_cut_left_of_a_backup_takes_no_room_from_the_next(mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "_SPARE_BYTES", 1024 * 1024)
    store = Store(mount.path / "data")
    mount.fill()
    (mount.path / "filling").rename(store.path.with_name("hub.db.backup"))
    assert made(store)
    store.close()


def test_a_backup_that_is_made_beside_another_process_waits_and_both_are_whole(
    hub: InProcessHub, tmp_path: Path
) -> None:
    pieces = backup.encrypted(hub.store, SECRET, settings_of(hub.store))
    first = next(pieces)
    out = tmp_path / "other.backup"
    words = ("backup", "--data", str(hub.data), "--out", str(out), "--passphrase-stdin")
    with subprocess.Popen((*processes.HUB, *words), stdin=subprocess.PIPE, env=processes.environ()) as other:
        assert other.stdin is not None
        other.stdin.write(f"{SECRET}\n".encode())
        other.stdin.close()
        until(lambda: other.poll() is not None or is_waited_for(hub.data / "archive.lock"))
        content = first + b"".join(pieces)
    assert other.returncode == 0
    for number, whole in enumerate((content, out.read_bytes())):
        backup.restore([whole], tmp_path / f"new-{number}", SECRET)


def is_waited_for(file: Path) -> bool:
    """Whether a process waits for the lock on a file (proc(5): "->" marks it)."""
    inode = f":{file.stat().st_ino} " if file.exists() else ""
    return any("->" in line and inode in line for line in Path("/proc/locks").read_text("ascii").splitlines())


def test_a_start_removes_what_a_cut_left_of_a_backup_but_no_copy_that_is_in_use(hub: InProcessHub) -> None:
    left = [hub.data / name for name in ("hub.db.backup", "hub.db.backup-journal", "hub.db.base")]
    for path in left:
        path.touch()
    backup.sweep(hub.data)
    assert not any(path.exists() for path in left)
    pieces = backup.encrypted(hub.store, SECRET, settings_of(hub.store))
    next(pieces)
    backup.sweep(hub.data)
    assert left[0].exists()
    assert list(pieces)


def test_a_folder_that_holds_anything_is_never_touched(hub: InProcessHub, tmp_path: Path) -> None:
    content, folder = made(hub.store), tmp_path / "new"
    folder.mkdir()
    (folder / "hub.db").write_text("another hub")
    with pytest.raises(OperatorError, match="needs an empty folder"):
        backup.restore([content], folder, SECRET)
    assert [path.name for path in folder.iterdir()] == ["hub.db"]


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data[:100_000], lambda data: data + b"more"])
def test_a_damaged_file_leaves_nothing_behind(hub: InProcessHub, tmp_path: Path, spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(OperatorError, match="damaged"):
        backup.restore([spoil(made(hub.store))], tmp_path / "new", SECRET)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_database_that_is_damaged_inside_a_sound_file_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    with store.write() as tx:
        for number in range(3000):
            audit.note(tx, "login", detail=str(number))
    store.close()
    raw = bytearray((tmp_path / "data" / "hub.db").read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 40_000] = os.urandom(40_000)
    with pytest.raises(OperatorError):
        backup.restore([tarred(tar({"hub.db": bytes(raw)}))], tmp_path / "new", SECRET)
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("name", ["../evil", "/evil-hub", "tls/../../evil", "hub.db/../../evil"])
def test_a_tar_that_wants_to_write_elsewhere_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(OperatorError, match="no database"):
        backup.restore([tarred(tar({name: b"x"}))], tmp_path / "in" / "new", SECRET)
    assert [path.name for path in tmp_path.rglob("*evil*")] == []
    assert not Path("/evil-hub").exists()


@pytest.mark.parametrize("plain", [b"", b"no tar", bytes(10_000)])
def test_what_holds_no_hub_is_refused(tmp_path: Path, plain: bytes) -> None:
    with pytest.raises(OperatorError):
        backup.restore([tarred(plain)], tmp_path / "new", SECRET)


def test_a_backup_of_a_newer_hub_is_refused(hub: InProcessHub, tmp_path: Path) -> None:
    with hub.store.write() as tx:
        tx.db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('hub', 'later', '')")
    with pytest.raises(OperatorError, match="newer hub"):
        backup.restore([made(hub.store)], tmp_path / "new", SECRET)


def test_hub_time_goes_on_where_the_dead_hub_can_have_been() -> None:
    day = 86_400_000
    kept = 1_800_000_000_000
    assert resumed_ms(kept, kept + day) == kept + day
    assert resumed_ms(kept, kept - day) == kept  # this box woke up last week
    assert resumed_ms(kept, kept + 4000 * day) == kept  # or in another decade


def test_the_copy_is_whole_though_it_is_made_in_steps(
    hub: InProcessHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_PAGES", 1)
    monkeypatch.setattr(snapshot, "_PAUSE_S", 0)
    snapshot.copy(hub.store, tmp_path / "copy")
    copy = sqlite3.connect(tmp_path / "copy")
    assert copy.execute("SELECT count(*) FROM patients").fetchone()[0] == 300
    assert copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    copy.close()


def tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return out.getvalue()


def test_o4_what_was_relayed_after_the_backup_comes_back_from_the_cloud(tmp_path: Path) -> None:
    with worlds.world(tmp_path / "world") as world:
        world.patient(given_name="Before")
        world.cycle()
        content = b"".join(backup.encrypted(world.store, SECRET, settings_of(world.store)))
        late = world.patient(given_name="Late")
        world.cycle()
        world.cycle()
        assert world.where("patients", late) == "cloud"
        backup.restore([content], tmp_path / "new", SECRET)
        store = Store(tmp_path / "new")
        runner = Runner(store, RULES)
        report = runner.run()
        runner.close()
        assert report is not None
        assert report.outcome is Outcome.DONE
        assert pushes.kept(store, "patients", str(late["id"]))["given_name"] == "Late"
        assert count(store, "patients") == 2
        store.close()


def test_p9_a_backup_that_is_older_than_a_sign_in_lasts_signs_nobody_out(
    hub: InProcessHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = hub.client()
    content = made(hub.store)
    later_ns = time.time_ns() + 60 * 86_400 * 10**9
    monkeypatch.setattr("time.time_ns", lambda: later_ns)
    backup.restore([content], tmp_path / "new", SECRET)
    hub.close()
    hub.data = tmp_path / "new"
    hub.restart()
    with hub.store.read() as db:
        assert hub_time(db) >= later_ns // 1_000_000
    client.shake()
    assert client.pull().status == 200
