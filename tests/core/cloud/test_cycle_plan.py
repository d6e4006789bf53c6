"""When the next cycle is due: soon where it helps, never against the cloud's wish."""

import math

from hypothesis import given
from hypothesis import strategies as st

from hub.core.cloud.cycle_plan import LOOK_AGAIN_S, PATIENCE_S, QUIET_S, CyclePlan

IDLE = CyclePlan().begun().ended(0, wait_s=300)
CHANGES = st.sampled_from(["pushed", "line", "rules", "begun"])


def test_the_first_cycle_is_due_at_once_and_the_next_after_its_time() -> None:
    assert CyclePlan().due_s == -math.inf
    assert IDLE.due_s == 300


def test_what_a_phone_pushes_goes_when_it_has_been_quiet_for_a_moment() -> None:
    assert IDLE.pushed(10).due_s == 10 + QUIET_S
    assert IDLE.pushed(10).pushed(12).due_s == 12 + QUIET_S


def test_a_clinic_that_is_never_quiet_is_relayed_all_the_same() -> None:
    plan = IDLE
    for second in range(10, 60):
        plan = plan.pushed(second)
    assert plan.due_s == 10 + PATIENCE_S


def test_what_a_cycle_carried_is_no_reason_for_another() -> None:
    assert IDLE.pushed(10).begun().ended(20, wait_s=300).due_s == 320


def test_what_came_during_a_cycle_is_a_reason_for_another() -> None:
    assert IDLE.begun().pushed(18).ended(20, wait_s=300).due_s == 18 + QUIET_S


def test_a_line_that_comes_up_is_used_at_once() -> None:
    plan = IDLE.ended(0, wait_s=3600, is_firm=True, awaits_line=True)
    assert plan.pushed(10).due_s == 3600
    assert plan.pushed(10).line_came_up(12).due_s == 12


def test_a_shorter_time_between_two_cycles_ends_a_longer_wait() -> None:
    assert IDLE.ended(0, wait_s=86_400).rules_changed(10, usual_s=60).due_s == 70
    assert IDLE.rules_changed(10, usual_s=86_400).due_s == 300


def test_new_rules_end_the_wait_that_the_old_ones_asked_for() -> None:
    plan = IDLE.pushed(10).postponed(300)
    assert plan.due_s == 300 + LOOK_AGAIN_S
    assert plan.rules_changed(310, usual_s=300).due_s == 310


@given(st.lists(st.tuples(CHANGES, st.integers(1, 58)), max_size=30), st.sampled_from([IDLE, IDLE.pushed(-1)]))
def test_a_wait_that_the_cloud_asked_for_is_kept_whatever_happens(
    changes: list[tuple[str, int]], before: CyclePlan
) -> None:
    plan = before.ended(0, wait_s=59, is_firm=True)
    for what, now_s in sorted(changes, key=lambda change: change[1]):
        match what:
            case "pushed":
                plan = plan.pushed(now_s)
            case "line":
                plan = plan.line_came_up(now_s)
            case "rules":
                plan = plan.rules_changed(now_s, 1)
            case _:
                plan = plan.begun()
    assert plan.due_s == 59


@given(st.lists(st.integers(0, 299), min_size=1, max_size=40).map(sorted))
def test_no_push_waits_longer_than_patience_and_none_delays_the_usual_cycle(pushes: list[int]) -> None:
    plan = IDLE
    for now_s in pushes:
        if plan.due_s <= now_s:
            break
        plan = plan.pushed(now_s)
    assert plan.due_s <= min(300, pushes[0] + PATIENCE_S)
