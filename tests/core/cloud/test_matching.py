"""Tests which users and clinics made here are taken for which of the cloud's."""

import pytest

from hub.core.cloud.matching import Pair, check_by_hand, pairs, same_clinics
from hub.core.errors import OperatorError


def test_clinics_of_one_name_are_the_same_however_it_is_written() -> None:
    found = same_clinics({"h1": " Al  NOOR", "h2": "Third"}, {"c1": "Al Noor", "c2": "Fourth"}, {})
    assert found == {"h1": "c1"}


def test_the_only_clinic_here_is_the_only_one_there_whatever_they_are_called() -> None:
    assert same_clinics({"h1": "Ours"}, {"c1": "Theirs"}, {}) == {"h1": "c1"}
    assert same_clinics({"h1": "Ours", "h2": "Other"}, {"c1": "Theirs"}, {}) == {}
    assert same_clinics({"h1": "Ours"}, {"c1": "Theirs", "c2": "More"}, {}) == {}


def test_a_clinic_whose_name_has_not_come_yet_is_not_guessed() -> None:
    assert same_clinics({"h1": "Ours"}, {"c1": ""}, {}) == {}


def test_a_clinic_is_matched_once() -> None:
    assert same_clinics({"h1": "Al Noor"}, {"c1": "Al Noor"}, {"h1": "c1"}) == {}


def test_those_that_are_one_stand_side_by_side() -> None:
    found = pairs({"h1": "Ours", "h2": "Alone"}, {"c1": "Theirs", "c2": "Far"}, {"h1": "c1"})
    assert found == [
        Pair("h1", "Ours", "c1", "Theirs"),
        Pair("h2", "Alone", None, None),
        Pair(None, None, "c2", "Far"),
    ]


@pytest.mark.parametrize(
    ("own", "theirs", "why"),
    [
        ("c1", "c1", "added on this hub"),
        ("h1", "c2", "h1 is already matched with c1"),
        ("h2", "h1", "came from the cloud"),
        ("h2", "nowhere", "came from the cloud"),
    ],
)
def test_only_what_waits_is_matched_by_hand_and_only_with_what_the_cloud_has(own: str, theirs: str, why: str) -> None:
    found = pairs({"h1": "Ours", "h2": "Alone"}, {"c1": "Theirs", "c2": "Far"}, {"h1": "c1"})
    with pytest.raises(OperatorError, match=why):
        check_by_hand(found, own, theirs, "clinic")
    check_by_hand(found, "h2", "c2", "clinic")
