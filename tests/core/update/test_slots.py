"""The two systems of a card as a model: whatever is asked and wherever it is cut, a whole one starts."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import OperatorError
from hub.core.update import slots
from hub.core.update.slots import Boot, Slot, Start, Steps, Write
from tests.draws import drawn
from tests.firmware import started

_BROUGHT = "arm_64bit=1\n[pi4]\narm_boost=1\n"


class Card:
    """A boot partition, and which systems are truly whole; ``tryboot`` is what the firmware keeps over a restart."""

    def __init__(self) -> None:
        self.files = {slots.CONFIG: slots.configured(_BROUGHT, Slot.A).encode()}
        self.whole: set[Slot] = set()
        self.running = Slot.A
        self.tryboot = False
        self.put(Slot.A)

    def put(self, slot: Slot) -> None:
        for name in ("kernel8.img", "cmdline.txt", "whole.txt"):
            self.files[f"{slot.folder}/{name}"] = b"x"
        self.whole.add(slot)

    def boot(self) -> Boot:
        return Boot(
            config=self.files[slots.CONFIG].decode(),
            trial=self.files[slots.TRIAL].decode() if slots.TRIAL in self.files else None,
            tried=slots.TRIED in self.files,
            own={slot: _BROUGHT for slot in Slot if slot.seal in self.files},
        )

    def take(self, steps: Steps, cut: int | None = None) -> bool:
        """Take steps, or be cut at one of the moments in between; returns whether all were taken."""
        for moment, files in enumerate(self._moments(steps)):
            self.files = files
            if moment == cut:
                return False
        return True

    def _moments(self, steps: Steps) -> Iterator[dict[str, bytes]]:
        """Return what can be on the card, in order; a rename of FAT is of two entries, of which either can be first."""
        files = self.files
        for step in steps:
            if isinstance(step, Write):
                new = {**files, step.name: step.text.encode()}
                yield {**files, f".{step.name}.new": step.text.encode()[:5]}
                yield {**new, f".{step.name}.new": step.text.encode()}
                yield files
            else:
                new = {path: content for path, content in files.items() if path != step.name}
            yield new
            files = new

    def start(self) -> Start:
        """Power on: what starts must be whole, and puts in order what it finds."""
        folder = started(self.files, tryboot=self.tryboot)
        self.tryboot = False
        self.running = next(slot for slot in Slot if slot.folder == folder)
        assert self.running in self.whole
        start, steps = slots.settle(self.boot(), self.running)
        self.take(steps)
        return start

    def restart_into_trial(self, cut: int | None = None) -> None:
        if self.take(slots.begin_trial(self.boot()), cut):
            self.tryboot = True


def install(card: Card, cut: int | None = None) -> bool:
    """Do as RAUC does: bad, write, primary; returns whether all of it was done."""
    slot = card.running.other
    if not card.take(slots.mark_bad(card.boot(), slot), cut):
        return False
    card.whole.discard(slot)
    if cut is not None and cut >= 10:
        return False  # in the middle of gigabytes
    card.put(slot)
    return card.take(slots.make_primary(card.boot(), slot), None if cut is None else cut - 5)


_ASKED = ("install", "try", "good", "bad", "cut")


@drawn(300)
@given(st.lists(st.tuples(st.sampled_from(_ASKED), st.none() | st.integers(0, 12))))
def test_whatever_is_asked_and_wherever_it_is_cut_a_whole_system_starts(asked: list[tuple[str, int | None]]) -> None:
    card = Card()
    for what, cut in asked:
        boot = card.boot()
        is_done = True
        try:
            match what:
                case "install" if card.running is boot.committed:
                    is_done = install(card, cut)
                case "try":
                    card.restart_into_trial(cut)
                    is_done = False
                case "good":
                    is_done = card.take(slots.mark_good(boot, card.running), cut)
                case "bad":
                    is_done = card.take(slots.mark_bad(boot, card.running), cut)
                case _:
                    is_done = False
        except OperatorError:
            assert started(card.files) == boot.committed.folder
        if not is_done:
            card.start()
        assert started(card.files) in {slot.folder for slot in card.whole}


def test_a_good_update_is_kept_and_the_old_system_stays_for_a_way_back() -> None:
    card = Card()
    assert install(card)
    assert card.boot().primary is Slot.B
    card.restart_into_trial()
    assert card.start() is Start.TRIAL
    card.take(slots.mark_good(card.boot(), Slot.B))
    assert (card.start(), card.running) == (Start.USUAL, Slot.B)
    card.take(slots.mark_bad(card.boot(), Slot.B))
    assert (card.start(), card.running) == (Start.USUAL, Slot.A)


def test_an_update_that_does_not_come_up_is_tried_once_and_then_forgotten() -> None:
    card = Card()
    install(card)
    card.restart_into_trial()
    card.start()  # and hangs, panics, is unplugged
    assert (card.start(), card.running) == (Start.RETURN, Slot.A)
    assert card.start() is Start.USUAL
    assert card.boot().primary is Slot.A
    with pytest.raises(OperatorError, match="no update"):
        slots.begin_trial(card.boot())


def test_an_update_whose_trial_was_never_asked_for_waits() -> None:
    card = Card()
    install(card)
    assert (card.start(), card.running) == (Start.USUAL, Slot.A)
    assert card.boot().on_trial is Slot.B


def test_an_update_that_is_not_whole_any_more_is_not_tried() -> None:
    card = Card()
    install(card)
    del card.files[Slot.B.seal]
    assert card.boot().primary is Slot.A
    with pytest.raises(OperatorError, match="no update"):
        slots.begin_trial(card.boot())
    assert card.start() is Start.USUAL
    assert slots.TRIAL not in card.files


def test_a_system_that_is_not_whole_is_neither_tried_nor_kept() -> None:
    boot = Card().boot()
    for wish in (slots.make_primary, slots.mark_good):
        with pytest.raises(OperatorError, match="not whole"):
            wish(boot, Slot.B)


def test_the_last_system_is_never_given_up() -> None:
    card = Card()
    with pytest.raises(OperatorError, match="not whole"):
        slots.mark_bad(card.boot(), Slot.A)
    install(card)
    with pytest.raises(OperatorError, match="not proven"):
        slots.mark_bad(card.boot(), Slot.A)


def test_an_update_that_was_installed_is_taken_back() -> None:
    card = Card()
    install(card)
    card.take(slots.make_primary(card.boot(), Slot.A))
    assert card.boot().primary is Slot.A
    assert slots.TRIAL not in card.files


@pytest.mark.parametrize("board", ["pi3", "pi4", "pi5"])
def test_a_system_is_named_for_every_board_whatever_sections_it_brings_along(board: str) -> None:
    text = slots.configured("os_prefix=slot-A/\n[pi4]\narm_boost=1", Slot.B)
    assert started({"config.txt": text.encode(), "slot-B/kernel8.img": b"x"}, board=board) == "slot-B"
    assert slots.named(text) is Slot.B


@pytest.mark.parametrize("text", ["", "os_prefix=slot-C/", "os_prefix=slot-A", "#os_prefix=slot-A/"])
def test_a_card_with_one_system_says_so(text: str) -> None:
    with pytest.raises(OperatorError, match="only one"):
        _ = Boot(config=text).committed
