"""The button, on the clock of the test."""

import pytest

from hub.services.lights.press import DEBOUNCE_MS, HOLD_MS, SHORT_MS, Event, Press

TICK_MS = 10


def play(*parts: tuple[bool, int]) -> list[tuple[int, Event]]:
    """Hold and let go for so long each, after a second of rest; returns what was understood, and when."""
    press, now_ms, heard = Press(), 0, []
    for is_down, length_ms in ((False, 1000), *parts):
        for _ in range(length_ms // TICK_MS):
            event = press.hear(now_ms, is_down=is_down)
            if event:
                heard.append((now_ms, event))
            now_ms += TICK_MS
    return heard


def test_a_press_counts_once_when_it_is_let_go() -> None:
    assert play((True, 300), (False, 500)) == [(1300 + DEBOUNCE_MS, Event.SHORT)]


def test_two_presses_are_two() -> None:
    assert [event for _, event in play((True, 200), (False, 200), (True, 200), (False, 200))] == [Event.SHORT] * 2


def test_a_bouncing_contact_is_one_press() -> None:
    bounce = [(True, 10), (False, 10)] * 4
    assert [event for _, event in play(*bounce, (True, 300), *bounce, (False, 300))] == [Event.SHORT]


def test_a_spark_is_no_press() -> None:
    assert play((True, DEBOUNCE_MS - TICK_MS), (False, 500)) == []


def test_holding_to_the_end_counts_once_and_before_it_is_let_go() -> None:
    [(at_ms, event)] = play((True, 3 * HOLD_MS), (False, 500))
    assert event is Event.HELD
    assert at_ms == 1000 + HOLD_MS


@pytest.mark.parametrize("length_ms", [SHORT_MS, HOLD_MS // 2, HOLD_MS - 2 * TICK_MS])
def test_who_lets_go_before_the_end_has_done_nothing(length_ms: int) -> None:
    assert play((True, length_ms), (False, 500)) == []


def test_a_button_that_is_jammed_from_the_start_does_nothing() -> None:
    press = Press()
    assert not any(press.hear(now_ms, is_down=True) for now_ms in range(0, 4 * HOLD_MS, TICK_MS))


def test_how_long_it_is_held_can_be_shown() -> None:
    press = Press()
    for now_ms in range(0, 1000, TICK_MS):
        press.hear(now_ms, is_down=False)
    for now_ms in range(1000, 4000, TICK_MS):
        press.hear(now_ms, is_down=True)
    assert press.held_ms(4000) == 3000
