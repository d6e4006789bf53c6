"""Samples get their true times afterwards, whatever the clocks of the hub did."""

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.core.clock import Heard
from hub.core.fleet import sample_time
from hub.core.fleet.sample_time import Anchor, ClockQuality, Moment, Placed, place

HOUR = 3_600_000
DAY = 24 * HOUR
BEGUN = 1_800_000_000_000


@dataclass
class Box:
    """A box whose true time we know: hub time stands still while it is off, its wall clock is what it is."""

    true: int = BEGUN
    hub: int = BEGUN - 5 * DAY
    run: int = BEGUN - 5 * DAY
    wall_off: int = 0
    heard: Heard | None = None
    moments: list[Moment] = field(default_factory=list)
    truths: list[int] = field(default_factory=list)

    def on(self, ms: int) -> "Box":
        """Let it run."""
        self.true += ms
        self.hub += ms
        return self

    def off(self, ms: int, *, wall_off: int | None = None) -> "Box":
        """Take its power away, which moves its wall clock by as much unless it is said otherwise."""
        self.true += ms
        self.wall_off = self.wall_off - ms if wall_off is None else wall_off
        self.run = self.hub
        return self

    def hear(self) -> "Box":
        """Let the cloud tell the time."""
        self.heard = Heard(self.true, self.true + self.wall_off, self.hub)
        return self

    def sample(self) -> "Box":
        """Take a sample."""
        wall = self.true + self.wall_off
        self.moments.append(sample_time.moment(hub_ms=self.hub, run_ms=self.run, wall_ms=wall, heard=self.heard))
        self.truths.append(self.true)
        return self

    def placed(self, before: Placed | None = None) -> list[Placed]:
        """Give all their times now."""
        return place(self.moments, Anchor(self.true, self.hub, self.run), before)


def times(placed: list[Placed]) -> list[int]:
    return [one.true_ms for one in placed]


def qualities(placed: list[Placed]) -> list[str]:
    return [str(one.clock) for one in placed]


def test_in_the_run_of_the_machine_in_which_it_reports_every_time_is_exact() -> None:
    box = Box(wall_off=-9 * DAY).sample().on(HOUR).sample().on(HOUR)
    assert times(box.placed()) == box.truths
    assert qualities(box.placed()) == ["exact", "exact"]


def test_one_word_from_outside_makes_the_whole_run_exact_also_what_was_before_it() -> None:
    box = Box(wall_off=-9 * DAY).sample().on(HOUR).hear().sample().on(HOUR).sample().off(3 * DAY).on(HOUR)
    assert times(box.placed()) == box.truths
    assert qualities(box.placed()) == ["exact"] * 3


def test_a_right_wall_clock_is_believed() -> None:
    box = Box().sample().on(HOUR).sample().off(2 * DAY, wall_off=0).sample()
    assert times(box.placed()) == box.truths
    assert qualities(box.placed()) == ["believed", "believed", "exact"]


def test_without_any_clock_a_sample_is_as_early_as_it_can_have_been() -> None:
    box = Box(wall_off=-900 * DAY).on(1000).hear().sample().off(DAY).on(HOUR).sample().off(DAY)
    assert qualities(box.placed()) == ["exact", "reckoned"]
    assert times(box.placed()) == [box.truths[0], box.truths[0] + HOUR]


def test_a_wall_clock_that_runs_ahead_of_what_is_possible_is_not_believed() -> None:
    box = Box(wall_off=40 * DAY).sample().on(HOUR).off(HOUR, wall_off=0).on(HOUR)
    [one] = box.placed()
    assert one.clock is ClockQuality.RECKONED
    assert one.true_ms <= box.true


def test_a_server_whose_clock_went_back_gets_nothing_from_the_future() -> None:
    before = Placed(BEGUN - 6 * DAY, BEGUN + 300 * DAY, ClockQuality.EXACT)
    box = Box().sample().on(HOUR)
    assert times(box.placed(before)) == box.truths


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["on", "off", "hear", "sample", "set"]),
            st.integers(1, 40 * DAY),
            st.integers(-400 * DAY, 400 * DAY),
        ),
        max_size=30,
    )
)
def test_times_rise_stay_in_the_past_and_are_true_where_they_claim_to_be(steps: list[tuple[str, int, int]]) -> None:
    box = Box()
    for what, ms, wall_off in steps:
        match what:
            case "on":
                box.on(ms)
            case "off":
                box.off(ms, wall_off=wall_off)
            case "hear":
                box.hear()
            case "set":
                box.wall_off = wall_off
            case _:
                box.on(1000).sample()
    placed = box.on(1000).placed()
    assert all(one.true_ms <= box.true for one in placed)
    assert all(a.true_ms < b.true_ms for a, b in pairwise(placed))
    assert all(
        one.true_ms == true for one, true in zip(placed, box.truths, strict=True) if one.clock is ClockQuality.EXACT
    )
    assert [one.at_ms for one in placed] == [one.at_ms for one in box.moments]
