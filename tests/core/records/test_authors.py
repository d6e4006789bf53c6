"""Whose rights a pushed record is judged by (S5)."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from hub.core.records import authors, codec
from hub.core.records.authors import SignIn, Span
from hub.core.records.tables import TABLES

NOW = 1000
SPAN = Span(90, NOW)
ANNA, BEN, AGAIN = SignIn("anna", "provider", 100), SignIn("ben", "provider", 200), SignIn("anna", "provider", 300)
EVENTS, ATTRIBUTES = TABLES["events"], TABLES["patient_additional_attributes"]


def event(author: str, created_at: float) -> codec.Record:
    return codec.build(EVENTS, {"id": "e", "recorded_by_user_id": author, "created_at": created_at})


def test_who_is_named_answers_alone_if_they_signed_in_on_this_phone() -> None:
    counts, others = authors.of_new(EVENTS, event("anna", 250), "ben", [ANNA, BEN], SPAN)
    assert (counts, [(each.sign_in.user_id, each.at_ms) for each in others]) == (False, [("anna", 250)])


def test_who_is_named_and_never_signed_in_here_counts_for_nothing() -> None:
    counts, others = authors.of_new(EVENTS, event("somebody", 250), "ben", [ANNA, BEN], SPAN)
    assert counts
    assert {each.sign_in.user_id for each in others} == {"ben"}


def test_where_nobody_is_named_who_was_signed_in_then_may_answer_too() -> None:
    attribute = codec.build(ATTRIBUTES, {"id": "a", "created_at": 150})
    counts, others = authors.of_new(ATTRIBUTES, attribute, "ben", [ANNA, BEN, AGAIN], SPAN)
    assert counts
    assert [each.sign_in.user_id for each in others] == ["ben", "anna"]


def test_a_time_to_come_says_nothing_so_the_earliest_counts_at_which_it_can_have_been_entered() -> None:
    for since, at in ((250, 250), (90, 100), (inf, NOW)):
        _, [judged] = authors.of_new(EVENTS, event("anna", NOW + 1), "anna", [ANNA], Span(since, NOW))
        assert judged == (ANNA, at)


moments = st.one_of(st.none(), st.floats(allow_nan=False), st.integers(-(2**62), 2**62))


@given(moments, st.lists(st.sampled_from([ANNA, BEN, AGAIN])), st.sampled_from(["anna", "ben", "", "x"]))
def test_whatever_a_phone_says_only_its_people_answer_and_only_for_the_time_since_they_came(
    said: float | None, sign_ins: list[SignIn], claimed: str
) -> None:
    record = event(claimed, 1)
    record = codec.Record(type(record.row)(**{**record.values(), "created_at": said or 0}), {})
    counts, others = authors.of_new(EVENTS, record, "ben", sign_ins, SPAN)
    assert counts or others
    for each in others:
        assert each.sign_in in sign_ins
        assert min(one.issued_ms for one in sign_ins if one.user_id == each.sign_in.user_id) <= each.at_ms <= NOW
