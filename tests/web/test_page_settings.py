"""Settings that are changed on the page: written to the file, in force, told and noted (S6)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.settings import BoxSettings, Settings, load
from hub.store.people import audit
from hub.web.field import FieldKind
from hub.web.pages.settings import CHOICES, GROUPS, LABELS, REASONS
from hub.words import LANGUAGES, words
from tests.mounts import Mount, mount
from tests.web.site import ADMINISTRATOR, Site

__all__ = ["mount"]

TEMPLATE = '# How it is here.\n[pairing]\n#minutes = 10\nmode = "window" # leave it\n'


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path / "data") as site:
        site.set_up()
        site.sign_in()
        yield site


def save(site: Site, language: str = "en", **fields: str) -> tuple[int, str]:
    """Send the form; returns the status, and the page or where it leads."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    answer = site.submit("/settings/change", named, page="/settings", **{"accept-language": language})
    return answer.status_code, answer.headers.get("location", answer.text)


def notes(site: Site) -> list[tuple[str | None, str | None]]:
    with site.store.read() as db:
        return [(entry["detail"], entry["actor"]) for entry in audit.entries(db) if entry["event"] == "setting.changed"]


def control(text: str, name: str) -> str:
    """Return the field of a setting with all that belongs to it."""
    return text.split(f'<label for="{name}"')[1].split("<label", maxsplit=1)[0].split("</form>", maxsplit=1)[0]


def test_a_change_is_in_the_file_and_in_force_and_what_stood_there_stays(inside: Site) -> None:
    inside.file.write_text(TEMPLATE)
    assert save(inside, pairing__minutes="25", pairing__address="name") == (303, "/settings?done=saved")
    assert inside.file.read_text() == TEMPLATE.replace("#minutes = 10", "minutes = 25") + 'address = "name"\n'
    assert "Add phones for the next 25 minutes" in inside.get("/pairing").text
    inside.submit("/pairing/open", {}, page="/pairing")
    assert "hikma-hub.local" in inside.get("/pairing").text
    assert 'value="25"' in control(inside.get("/settings?done=saved").text, "pairing.minutes")


def test_s6_each_change_is_noted_with_its_name_the_old_the_new_and_who(inside: Site) -> None:
    save(inside, web__idle_minutes="30", web__show_lights="true")
    who = f"administrator:{ADMINISTRATOR}"
    assert notes(inside) == [("web.show_lights: false -> true", who), ("web.idle_minutes: 15 -> 30", who)]
    assert "Setting changed: Sign out of this page after (idle minutes): from 15 to 30" in inside.get("/log").text


def test_what_is_the_same_is_not_written(inside: Site) -> None:
    assert save(inside, pairing__minutes="10", pairing__address="ip") == (303, "/settings?done=same")
    assert not inside.file.exists()
    assert notes(inside) == []


def test_what_needs_a_restart_is_told_until_there_was_one(inside: Site) -> None:
    save(inside, log__level="debug")
    text = inside.get("/settings").text
    assert "Some changes take effect after a restart." in text
    assert "takes effect after a restart" in control(text, "log.level")
    assert "takes effect after a restart" not in control(text, "pairing.minutes")
    assert inside.live.settings.log.level == "info"
    assert load(inside.file, {}).log.level == "debug"


def test_the_button_that_restarts_is_there_where_the_box_has_one(tmp_path: Path) -> None:
    with Site(tmp_path / "data", settings=Settings(box=BoxSettings(restart_command="true"))) as site:
        site.set_up()
        site.sign_in()
        assert 'action="/box/restart"' not in site.get("/settings").text
        save(site, log__level="debug")
        assert 'action="/box/restart"' in site.get("/settings").text


@pytest.mark.parametrize("code", LANGUAGES)
def test_an_error_is_told_beside_its_field_and_nothing_is_changed(inside: Site, code: str) -> None:
    status, text = save(inside, code, pairing__minutes="999", pairing__address="name")
    spoken = words(code)
    assert status == 400
    beside = control(text, "pairing.minutes")
    said = spoken.say("Enter a whole number from {low} to {high}.", low=spoken.number(1), high=spoken.number(240))
    assert said in beside
    assert 'value="999"' in beside
    assert 'aria-invalid="true" aria-describedby="wrong-pairing.minutes"' in beside
    assert said not in control(text, "pairing.address")
    assert not inside.file.exists()
    assert notes(inside) == []


@pytest.mark.parametrize("given", ["", "ten", "1.5", "-1", "0", "1e3", "9" * 5000, "١٢"])
def test_what_is_no_number_in_bounds_is_refused(inside: Site, given: str) -> None:
    assert save(inside, pairing__minutes=given)[0] == 400
    assert not inside.file.exists()


@pytest.mark.parametrize(
    "name", ["pairing.mode", "web.plain_sign_in", "box.restart_command", "server.port", "hub.name", "no.such", "x"]
)
def test_what_is_not_open_to_the_page_cannot_be_changed_by_a_forged_form(inside: Site, name: str) -> None:
    assert inside.submit("/settings/change", {name: "true"}, page="/settings").status_code == 400
    assert not inside.file.exists()
    assert f'name="{name}"' not in inside.get("/settings").text or name == "hub.name"


def test_a_variable_wins_and_its_field_says_so(tmp_path: Path) -> None:
    environ = {"HIKMA_HUB_PAIRING_MINUTES": "7"}
    with Site(tmp_path / "data", settings=load(None, environ), environ=environ) as site:
        site.set_up()
        site.sign_in()
        beside = control(site.get("/settings").text, "pairing.minutes")
        assert re.search(r'value="7"[^>]* disabled', beside)
        assert "HIKMA_HUB_PAIRING_MINUTES" in beside
        assert save(site, pairing__minutes="8")[0] == 400
        assert save(site, pairing__address="name")[0] == 303


def test_a_file_that_cannot_be_written_is_told_and_its_fields_are_locked(mount: Mount) -> None:
    folder = mount.path / "settings"
    folder.mkdir()
    with Site(mount.path.parent / "data", file=folder / "hub.toml") as site:
        site.set_up()
        site.sign_in()
        mount.fill()
        status, text = save(site, pairing__minutes="25")
        assert (status, "could not write its settings file" in text) == (400, True)
        mount.read_only()
        text = site.get("/settings").text
        assert "The hub cannot write its settings file" in text
        assert "disabled" in control(text, "pairing.minutes")
        assert 'action="/settings/name"' in text
        assert save(site, pairing__minutes="25")[0] == 400
    assert notes_in(site) == []


def notes_in(site: Site) -> list[str]:
    """Look into a database that was closed."""
    again = Site(site.store.path.parent)
    found = [str(detail) for detail, _ in notes(again)]
    again.store.close()
    return found


def test_a_broken_file_is_told_with_its_line_and_left_alone(inside: Site) -> None:
    inside.file.write_text("[pairing]\nminuts = 5\n")
    text = inside.get("/settings").text
    assert "line 2: there is no setting minuts in [pairing]; did you mean minutes?" in text
    assert "disabled" in control(text, "pairing.minutes")
    assert save(inside, pairing__minutes="25")[0] == 400
    assert inside.file.read_text() == "[pairing]\nminuts = 5\n"


def test_what_a_technician_changed_in_the_file_is_shown_as_waiting(inside: Site) -> None:
    inside.file.write_text("[pairing]\nminutes = 33\n")
    beside = control(inside.get("/settings").text, "pairing.minutes")
    assert 'value="33"' in beside
    assert "takes effect after a restart" in beside


def test_the_rest_is_shown_with_the_reason_and_marked_where_it_is_not_the_usual(inside: Site) -> None:
    inside.file.write_text('[pairing]\nmode = "open"\n')
    text = inside.get("/settings").text.replace("<wbr>", "")
    changed = [part for part in text.split("<div") if 'class="changed"' in part]
    assert len(changed) == 1
    assert "pairing.mode" in changed[0]
    assert "These protect the hub" in text.split("pairing.mode")[0]


def test_the_language_is_for_whoever_asks_for_no_other(inside: Site) -> None:
    save(inside, hub__language="ar")
    assert 'lang="ar"' in inside.get("/", **{"accept-language": "de"}).text
    assert 'lang="es"' in inside.get("/", **{"accept-language": "es"}).text
    assert 'lang="ar"' in inside.get("/no-such-page", **{"accept-language": "de"}).text


def test_every_setting_that_is_open_has_its_place_and_its_name_on_the_page(inside: Site) -> None:
    fields = [field for field in inside.live.listed().fields if field.is_open]
    assert sorted(field.name for field in fields) == sorted(name for names in GROUPS.values() for name in names)
    text = inside.get("/settings").text
    for field in fields:
        assert f'<label for="{field.name}">{LABELS[field.name]}</label>' in text
        assert field.kind is not FieldKind.TEXT
        for choice in field.choices if field.kind is FieldKind.CHOICE else ():
            assert choice in CHOICES.get(field.name, LANGUAGES)
    assert {field.change for field in inside.live.listed().fields} <= {*REASONS, "now", "restart", "named"}
