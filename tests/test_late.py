"""A library that is imported at its first use."""

import sys

import pytest

from hub.late import Late


def test_a_late_module_is_imported_when_something_in_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    colorsys = Late("colorsys")
    assert "colorsys" not in sys.modules
    assert colorsys.rgb_to_hls(1, 1, 1) == (0, 1, 0)


def test_what_is_not_in_a_late_module_is_missed_as_in_any() -> None:
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = Late("colorsys").no_such_thing
