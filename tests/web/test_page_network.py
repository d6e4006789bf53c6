"""The page of the Wi-Fi leaves a wish, and tells how the last one went."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub.core.wifi import Attempt, End, Join, Networks, Offer, Wish
from hub.settings import Settings
from hub.settings.tree import BoxSettings
from tests.web.site import Site


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "told.json"


@pytest.fixture
def site(tmp_path: Path, told: Path) -> Iterator[Site]:
    """Return the pages of a hub whose networks can be changed, for its administrator."""
    box = BoxSettings(network_wish=str(tmp_path / "wish"), network_told=str(told))
    with Site(tmp_path / "data", settings=Settings(box=box)) as made:
        made.set_up()
        made.sign_in()
        yield made


def wished(told: Path) -> Wish | None:
    path = told.with_name("wish")
    return msgspec.json.decode(path.read_bytes(), type=Wish) if path.exists() else None


def test_a_wish_is_left_for_who_may_grant_it_and_the_log_has_no_password(site: Site, told: Path) -> None:
    given = {"name": " Clinic ", "password": "the router's secret", "hidden": "on"}
    assert site.submit("/network/join", given, page="/network").headers["location"] == "/network"
    assert wished(told) == Join("Clinic", "the router's secret", hidden=True)
    assert told.with_name("wish").stat().st_mode & 0o777 == 0o600
    assert "begins in a moment" in site.get("/network").text
    assert "secret" not in site.get("/log").text
    assert "The Wi-Fi was to be changed to Clinic" in site.get("/log").text


def test_its_own_network_is_asked_for(site: Site, told: Path) -> None:
    given = {"name": "Ward 7", "password": "come in please", "when": "always"}
    site.submit("/network/offer", given, page="/network")
    assert wished(told) == Offer("Ward 7", "come in please", "always")


@pytest.mark.parametrize(
    ("action", "given", "said"),
    [
        ("join", {"name": "x" * 33, "password": "long enough"}, "1 to 32 letters"),
        ("join", {"name": "Clinic", "password": "short"}, "8 to 63 letters"),
        ("offer", {"name": "Clinic", "password": ""}, "8 to 63 letters"),
    ],
)
def test_what_no_network_can_have_is_told_and_what_was_typed_stays(
    site: Site, told: Path, action: str, given: dict[str, str], said: str
) -> None:
    answer = site.submit(f"/network/{action}", given, page="/network")
    assert answer.status_code == 400
    assert said in answer.text
    assert f'value="{given["name"]}"' in answer.text
    assert wished(told) is None


def test_while_one_is_tried_nobody_asks_for_another(site: Site, told: Path) -> None:
    told.write_bytes(msgspec.json.encode(Networks(trying="Clinic")))
    shown = site.get("/network").text
    assert "The hub is trying Clinic." in shown
    assert "/network/join" not in shown
    site.submit("/network/join", {"name": "Other", "password": "long enough"}, page="/box")
    assert wished(told) is None


@pytest.mark.parametrize("end", End)
def test_how_it_went_is_told_with_the_reason(site: Site, told: Path, end: End) -> None:
    last = Attempt("Clinic", is_own=False, end=end, now_on="Old router")
    told.write_bytes(msgspec.json.encode(Networks(known=("Old router",), last=last)))
    shown = site.get("/network").text
    assert "Clinic" in shown
    assert ("It is on Old router again." in shown) is (end is not End.DONE)


def test_only_an_administrator_sees_it_and_only_where_the_machine_can_do_it(site: Site, told: Path) -> None:
    with site.stranger():
        site.submit("/network/join", {"name": "Clinic", "password": "long enough"}, page="/sign-in")
        assert site.get("/network").status_code != 200
    assert wished(told) is None
    assert 'href="/network"' in site.get("/box").text


def test_a_hub_on_another_machine_has_no_such_page(tmp_path: Path) -> None:
    with Site(tmp_path / "plain") as plain:
        plain.set_up()
        plain.sign_in()
        assert plain.get("/network").status_code == 404
        assert 'href="/network"' not in plain.get("/box").text
