"""Counters are sums of steps: whichever phone says its figure first, and however often, the sum is the same (P12)."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from hub.core.records import counters
from hub.core.records.counters import STEPS, Figure, Step

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
