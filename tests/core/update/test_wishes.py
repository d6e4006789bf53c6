import pytest

from hub.core.update import wishes
from hub.core.update.refusal import Refusal
from hub.core.update.wishes import Found, Source


def found(version: str | None, refused: str = "") -> Found:
    return Found(source=Source.STICK, version=version, refused=refused)


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ([], None),
        ([found("1.2.0"), found("1.10.0"), found("1.9.0")], "1.10.0"),
        ([found("9.0.0", "stranger"), found("1.3.0")], "1.3.0"),
        ([found("1.3.0"), found("9.0.0", "stranger")], "1.3.0"),
        ([found(None, "not_an_update"), found(None, "stranger")], None),
    ],
)
def test_of_several_the_newest_that_fits_is_meant(there: list[Found], chosen: str | None) -> None:
    best = wishes.best(there)
    assert (best.version if best else None) == chosen


def test_where_none_fits_the_first_says_why() -> None:
    best = wishes.best([found(None, "damaged"), found(None, "stranger")])
    assert best is not None
    assert best.refusal is Refusal.DAMAGED
