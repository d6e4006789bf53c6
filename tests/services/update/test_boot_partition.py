"""The boot partition as real files, with the power cut at every call that changes one."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub import files
from hub.core.update import slots
from hub.core.update.slots import Boot, Remove, Slot, Start, Steps, Write
from hub.services.update import boot_partition
from tests.firmware import started

_BROUGHT = "arm_64bit=1\n[pi4]\narm_boost=1\n"
Files = dict[str, bytes]


class Cuts:
    """Everything that could be on the card if the power went between two calls of the running test, torn ones too."""

    def __init__(self, folder: Path) -> None:
        self.states: list[Files] = []
        self._folder = folder
        self._unflushed: set[str] = set()

    def heard(self, event: str, args: tuple[object, ...]) -> None:
        """Take note of a call that is about to be made."""
        names = [self._name(arg) for arg in args[:2] if isinstance(arg, str | os.PathLike)]
        if not names or names[0] is None:
            return
        if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR):
            self._unflushed.add(names[0])
        elif event == "os.rename" and len(names) > 1 and names[1] is not None:
            now = self._now()
            self._note({name: content for name, content in now.items() if name != names[0]})
            if names[1] in now:
                self._note({**now, names[1]: b""})  # what fsck makes of it: test_fat.py
            self._unflushed |= {names[1]} if names[0] in self._unflushed else set()
            self._note({**now, names[1]: now[names[0]]})
        self._note(self._now())

    def swapped(self, one: Path, other: Path) -> None:
        """Take note of two names that are about to change places: of two entries either can be the first."""
        now = self._now()
        first, second = self._name(one) or "", self._name(other) or ""
        self._note({**now, second: now[first]})
        self._note({**now, first: now[second]})
        self._unflushed |= {second} if first in self._unflushed else set()

    def flushed(self, handle: int) -> None:
        self._note(self._now())
        self._unflushed.discard(self._name(Path(f"/proc/self/fd/{handle}").readlink()) or "")

    def ended(self) -> None:
        """Take note of how it was left, with what nobody waited for."""
        self._note(self._now())

    def _note(self, state: Files) -> None:
        """Note it, and the same with what nobody has waited for missing or half there."""
        halves = [
            {**state, name: state[name][:size]}
            for name in self._unflushed & state.keys()
            for size in (0, len(state[name]) // 2)
        ]
        self.states += [one for one in (state, *halves) if one not in self.states]

    def _now(self) -> Files:
        paths = [path for path in self._folder.rglob("*") if path.is_file()]
        return {path.relative_to(self._folder).as_posix(): path.read_bytes() for path in paths}

    def _name(self, path: object) -> str | None:
        given = Path(os.fspath(path)) if isinstance(path, str | os.PathLike) else Path()
        return given.relative_to(self._folder).as_posix() if given.is_relative_to(self._folder) else None


_heard: list[Cuts] = []


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _heard and event in {"open", "os.rename", "os.remove"}:
        cuts = _heard.pop()  # what it reads itself is none
        cuts.heard(event, args)
        _heard.append(cuts)


sys.addaudithook(_hook)


def cuts_of(folder: Path, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> list[Files]:
    """Return what could be left on the card by a cut while ``act`` runs."""
    cuts = Cuts(folder)
    fsync, exchange = os.fsync, files.swap

    def flush(handle: int) -> None:
        fsync(handle)
        cuts.flushed(handle)

    def swap(one: Path, other: Path) -> None:
        cuts.swapped(one, other)
        exchange(one, other)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", flush)
        patched.setattr(files, "swap", swap)
        _heard.append(cuts)
        try:
            act()
        finally:
            _heard.clear()
    cuts.ended()
    return cuts.states


def put(folder: Path, state: Files) -> Path:
    for name, content in state.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def install(folder: Path, slot: Slot) -> None:
    """Do as the installation's hook does: the files, then the list of them."""
    brought = {slots.CONFIG: _BROUGHT.encode(), "cmdline.txt": b"rauc.slot=" + slot.encode(), "kernel8.img": b"kernel"}
    put(folder / slot.folder, {**brought, "overlays/README": b""})
    boot_partition.seal(folder, slot)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """Return a boot partition of which A runs and B is whole."""
    folder = put(tmp_path / "card", {slots.CONFIG: slots.configured(_BROUGHT, Slot.A).encode()})
    for slot in Slot:
        install(folder, slot)
    return folder


def _tried(boot: Boot) -> Steps:
    return slots.make_primary(boot, Slot.B) + slots.begin_trial(
        Boot(config=boot.config, trial=slots.configured("", Slot.B), own=boot.own)
    )


_WISHES: dict[str, tuple[Callable[[Boot], Steps], ...]] = {
    "install anew": (lambda boot: slots.mark_bad(boot, Slot.B),),
    "primary": (lambda boot: slots.make_primary(boot, Slot.B),),
    "primary and back": (_tried, lambda boot: slots.make_primary(boot, Slot.A)),
    "tried": (_tried,),
    "kept": (_tried, lambda boot: slots.mark_good(boot, Slot.B)),
    "failed": (_tried, lambda boot: slots.settle(boot, Slot.A)[1]),
    "way back": (_tried, lambda boot: slots.mark_good(boot, Slot.B), lambda boot: slots.mark_bad(boot, Slot.B)),
}


@pytest.mark.parametrize("wish", _WISHES)
def test_wherever_the_power_is_cut_a_whole_system_starts(
    card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wish: str
) -> None:
    def act() -> None:
        for steps in _WISHES[wish]:
            boot_partition.perform(card, steps(boot_partition.read(card)))

    states = cuts_of(card, act, monkeypatch)
    assert len(states) > 1
    for number, state in enumerate(states):
        _starts_whole(put(tmp_path / f"{number}", state), state, tryboot=False)
        if slots.TRIAL in state:
            _starts_whole(put(tmp_path / f"{number}-trial", state), state, tryboot=True)


def test_the_cuts_see_a_file_that_is_written_in_place(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = slots.configured(_BROUGHT, Slot.B)
    states = cuts_of(card, lambda: _ignore((card / slots.CONFIG).write_text(config)), monkeypatch)
    assert any(started(state) is None for state in states)


def _starts_whole(folder: Path, state: Files, *, tryboot: bool) -> None:
    slot = next(slot for slot in Slot if slot.folder == started(state, tryboot=tryboot))
    assert boot_partition.is_whole(folder, slot, thoroughly=True)
    start, steps = slots.settle(boot_partition.read(folder), slot)
    assert (start is Start.TRIAL) == (slot is not boot_partition.read(folder).committed)
    boot_partition.perform(folder, steps)
    assert slots.settle(boot_partition.read(folder), slot)[1] == ()


def _ignore(_: object) -> None:
    """Return nothing of what is given."""


def test_a_system_is_whole_from_its_list_on_and_not_after_a_loss(card: Path) -> None:
    assert boot_partition.read(card, thoroughly=True).own.keys() == set(Slot)
    (card / "slot-B/kernel8.img").write_bytes(b"kerne!")
    assert Slot.B in boot_partition.read(card).own
    assert Slot.B not in boot_partition.read(card, thoroughly=True).own
    (card / "slot-B/kernel8.img").write_bytes(b"short")
    assert Slot.B not in boot_partition.read(card).own


@pytest.mark.parametrize("content", [b"", b"\0" * 512, b"nonsense\n", b"0 x name\n"])
def test_a_list_that_is_torn_makes_nothing_whole(card: Path, content: bytes) -> None:
    (card / Slot.B.seal).write_bytes(content)
    assert Slot.B not in boot_partition.read(card).own


def test_what_a_power_cut_left_beside_the_list_is_not_in_it(card: Path) -> None:
    put(card, {"slot-B/.whole.txt.new": b"half"})
    boot_partition.seal(card, Slot.B)
    assert Slot.B in boot_partition.read(card).own


def test_steps_are_taken_in_order_and_what_is_not_there_need_not_be_removed(card: Path) -> None:
    boot_partition.perform(
        card, (Write("a.txt", "a"), Remove("a.txt"), Remove("b.txt"), Remove("no/such"), Write("a.txt", "b"))
    )
    assert (card / "a.txt").read_text() == "b"
