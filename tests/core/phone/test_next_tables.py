"""Which phone takes which table of a later app: those that it sent, and no other."""

from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import FrozenBitMap

from hub.core.phone.open_ledger import OpenLedger
from hub.core.phone.sheets import Head, Sheet
from hub.core.records.tables import NEXT_NAMES

NUMS = st.frozensets(st.integers(1, 12))
SUBSETS = st.frozensets(st.sampled_from(sorted(NEXT_NAMES)))


@st.composite
def ledgers(draw: st.DrawFn) -> OpenLedger:
    """Draw a ledger in any state, with some of every next table and of two others."""
    sheets = {}
    for name in (*NEXT_NAMES, "clinics", "visits"):
        due, has, unsure, failed = (FrozenBitMap(draw(NUMS)) for _ in range(4))
        sheets[name] = Sheet(due=due, has=has, unsure=unsure, failed=failed)
    return OpenLedger(
        device=1,
        cursor=draw(st.sampled_from([0.0, 5.0, 1e18])),
        head=Head(attempts=draw(st.integers(0, 4)), asked=draw(st.integers(0, 3))),
        sheets=sheets,
        outdated={},
        stored=sheets,
        starts_over=draw(st.booleans()),
        is_met_anew=draw(st.booleans()),
        is_doubtful=draw(st.booleans()),
        rests=draw(st.booleans()),
        takes=draw(SUBSETS),
    )


@settings(max_examples=40)
@given(ledgers(), st.one_of(st.none(), st.integers(0, 5)))
def test_a_phone_is_offered_nothing_of_a_table_that_it_never_sent(ledger: OpenLedger, suspects: int | None) -> None:
    offered = ledger.offered(suspects=suspects)
    assert not any(offered[name].due for name in NEXT_NAMES - ledger.takes)


@settings(max_examples=40)
@given(ledgers(), SUBSETS)
def test_what_waits_for_a_table_is_neither_behind_nor_in_doubt(ledger: OpenLedger, others: frozenset[str]) -> None:
    waiting = NEXT_NAMES - ledger.takes - others
    emptied = {name: Sheet() if name in waiting else sheet for name, sheet in ledger.sheets.items()}
    without = OpenLedger(
        device=1,
        cursor=0,
        head=ledger.head,
        sheets=emptied,
        outdated={},
        stored=emptied,
        starts_over=False,
        takes=ledger.takes,
    )
    assert (ledger.behind(), ledger.unsure()) == (without.behind(), without.unsure())


@settings(max_examples=40)
@given(ledgers())
def test_a_table_that_a_phone_sent_is_like_any_other(ledger: OpenLedger) -> None:
    certain = ledger.offered()
    for name in ledger.takes:
        sheet = ledger.sheets[name]
        assert certain[name].due == (sheet.due & sheet.has if ledger.rests else sheet.due - sheet.unsure)
