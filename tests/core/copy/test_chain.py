"""Which entries of a copy journal count: nothing missing goes unseen, and nothing counted is missing."""

from hypothesis import given
from hypothesis import strategies as st

from hub.core.copy.chain import Span, chain


def test_entries_without_a_gap_count_in_their_order() -> None:
    found = chain(10, [Span(11, 11), Span(12, 15), Span(16, 16)])
    assert found == ((0, 1, 2), 16, False)


def test_what_the_backup_has_already_is_left_out() -> None:
    assert chain(12, [Span(11, 11), Span(12, 12), Span(13, 13)]) == ((2,), 13, False)


def test_an_entry_that_reaches_over_the_backup_counts() -> None:
    assert chain(12, [Span(10, 14)]) == ((0,), 14, False)


def test_a_transaction_that_was_never_committed_gives_way_to_the_one_with_its_number() -> None:
    assert chain(10, [Span(11, 11), Span(12, 12), Span(12, 12), Span(13, 13)]) == ((0, 2, 3), 13, False)


def test_an_entry_that_begins_within_another_leaves_what_that_alone_covers() -> None:
    assert chain(10, [Span(11, 14), Span(14, 16)]) == ((0, 1), 16, False)


def test_a_gap_ends_what_can_be_rebuilt_and_is_said() -> None:
    assert chain(10, [Span(11, 11), Span(13, 13), Span(14, 14)]) == ((0,), 11, True)


def test_an_entry_that_covers_the_gap_closes_it() -> None:
    assert chain(10, [Span(11, 11), Span(13, 13), Span(12, 14)]) == ((0, 2), 14, False)


@given(st.integers(0, 5), st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)).map(lambda s: Span(s[0], sum(s)))))
def test_what_counts_covers_everything_up_to_where_it_reaches(base: int, spans: list[Span]) -> None:
    found = chain(base, spans)
    covered = {seq for place in found.counted for seq in range(spans[place].first, spans[place].last + 1)}
    assert covered >= set(range(base + 1, found.reach + 1))
    assert list(found.counted) == sorted(found.counted)
