"""hikma-hub discover; that it finds hubs is a journey."""

import pytest

from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ifaddr.get_adapters", list)


def test_a_machine_on_no_network_hears_nothing_and_says_so(run: Run) -> None:
    assert "No hubs were found" in run("discover", "--seconds", "0.5").out
    assert run("discover", "--seconds", "0.5", "--json").json == []


@pytest.mark.parametrize("seconds", ["0", "61", "x"])
def test_listening_for_no_time_or_for_ever_is_refused(run: Run, seconds: str) -> None:
    assert run("discover", "--seconds", seconds).status == 2
