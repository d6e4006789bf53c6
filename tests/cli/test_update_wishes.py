"""What the page asks for, done by a real RAUC: found by itself, installed, refused with what to do, taken back."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from hub import __version__
from hub.core.status.facts import Facts
from hub.core.update import slots
from hub.core.update.last import Fate
from hub.core.update.slots import Slot
from hub.core.update.told import Doing
from hub.core.update.wishes import Discard, GoBack, Install, Look, Source, Try
from hub.services.status import file
from hub.services.update import boot_partition, installing
from hub.services.update.systems import Systems
from hub.words import LANGUAGES, updates, words
from tests.firmware import started
from tests.updates import TwoSystems

NEWER = "99.0.0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSystems]:
    """Return a card with RAUC's service, and bundles that it may take or not."""
    box = TwoSystems(tmp_path_factory.mktemp("wishes"))
    box.prepare()
    box.key("stranger")
    box.start()
    yield box
    box.stop()


@pytest.fixture(scope="module")
def bundles(made: TwoSystems) -> dict[str, Path]:
    good = made.bundle(NEWER)
    (short := made.root / "short.raucb").write_bytes(good.read_bytes()[:400_000])
    return {
        "good": good,
        "older": made.bundle("0.0.1"),
        "stranger": made.bundle(NEWER, key="stranger"),
        "device": made.bundle(NEWER, compatible="toaster"),
        "short": short,
    }


@pytest.fixture
def box(made: TwoSystems) -> TwoSystems:
    """Return the card as it was flashed, and as it is after ten minutes with nobody near."""
    for path in (*made.places.sticks[0].iterdir(), *made.places.sticks[1].iterdir()):
        path.unlink()
    for path in (
        made.places.kept,
        made.places.sent,
        made.places.told,
        made.places.wish,
        made.root / "data/update.json",
    ):
        path.unlink(missing_ok=True)
    (made.root / "data/status.json").unlink(missing_ok=True)
    (made.root / "systemctl.log").unlink(missing_ok=True)
    shutil.rmtree(made.boot / "slot-B", ignore_errors=True)
    boot = boot_partition.read(made.boot)
    boot_partition.perform(made.boot, slots.make_primary(boot, Slot.A))
    made.runs(Slot.A)
    return made


def put_in(box: TwoSystems, *bundles: Path, copy: bool = False) -> Path:
    """Put in a stick with updates, as the machinery that mounts it shows it."""
    stick = box.places.sticks[1 if copy else 0]
    for bundle in bundles:
        os.link(bundle, stick / bundle.name)
    assert box.hub("look").status == 0
    return stick


def said(box: TwoSystems) -> str:
    return updates.found(words("en"), box.told.failed) if box.told.failed else ""


@pytest.mark.parametrize("copy", [False, True], ids=["of its own", "of the copy"])
def test_an_update_on_a_stick_is_found_by_itself_and_told(
    box: TwoSystems, bundles: dict[str, Path], *, copy: bool
) -> None:
    put_in(box, bundles["good"], bundles["older"], copy=copy)
    (found,) = box.told.found
    assert (found.version, found.refused, found.size_bytes) == (NEWER, "", bundles["good"].stat().st_size)
    shown = json.loads(box.hub("status", "--json").out)
    assert shown["found"] == f"An update to version {NEWER} is on the stick: install it."
    assert box.restarts == []
    assert box.told.last is None


def test_a_stick_that_was_pulled_is_not_shown_any_more(box: TwoSystems, bundles: dict[str, Path]) -> None:
    (put_in(box, bundles["good"]) / bundles["good"].name).unlink()
    box.hub("look")
    assert box.told.found == ()


@pytest.mark.parametrize(
    ("name", "refused"),
    [("older", "not_newer"), ("stranger", "stranger"), ("device", "other_device"), ("short", "not_an_update")],
)
def test_what_is_none_for_this_hub_is_told_with_the_reason_and_not_installed(
    box: TwoSystems, bundles: dict[str, Path], name: str, refused: str
) -> None:
    put_in(box, bundles[name])
    assert [one.refused for one in box.told.found] == [refused]
    told = box.wish(Install(Source.STICK))
    assert told.failed is not None
    assert told.failed.refused == refused
    sentences = {updates.found(words(language), told.failed) for language in LANGUAGES}
    assert len(sentences) == len(LANGUAGES)
    assert box.restarts == []


def test_a_tap_installs_what_is_on_the_stick_and_restarts_into_it(box: TwoSystems, bundles: dict[str, Path]) -> None:
    put_in(box, bundles["good"])
    told = box.wish(Install(Source.STICK))
    assert (told.doing, told.failed) == (Doing.RESTARTING, None)
    assert box.restarts == ["reboot --reboot-argument=0 tryboot"]
    files = {path.relative_to(box.boot).as_posix(): path.read_bytes() for path in box.boot.rglob("*") if path.is_file()}
    assert started(files, tryboot=True) == "slot-B"
    box.hub("look")
    assert box.told.last is not None
    assert (box.told.last.fate, box.told.last.version, box.told.is_ready) == (Fate.TRYING, NEWER, True)


def test_the_command_installs_what_is_on_the_stick_too(box: TwoSystems, bundles: dict[str, Path]) -> None:
    assert "No update is there" in box.hub("install").refused
    put_in(box, bundles["good"])
    assert f"Version {NEWER} is installed" in box.hub("install").out
    assert box.restarts == ["reboot --reboot-argument=0 tryboot"]


def test_what_was_sent_is_taken_installed_and_removed(box: TwoSystems, bundles: dict[str, Path]) -> None:
    shutil.copy(bundles["good"], box.places.sent)
    assert [one.source for one in box.wish(Look()).found] == [Source.UPLOAD]
    assert not box.places.sent.exists()
    box.wish(Install(Source.UPLOAD))
    assert not box.places.kept.exists()
    assert len(box.restarts) == 1


def test_what_was_sent_and_is_none_is_removed_and_its_reason_stays_told(
    box: TwoSystems, bundles: dict[str, Path]
) -> None:
    shutil.copy(bundles["stranger"], box.places.sent)
    box.wish(Look())
    assert "not signed" in said(box)
    assert not box.places.kept.exists()
    box.hub("look")  # systemd does, however the wish ended
    assert "not signed" in said(box)
    box.wish(Look())
    assert said(box) == ""


def test_what_was_sent_can_be_removed_unused(box: TwoSystems, bundles: dict[str, Path]) -> None:
    shutil.copy(bundles["good"], box.places.sent)
    box.wish(Look())
    assert box.wish(Discard()).found == ()
    assert not box.places.kept.exists()


def test_a_stick_that_was_pulled_before_the_tap_is_asked_for(box: TwoSystems, bundles: dict[str, Path]) -> None:
    (put_in(box, bundles["good"]) / bundles["good"].name).unlink()
    box.wish(Install(Source.STICK))
    assert "The stick was pulled out" in said(box)


def test_a_stick_that_is_pulled_while_it_is_installed_leaves_the_hub_as_it_was(
    box: TwoSystems, bundles: dict[str, Path]
) -> None:
    bundle = box.places.sticks[0] / "update.raucb"
    shutil.copy(bundles["good"], bundle)
    backend = (box.root / "backend").read_text()
    # RAUC asks for this before it writes the first byte of the other system.
    pull = f'[ "$1 $3" != "set-state bad" ] || {{ : >{bundle}; rm {bundle}; }}\n'
    (box.root / "backend").write_text(backend.replace("exec ", pull + "exec "))
    try:
        told = box.wish(Install(Source.STICK))
    finally:
        (box.root / "backend").write_text(backend)
    assert "The stick was pulled out" in said(box)
    assert (told.found, told.other, told.is_ready, told.last) == ((), False, False, None)
    assert box.restarts == []


def test_two_at_once_are_refused_and_the_first_goes_on(box: TwoSystems, bundles: dict[str, Path]) -> None:
    put_in(box, bundles["good"])
    entered, leave = threading.Event(), threading.Event()
    installer = installing.Installer(
        box=Systems(writable=lambda _folder: nullcontext()),
        data=box.root,
        current=__version__,
        port=1,
        untimely=lambda: None,
        restart=lambda _argument: None,
        lock=box.places.lock,
    )

    def hold() -> None:
        with installer.alone():
            entered.set()
            leave.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(20)
    try:
        box.wish(Install(Source.STICK))
        assert "Another update is being installed" in said(box)
        assert "Another update is being installed" in box.hub("rollback", "--yes").refused
    finally:
        leave.set()
        holder.join()
    assert box.wish(Install(Source.STICK)).failed is None


@pytest.mark.parametrize(
    ("uptime", "facts", "told"),
    [("299 1", Facts(), "less than five minutes"), ("900 1", Facts(syncing=1), "phone is syncing")],
)
def test_nothing_begins_while_somebody_is_kept_waiting(
    box: TwoSystems, bundles: dict[str, Path], uptime: str, facts: Facts, told: str
) -> None:
    put_in(box, bundles["good"])
    (box.root / "proc/uptime").write_text(uptime)
    file.write(box.root / "data/status.json", "Test", facts)
    box.wish(Install(Source.STICK))
    assert told in said(box)
    assert box.restarts == []


def test_an_update_that_could_not_be_tried_waits_for_a_person(
    box: TwoSystems, bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(box, bundles["good"])
    monkeypatch.setattr(installing, "_QUIET_WAIT_S", 0)
    install = installing.Installer.install

    def busy(self: installing.Installer, bundle: Path | str, *, may_be_older: bool = False) -> object:
        done = install(self, bundle, may_be_older=may_be_older)
        file.write(box.root / "data/status.json", "Test", Facts(syncing=1))
        return done

    monkeypatch.setattr(installing.Installer, "install", busy)
    told = box.wish(Install(Source.STICK))
    assert "phone is syncing" in said(box)
    assert told.is_ready
    assert box.restarts == []
    (box.root / "data/status.json").unlink()
    box.wish(Try())
    assert box.restarts == ["reboot --reboot-argument=0 tryboot"]


def test_there_is_a_way_back_where_there_is_another_system_and_only_there(
    box: TwoSystems, bundles: dict[str, Path]
) -> None:
    box.wish(GoBack())
    assert "no other version" in said(box)
    assert box.restarts == []
    put_in(box, bundles["good"])
    box.wish(Install(Source.STICK))
    box.runs(Slot.B)
    box.hub("settle")
    box.hub("look")
    assert box.told.is_on_trial
    box.wish(GoBack())
    assert box.restarts[-1] == "reboot"
    box.runs(Slot.A)
    box.hub("settle")
    box.hub("look")
    assert box.told.last is not None
    assert (box.told.last.fate, box.told.other) == (Fate.TAKEN_BACK, False)


@pytest.mark.parametrize("wish", [b"", b"no", b'{"type":"install"}', b'{"type":"look","more":1}', b"[" * 2000])
def test_what_is_no_wish_changes_nothing(box: TwoSystems, wish: bytes) -> None:
    box.places.wish.write_bytes(wish)
    assert box.hub("grant").status == 0
    assert not box.places.wish.exists()
    assert not box.places.told.exists()


def test_a_wish_that_is_a_link_is_not_followed(box: TwoSystems) -> None:
    (box.root / "other").write_bytes(b'{"type":"back"}')
    box.places.wish.symlink_to(box.root / "other")
    assert box.hub("grant").status == 0
    assert not box.places.told.exists()
    assert (box.root / "other").exists()


def test_a_card_with_one_system_tells_so(box: TwoSystems) -> None:
    box.hub("look", HIKMA_UPDATE_RAUC=str(box.root / "none"))
    assert box.told.running == ""
