"""Which session of a phone ends when it has too many (S3, S10)."""

from hypothesis import given
from hypothesis import strategies as st

from hub.core.phone.session_room import Held, gives_way

HELD = st.builds(Held, st.sampled_from("abc"), st.booleans())


@given(st.lists(HELD, min_size=1, max_size=12))
def test_whatever_comes_from_where_the_phone_was_never_heard_gives_way_first(held: list[Held]) -> None:
    gone = held[gives_way(held)]
    heard = {one.address for one in held if one.is_proven}
    strangers = [one for one in held if one.address not in heard]
    assert gone.address not in heard or not strangers
    if strangers:
        counts = [sum(one.address == address for one in strangers) for address in {one.address for one in strangers}]
        assert sum(one.address == gone.address for one in strangers) == max(counts)


@given(st.lists(HELD, min_size=1, max_size=12))
def test_a_call_that_is_still_to_come_from_the_phones_own_place_gives_way_last(held: list[Held]) -> None:
    heard = {one.address for one in held if one.is_proven}
    if heard and held[gives_way(held)].address in heard:
        assert held[gives_way(held)].is_proven


def test_what_is_done_with_goes_before_all_others() -> None:
    held = [Held("flood", is_proven=False), Held("a", is_proven=True), Held("a", is_proven=True, is_idle=True)]
    assert gives_way(held) == 2


def test_before_a_phone_was_heard_the_oldest_of_a_flood_goes() -> None:
    held = [Held("phone", is_proven=False), Held("flood", is_proven=False), Held("flood", is_proven=False)]
    assert gives_way(held) == 1
