"""What the pages say and do, and to whom."""

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.actions.box import facts
from hub.actions.cloud import cycles, link, matching
from hub.actions.phones import access, pairing, refusals
from hub.actions.phones.refusals import UNKNOWN, Refusal, RefusalReason
from hub.core.cloud.link import Link
from hub.core.phone.device import DeviceState
from hub.services.discovery import adapters
from hub.services.machine.switch import Switch
from hub.store.box import counters
from hub.store.people import audit, users
from hub.store.phones import callers, devices, reached
from tests.hubs import EMAIL, InProcessHub, add_clinic, changes, new_store, row
from tests.simulator.phone import Phone
from tests.web.site import ADMINISTRATOR, Site

PATIENT = "Amina-Zahra"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    prepared = InProcessHub(tmp_path / "data")
    prepared.client().push(changes("patients", created=[row("patients", "p", given_name=PATIENT), {"id": 7}]))
    prepared.close()
    with Site(tmp_path / "data") as made:
        made.set_up()
        yield made


@pytest.fixture
def inside(site: Site) -> Site:
    site.sign_in()
    return site


def test_anyone_is_told_the_state_and_nothing_of_people(site: Site) -> None:
    text = site.get("/").text
    assert "1 record needs checking" in text
    for secret in (PATIENT, EMAIL, "amal", "Phone 1", "quarantine/"):
        assert secret not in text


@pytest.mark.parametrize("path", ["/phones", "/pairing", "/cloud", "/quarantine", "/box", "/people", "/settings"])
def test_no_page_shows_what_is_in_a_record(inside: Site, path: str) -> None:
    assert PATIENT not in inside.get(path).text


def test_who_is_signed_in_sees_how_many_patients_visits_and_forms_there_are(site: Site) -> None:
    assert "<dt>Patients</dt>" not in site.get("/").text
    site.sign_in()
    assert (
        "<dt>Patients</dt><dd>1</dd><dt>Visits</dt><dd>0</dd><dt>Completed forms</dt><dd>0</dd>" in site.get("/").text
    )


def test_the_cloud_page_names_the_clinics_that_the_cloud_gave_this_hub(inside: Site) -> None:
    with inside.store.read() as db:
        [known] = [clinic["id"] for clinic in users.clinics(db)][:1]
    link.connect(inside.store, Link("https://cloud.example", "d", "North hub", (known, "another-clinic")), "hh_1")
    text = inside.get("/cloud").text
    assert "another-clinic" in text
    assert matching.names_of(inside.store, [known])[0] in text


def test_the_cloud_page_counts_what_a_later_app_made_and_only_the_cloud_has(inside: Site) -> None:
    link.connect(inside.store, Link("https://cloud.example", "d", "North hub", ()), "hh_1")
    named = "<dt>Only in the cloud, from a newer app</dt>"
    assert named not in inside.get("/cloud").text
    cycles.advance(inside.store, later=1200)
    assert f"{named}<dd>1,200</dd>" in inside.get("/cloud").text


def test_the_audit_page_names_who_did_what(inside: Site) -> None:
    inside.submit("/pairing/close", {}, page="/pairing")
    assert ("pairing.closed", f"administrator:{ADMINISTRATOR}") in inside.noted()
    text = inside.get("/log").text
    assert "Adding phones was turned off" in text
    assert "Phone 1 was added" in text


def test_the_audit_page_goes_on_to_older_entries(inside: Site) -> None:
    with inside.store.write() as tx:
        for number in range(60):
            audit.note(tx, "hub.renamed", detail=f"name {number}")
    first = inside.get("/log").text
    assert "name 59" in first
    assert "name 3<" not in first
    older = first.split('href="/log?before=')[1].split('"')[0]
    assert "name 3<" in inside.get(f"/log?before={older}").text


def test_pairing_opens_with_a_code_and_closes(inside: Site) -> None:
    inside.submit("/pairing/close", {}, page="/pairing")
    assert "<svg" not in inside.get("/pairing").text.split('id="door"')[1]
    assert inside.submit("/pairing/open", {}, page="/pairing").headers["location"] == "/pairing?done=opened"
    assert 'class="qr"' in inside.get("/pairing").text
    assert pairing.left_s(inside.store) > 590


def test_the_page_says_what_to_reserve_in_the_router(inside: Site) -> None:
    text = inside.get("/box").text.split('id="network"')[1].split("</section>")[0]
    assert "reserve the address in the router" in text
    for one in adapters.every():
        assert one.address in text
        assert one.hardware in text


def test_an_administrator_stops_syncing_and_lets_phones_sync_again(inside: Site) -> None:
    assert inside.submit("/box/stop-syncing", {}, page="/box").headers["location"] == "/box?done=sync_stopped"
    inside.pages.watch.take(facts.gather(inside.store))
    with inside.stranger():
        assert "Syncing was stopped on this hub" in inside.get("/").text
    assert "/box/stop-syncing" not in inside.get("/box").text
    inside.submit("/box/start-syncing", {}, page="/box")
    inside.pages.watch.take(facts.gather(inside.store))
    assert "/box/stop-syncing" in inside.get("/box").text
    by = f"administrator:{ADMINISTRATOR}"
    assert {("serving.stopped", by), ("serving.went_on", by)} <= set(inside.noted())


def test_a_moved_hub_is_told_on_the_pairing_page(inside: Site) -> None:
    with inside.store.write() as tx:
        reached.note(tx, 1, "192.168.77.7")
    assert "1 phone is looking for the hub at its old address 192.168.77.7" in inside.get("/pairing").text


def test_a_phone_is_blocked(inside: Site) -> None:
    inside.submit("/phones/revoke", {"phone": "client-1"}, page="/phones")
    with inside.store.read() as db:
        device = callers.find(db, "client-1")
    assert device is not None
    assert device.state is DeviceState.REVOKED
    assert inside.submit("/phones/revoke", {"phone": "nobody"}, page="/phones").headers["location"].endswith("gone")


def test_a_blocked_phone_is_forgotten_and_listed_no_more(inside: Site) -> None:
    inside.submit("/phones/revoke", {"phone": "client-1"}, page="/phones")
    assert 'action="/phones/forget"' in inside.get("/phones").text
    answer = inside.submit("/phones/forget", {"phone": "client-1"}, page="/phones")
    assert answer.headers["location"].endswith("done=forgotten")
    assert "client-1" not in inside.get("/phones").text
    assert inside.submit("/phones/forget", {"phone": "client-1"}, page="/phones").headers["location"].endswith("gone")


def test_a_phone_is_renamed_after_who_signed_in_on_it(inside: Site) -> None:
    assert f'name="name" value="Dr {EMAIL}"' in inside.get("/phones").text
    answer = inside.submit("/phones/rename", {"phone": "client-1", "name": " Ward  2 "}, page="/phones")
    assert answer.headers["location"].endswith("done=renamed")
    assert "Ward 2" in inside.get("/phones").text
    assert "Ward 2 has another name; it was called Phone 1" in inside.get("/log").text


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b", "\u202eevil"])
def test_a_phone_is_given_no_name_that_is_none(inside: Site, name: str) -> None:
    answer = inside.submit("/phones/rename", {"phone": "client-1", "name": name}, page="/phones")
    assert answer.headers["location"].endswith("done=unfit_name")
    assert "Phone 1" in inside.get("/phones").text


def test_a_blocked_phone_is_let_in_again(inside: Site) -> None:
    inside.submit("/phones/revoke", {"phone": "client-1"}, page="/phones")
    answer = inside.submit("/phones/unblock", {"phone": "client-1"}, page="/phones")
    assert answer.headers["location"].endswith("done=unblocked")
    assert 'action="/phones/unblock"' not in inside.get("/phones").text
    for path in ("/phones/rename", "/phones/unblock"):
        gone = inside.submit(path, {"phone": "nobody", "name": "x"}, page="/phones")
        assert gone.headers["location"].endswith("gone")


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        (RefusalReason.SIGN_IN, "Scan the QR code with that phone and sign in again."),
        (RefusalReason.BLOCKED, "unblock it here; then sign in on it."),
        (RefusalReason.TOO_LARGE, "call your technician."),
        (RefusalReason.NO_ROOM, "then sync again."),
    ],
)
def test_a_refused_phone_is_named_with_the_remedy(tmp_path: Path, reason: RefusalReason, remedy: str) -> None:
    text = phones_page(tmp_path, reason)
    assert "Ward 2 was refused 2 times, last just now." in text
    assert remedy in text


def test_phones_that_the_hub_does_not_know_are_told_to_join(tmp_path: Path) -> None:
    text = phones_page(tmp_path, RefusalReason.UNKNOWN)
    assert "A phone that this hub does not know was refused 2 times, last just now." in text
    assert "Choose Add a phone, then scan the QR code with it." in text


def phones_page(tmp_path: Path, reason: RefusalReason) -> str:
    """Return the page of phones of a hub that refused a phone before it was started again."""
    with closing(new_store(tmp_path / "data")) as store:
        with store.write() as tx:
            num = access.pair(tx, "ward-2", "Ward 2", most=10).num
            now_ms = tx.now_ms
        device = UNKNOWN if reason is RefusalReason.UNKNOWN else num
        refusals.keep(store, Refusal(device, reason, 2, now_ms, now_ms))
    with Site(tmp_path / "data") as site:
        site.set_up()
        site.sign_in()
        return site.get("/phones").text


def test_nobody_is_accused_where_nobody_was_refused(inside: Site) -> None:
    assert "Phones that were refused" not in inside.get("/phones").text


def test_strangers_are_forgotten_with_one_button_which_is_there_only_for_them(inside: Site) -> None:
    assert "/phones/forget-strangers" not in inside.get("/phones").text
    with inside.store.write() as tx:
        for number in range(3):
            access.pair(tx, f"stranger-{number}", None, most=100)
    assert "/phones/forget-strangers" in inside.get("/phones").text
    inside.submit("/phones/forget-strangers", {}, page="/phones")
    with inside.store.read() as db:
        assert [device.client_id for device in devices.every(db)] == ["client-1"]


def test_people_and_clinics_are_made(inside: Site) -> None:
    clinic = add_clinic(inside.store, "South")
    fields = {"name": "Zoé", "email": "zoe@clinic.example", "role": "provider", "clinic": clinic, "password": "secret1"}
    assert inside.submit("/people/add", fields, page="/people").status_code == 303
    assert inside.submit("/people/add", fields, page="/people").status_code == 400
    assert inside.submit("/people/clinic", {"name": "South"}, page="/people").status_code == 400
    with inside.store.read() as db:
        user = users.find_by_email(db, "zoe@clinic.example")
    assert user is not None
    assert user.opens_with("secret1")
    inside.submit("/people/password", {"user": user.id, "password": "secret2"}, page="/people")
    inside.submit("/people/disable", {"user": user.id}, page="/people")
    with inside.store.read() as db:
        gone = users.find(db, user.id)
    assert gone is not None
    assert gone.opens_with("secret2")
    assert gone.is_deleted


@pytest.mark.parametrize("missing", ["name", "email", "role", "clinic", "password"])
def test_a_person_without_everything_is_refused_and_the_form_keeps_the_rest(inside: Site, missing: str) -> None:
    fields = {"name": "Zoé", "email": "z@x.example", "role": "provider", "clinic": "c", "password": "secret1"}
    answer = inside.submit("/people/add", {**fields, missing: ""}, page="/people")
    assert answer.status_code == 400
    if missing != "name":
        assert 'value="Zoé"' in answer.text


def test_a_second_administrator_comes_and_goes(inside: Site) -> None:
    who = {"name": "Zoé", "password": "another password", "again": "another password"}
    assert inside.submit("/people/administrator", who, page="/people").status_code == 303
    assert inside.submit("/people/administrator", who, page="/people").status_code == 400
    assert inside.submit("/people/remove-administrator", {"name": "Zoé"}, page="/people").status_code == 303


def test_the_hub_is_renamed_for_the_page_and_for_phones(inside: Site) -> None:
    inside.submit("/settings/name", {"name": "<b>North</b>"}, page="/settings")
    assert "&lt;b&gt;North&lt;/b&gt;" in inside.get("/").text
    assert inside.pages.hub_name() == "<b>North</b>"
    assert inside.submit("/settings/name", {"name": " "}, page="/settings").status_code == 400


def test_what_a_form_did_is_told_on_at_once(inside: Site) -> None:
    names: list[str] = []
    inside.pages.after_form.append(lambda: names.append(inside.pages.hub_name()))
    inside.submit("/settings/name", {"name": "North"}, page="/settings")
    assert names == ["North"]


def test_the_box_is_found_by_its_lights(inside: Site) -> None:
    inside.submit("/box/locate", {}, page="/box")
    assert inside.pages.watch.facts.locating_left_s > 50
    assert "This is the hub you are looking for." in inside.get("/box").text


def test_s6_the_support_file_comes_from_the_page_and_is_noted_and_what_is_in_it_is_said(inside: Site) -> None:
    assert "It contains no records, no names of patients" in inside.get("/box").text
    answer = inside.submit("/box/support-file", {}, page="/box")
    assert re.fullmatch(
        r'attachment; filename="hikma-hub-support-\d{8}-\d{4}.zip"', answer.headers["content-disposition"]
    )
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert PATIENT not in "".join(file.read(name).decode() for name in file.namelist())
    assert ("support.exported", f"administrator:{ADMINISTRATOR}") in inside.noted()
    assert "A support file was made" in inside.get("/log").text


def test_a_box_without_commands_has_no_buttons_for_them(inside: Site) -> None:
    text = inside.get("/box").text
    assert "/box/restart" not in text
    assert "/box/shut-down" not in text
    assert inside.client.post("/box/restart").status_code == 404


def test_switching_off_runs_the_command_that_the_settings_name(tmp_path: Path) -> None:
    mark = tmp_path / "off"
    Switch(shutdown_command=f"touch {mark}").shut_down()
    assert mark.exists()


def test_charts_show_what_was_entered(inside: Site) -> None:
    with inside.store.write() as tx:
        counters.add(tx, entered=41)
    text = inside.get("/").text
    assert "42 records entered" in text
    assert 'class="bar s0"' in text


def test_a_page_that_is_not_there_is_explained_to_people(inside: Site) -> None:
    answer = inside.get("/box/nothing")
    assert answer.status_code == 404
    assert "This page does not exist." in answer.text


def test_the_language_is_kept_and_the_address_cleaned(inside: Site) -> None:
    answer = inside.get("/phones?lang=ar&x=1")
    assert answer.headers["location"] == "/phones?x=1"
    assert 'dir="rtl"' in inside.get("/phones").text


def test_a_note_comes_from_the_hub_and_not_from_the_address(inside: Site) -> None:
    assert "Phones can be added now." in inside.get("/pairing?done=opened").text
    assert "<script" not in inside.get("/pairing?done=<script>x").text.replace("<script src", "")


def test_the_names_of_phones_are_text_and_not_markup(inside: Site) -> None:
    with inside.store.write() as tx:
        access.pair(tx, "evil", "<img src=x onerror=alert(1)>", most=100)
    assert "<img" not in inside.get("/phones").text
    assert "<img" not in inside.get("/log").text


def test_a_phone_knows_nothing_of_pages(inside: Site) -> None:
    assert Phone is not None
    assert inside.client.get("/rpc/heartbeat").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "There is a clinic with this name already."), ("fr", "Il y a déjà une clinique de ce nom.")],
)
def test_what_is_there_already_is_said_in_the_language_of_the_page(inside: Site, language: str, sentence: str) -> None:
    add_clinic(inside.store, "North")
    spoken = {"accept-language": language}
    answer = inside.submit("/people/clinic", {"name": "North"}, page="/people", **spoken)
    assert (answer.status_code, sentence in answer.text) == (400, True)
    same = {"name": ADMINISTRATOR, "password": "four words are enough", "again": "four words are enough"}
    assert inside.submit("/people/administrator", same, page="/people", **spoken).status_code == 400
