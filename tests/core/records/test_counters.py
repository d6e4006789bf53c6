"""Counters are sums of steps: whichever phone says its figure first, and however often, the sum is the same (P12)."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.records import codec, counters
from hub.core.records.counters import STEPS, Figure, Step
from hub.core.records.tables import TABLES

BEGAN = 100.0


@dataclass
class Counter:
    """A counter that devices push figures of, with its newest steps; ``add`` stands for a dispensing record."""

    value: float = BEGAN
    revision: int = 1
    steps: list[Step] = field(default_factory=list)
    said: dict[int, Figure] = field(default_factory=dict)

    def add(self, device: int, step: float) -> None:
        self.revision += 1
        self.value += step
        self.steps = [*self.steps, Step(self.revision, device, step, self.value)][-STEPS:]

    def push(self, device: int, figure: float, known: int) -> bool:
        """Take a figure as the hub does; returns whether anybody knows what it means."""
        said = self.said.get(device)
        before = counters.had_last(self.value, self.steps, device=device, known=known, said=said)
        if before is None:
            return False
        self.add(device, counters.beside_records(figure, before, self.steps, device))
        self.said[device] = Figure(self.revision, figure)
        return True


MOVES = st.lists(st.tuples(st.integers(1, 3), st.integers(-9, 9), st.integers(0, 9)), max_size=15)


@given(MOVES)
def test_what_phones_counted_without_knowing_each_other_adds_up(moves: list[tuple[int, int, int]]) -> None:
    """Each phone was given the figure at the beginning, counts by itself and with records, and says what it has."""
    counter, has = Counter(), dict.fromkeys((1, 2, 3), BEGAN)
    for device, counted, dispensed in moves:
        has[device] += counted - dispensed
        counter.add(device, -dispensed)
        assert counter.push(device, has[device], known=1)
    assert counter.value == BEGAN + sum(counted - dispensed for _, counted, dispensed in moves)


@given(MOVES, st.integers(1, 3), st.integers(1, 4))
def test_a_figure_that_is_pushed_again_steps_no_further(
    moves: list[tuple[int, int, int]], device: int, times: int
) -> None:
    counter = Counter()
    for other, counted, _ in moves:
        counter.add(other, counted)
    counter.push(device, 80, known=1)
    after = counter.value
    for _ in range(times):
        counter.push(device, 80, known=1)
    assert counter.value == after


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(-9, 9)), max_size=STEPS), st.integers(1, STEPS + 1))
def test_what_a_counter_was_is_found_from_its_steps(steps: list[tuple[int, int]], known: int) -> None:
    counter, values = Counter(), [BEGAN]
    for device, step in steps:
        counter.add(device, step)
        values.append(counter.value)
    was = counters.had(counter.value, counter.steps, known)
    if was is None:
        assert len(steps) == STEPS
        assert known == 1  # the oldest step that is remembered may not be the first one
    else:
        assert was == values[min(known - 1, len(steps))]


def test_a_figure_that_knows_more_than_64_steps_ago_is_not_guessed_at() -> None:
    counter = Counter()
    for _ in range(STEPS + 1):
        counter.add(1, -1)
    assert not counter.push(2, 90, known=1)
    assert counter.value == BEGAN - STEPS - 1


MINE, OTHERS = 1, 2
STEPPED = [Step(2, MINE, -3, 97), Step(4, OTHERS, -5, 92), Step(6, MINE, -1, 91)]
"""From 100: each device's steps, by revision."""


@pytest.mark.parametrize(
    ("known", "said", "had"),
    [
        (3, None, Figure(3, 97)),  # what it was given
        (4, None, Figure(4, 92)),
        (3, Figure(5, 80), Figure(5, 80)),  # what it said since
        (3, Figure(2, 80), Figure(3, 97)),  # what it was given after it said something
        (3, Figure(3, 80), Figure(3, 97)),  # the same moment: it was given what came of what it said
        (0, Figure(1, 80), Figure(1, 80)),  # it was never given anything, and knows what it said
        (0, None, None),  # nobody knows what it had, and somebody else counted too
    ],
)
def test_what_a_device_had_is_what_it_said_last_or_was_given_later(
    known: int, said: Figure | None, had: Figure | None
) -> None:
    assert counters.had_last(91, STEPPED, device=MINE, known=known, said=said) == had


@pytest.mark.parametrize("steps", [[], [step for step in STEPPED if step.device == MINE]])
def test_who_alone_counted_had_what_the_counter_began_with(steps: list[Step]) -> None:
    value = 100 + sum(step.step for step in steps)
    began = steps[0].value - steps[0].step if steps else value
    assert counters.had_last(value, steps, device=MINE, known=0, said=None) == Figure(0, began)


@pytest.mark.parametrize(("since", "beside"), [(0, -6), (1, -6), (2, -9), (5, -9), (6, -10)])
def test_of_a_figure_only_the_devices_own_records_since_are_taken_off(since: int, beside: float) -> None:
    """It had 100 and says 90; its records say 3 at the second revision and 1 at the sixth, those of others 5."""
    assert counters.beside_records(90, Figure(since, 100), STEPPED, MINE) == beside


@pytest.mark.parametrize(
    ("dispensed", "prescribed", "refills", "wanted"),
    [
        (10, 10, 0, False),
        (11, 10, 0, True),
        (30, 10, 2, False),
        (31, 10, 2, True),
        (11, 10, -1, True),
        (5, 0, 2, False),
    ],
)
def test_beyond_a_prescription_is_more_than_it_and_its_refills_hold(
    dispensed: int, prescribed: int, refills: int, *, wanted: bool
) -> None:
    """An item of which nobody says how much was prescribed has no end."""
    said = {"quantity_dispensed": dispensed, "quantity_prescribed": prescribed, "refills_authorized": refills}
    item = codec.build(TABLES["prescription_items"], {"id": "i", **said})
    assert counters.is_beyond("prescription_items", item) is wanted


def test_stock_below_zero_is_more_than_there_was() -> None:
    batches = [codec.build(TABLES["clinic_inventory"], {"id": "b", "quantity_available": left}) for left in (0, -1)]
    assert [counters.is_beyond("clinic_inventory", batch) for batch in batches] == [False, True]
