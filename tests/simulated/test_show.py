"""The show, with phones on a hub in memory."""

from typing import Any

import click
import pytest

from tests.simulated.fake_hub import LOGIN, QR, SharingHub
from tests.simulator.reference import CLINIC_NAME
from tests.simulator.show import Show
from tests.simulator.staff import STAFF


class FakeCommands:
    """The hub's command line: remembers what it was asked."""

    url = "http://hub.test:4001"

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.clinics: list[dict[str, str]] = [{"id": "clinic-1", "name": "Another"}]
        self.users: list[dict[str, str]] = []

    def do(self, *words: str, stdin: str = "") -> str:
        self.asked.append(words)
        assert ("--password-stdin" in words) is bool(stdin)
        return ""

    def do_json(self, *words: str, stdin: str = "") -> Any:  # noqa: ANN401  as the real one
        self.do(*words, stdin=stdin)
        answers: dict[tuple[str, ...], Any] = {
            ("clinic", "list"): self.clinics,
            ("user", "list"): self.users,
            ("pairing", "show"): QR,
            ("status",): {"sentence": "Everything the phones have sent is safe on this hub."},
        }
        return answers.get(words[:2], {"id": "clinic-9"})


def show_on(hub: SharingHub, commands: FakeCommands) -> Show:
    return Show(commands, phones=3, seed=1, say=click.secho, connect=hub.connect, pause_s=(0.0, 0.01))


@pytest.fixture
def hub() -> SharingHub:
    hub = SharingHub()
    hub.answers["login"] = LOGIN
    return hub


def test_the_show_makes_clinic_staff_and_pairing_by_the_command_line(hub: SharingHub) -> None:
    commands = FakeCommands()
    show_on(hub, commands).prepare()
    assert [words[:2] for words in commands.asked] == [
        ("clinic", "list"),
        ("clinic", "add"),
        ("user", "list"),
        *[("user", "add")] * 3,
        ("pairing", "open"),
        ("pairing", "show"),
    ]
    made = commands.asked[3]
    assert made[made.index("--clinic") + 1] == "clinic-9"
    assert hub.paths[0] == commands.url


def test_a_second_show_on_the_same_hub_goes_on_in_its_clinic(hub: SharingHub) -> None:
    commands = FakeCommands()
    commands.clinics.append({"id": "clinic-7", "name": CLINIC_NAME})
    commands.users.append({"email": STAFF[0].email})
    show_on(hub, commands).prepare()
    assert ("clinic", "add") not in {words[:2] for words in commands.asked}
    added = [words for words in commands.asked if words[:2] == ("user", "add")]
    assert [words[words.index("--clinic") + 1] for words in added] == ["clinic-7"] * 2


def test_the_show_ends_with_all_phones_and_the_hub_alike(hub: SharingHub, capsys: pytest.CaptureFixture[str]) -> None:
    show = show_on(hub, FakeCommands())
    show.prepare()
    show.work(0.2)
    show.settle()
    assert show.summary.same
    assert show.summary.pushed > 0
    told = capsys.readouterr().out
    assert "All 3 phones and the hub hold the same" in told
    assert "Everything the phones have sent is safe on this hub." in told.splitlines()[-1]
    assert "\x1b" not in told


def test_the_show_notices_a_phone_that_holds_something_else(hub: SharingHub) -> None:
    show = show_on(hub, FakeCommands())
    show.prepare()
    show.work(0.1)
    nurse = show._nurses[0]
    patient = next(iter(nurse.phone.store.rows("patients")))
    nurse.phone.delete_locally("patients", str(patient["id"]))
    show.settle()
    assert not show.summary.same
    assert show.summary.differences == 1


def test_the_show_notices_phones_that_cannot_sync(hub: SharingHub) -> None:
    show = show_on(hub, FakeCommands())
    show.prepare()
    hub.plain["sync_push"] = 500, b"{}"
    show.work(0.1)
    show.settle()
    assert not show.summary.same
    assert show.summary.failed > 0


def test_phones_that_find_no_rest_are_not_called_the_same(hub: SharingHub) -> None:
    show = show_on(hub, FakeCommands())
    show.prepare()
    hub.plain["sync_pull"] = 500, b"{}"
    show.settle()
    assert (show.summary.differences, show.summary.same) == (0, False)
