"""The setup makes a new device the spare of other hubs, shows what it keeps, and ends it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.people import setup
from hub.core.copy import join_code
from hub.services.copy import shelf
from hub.services.copy import stick as sticks
from hub.services.copy.stick import Mark
from tests.web.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return the pages of a new hub, for whoever knows its setup code."""
    with Site(tmp_path / "new") as made:
        made.submit("/setup/code", {"code": setup.code(made.store) or ""}, page="/setup")
        yield made


def data(site: Site) -> Path:
    return site.store.path.parent


def begin(site: Site) -> None:
    site.submit("/setup/spare", {}, page="/setup?step=spare")


def test_a_new_device_becomes_a_spare_and_shows_its_code_and_what_it_keeps(site: Site) -> None:
    assert 'href="/setup?step=spare"' in site.get("/setup").text
    begin(site)
    key = shelf.key(data(site))
    assert key is not None
    shown = site.get("/setup?step=spare").text
    code = join_code.parse("hikma-spare:" + shown.split("hikma-spare:")[1].split("<")[0])
    assert code.token == key.token
    assert "None yet." in shown
    sticks.begin(data(site) / shelf.SPARE, Mark(id="1" * 8, hub_id="hub", hub_name="Ward 7", epoch=0, salt=bytes(16)))
    shown = site.get("/setup?step=spare").text
    assert "Ward 7" in shown
    assert "not complete yet" in shown


def test_it_ends_at_once_and_the_copies_stay_until_they_are_deleted(site: Site) -> None:
    begin(site)
    sticks.begin(data(site) / shelf.SPARE, Mark(id="1" * 8, hub_id="hub", hub_name="Ward 7", epoch=0, salt=bytes(16)))
    site.submit("/setup/spare/end", {}, page="/setup?step=spare")
    assert not shelf.is_spare(data(site))
    assert [one.mark.hub_name for one in shelf.copies(data(site))] == ["Ward 7"]
    assert "Ward 7" in site.get("/setup?step=spare").text
    site.submit("/setup/spare/end", {"delete": "1"}, page="/setup?step=spare")
    assert not (data(site) / shelf.SPARE).exists()


def test_only_who_sets_the_device_up_makes_a_spare_of_it(site: Site) -> None:
    with site.stranger():
        begin(site)
        assert "Ward" not in site.get("/setup?step=spare").text
    assert not shelf.is_spare(data(site))
    begin(site)
    site.set_up()
    site.submit("/setup/spare/end", {"delete": "1"}, page="/sign-in")
    assert shelf.is_spare(data(site))
