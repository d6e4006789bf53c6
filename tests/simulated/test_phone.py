"""What the phone as a whole was seen to do."""

import pytest

from tests.simulated.fake_hub import LOGIN, QR, Clock, FakeHub, SharingHub, phone_of, pull_of, seeded
from tests.simulator.phone import Phone
from tests.simulator.rpc import CallFailedError, Failure
from tests.simulator.transport import NetworkLostError

FULL_PATIENT = {"id": "p1", "given_name": "Hub", "phone": "hub", "metadata": "{}"}


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def phone(hub: FakeHub, clock: Clock) -> Phone:
    return phone_of(hub, clock)


Plain = tuple[int, bytes] | type[Exception]

# Pairing and signing in


def test_pairing_checks_neither_pk_nor_id(hub: FakeHub) -> None:
    phone = phone_of(hub, sign_in=False)
    assert phone.session is not None
    assert phone.session.hub.hub_id == "hub-1"


def test_pairing_can_be_told_to_check_pk(hub: FakeHub) -> None:
    phone = Phone(rng=seeded(1), now_ms=Clock(), connect=hub.connect)
    with pytest.raises(CallFailedError, match="INVALID_QR"):
        phone.pair(QR, check_pk=True)


@pytest.mark.parametrize("qr", [{}, {"type": "cloud", "url": "http://x"}, {"type": "sync_hub"}])
def test_a_code_that_is_not_a_hubs_is_refused_without_a_request(hub: FakeHub, qr: dict[str, object]) -> None:
    phone = Phone(rng=seeded(1), now_ms=Clock(), connect=hub.connect)
    with pytest.raises(CallFailedError, match="INVALID_QR"):
        phone.pair(qr)
    assert hub.paths == []


def test_a_closed_hub_cannot_be_paired_with(hub: FakeHub) -> None:
    hub.handshake_status = 403
    with pytest.raises(CallFailedError, match="HUB_UNREACHABLE: Handshake failed with HTTP 403"):
        phone_of(hub, sign_in=False)


def test_client_id_is_a_uuid4_that_outlives_unpairing(phone: Phone) -> None:
    before = phone.client_id
    phone.unpair()
    phone.pair(QR)
    assert phone.client_id == before
    assert before[14] == "4"


def test_pairing_again_drops_the_token_until_the_next_login(hub: FakeHub, phone: Phone) -> None:
    phone.pair(QR)
    phone.sync()
    phone.login("nurse@clinic.example", "secret")
    phone.sync()
    assert [token for name, _, token in hub.calls if name == "sync_pull"] == [None, "token-1"]


def test_login_uses_the_pairing_handshakes_key_and_every_other_call_its_own(hub: FakeHub, phone: Phone) -> None:
    phone.sync()
    phone.sync()
    assert len(hub.handshakes) == 3
    assert len({request["client_public_key"] for request in hub.handshakes}) == 3
    assert len(set(hub.keys_used)) == 3
    assert set(hub.handshakes[0]) == {"client_id", "client_public_key"}


def test_pull_and_push_of_one_sync_share_a_handshake(hub: FakeHub, phone: Phone) -> None:
    phone.create("patients", {"id": "p1"})
    phone.sync()
    assert hub.keys_used[-1] == hub.keys_used[-2]


@pytest.mark.parametrize("missing", ["token", "user_id", "provider_name"])
@pytest.mark.parametrize("value", ["", None, 5])
def test_login_without_token_user_or_name_leaves_the_phone_signed_out(
    hub: FakeHub, missing: str, value: object
) -> None:
    hub.answers["login"] = {**LOGIN, missing: value}
    phone = phone_of(hub, sign_in=False)
    with pytest.raises(CallFailedError) as caught:
        phone.login("nurse@clinic.example", "secret")
    assert caught.value.failure is Failure.SIGN_IN_INCOMPLETE
    assert phone.user is None


def test_a_sealed_error_at_login_takes_the_token_away(hub: FakeHub, phone: Phone) -> None:
    hub.answers["login"] = {"error": "no"}
    with pytest.raises(CallFailedError):
        phone.login("nurse@clinic.example", "secret")
    assert phone.session is not None
    assert phone.session.token is None


@pytest.mark.parametrize(
    ("plain", "failure"),
    [
        ((401, b"{}"), Failure.AUTH_FAILED),
        ((503, b"{}"), Failure.NETWORK_ERROR),
        ((200, b'{"success":false}'), Failure.DECRYPTION_FAILED),
        (NetworkLostError, Failure.NETWORK_ERROR),
    ],
)
def test_login_names_why_it_failed(hub: FakeHub, plain: Plain, failure: Failure) -> None:
    phone = phone_of(hub, sign_in=False)
    hub.plain["login"] = plain
    with pytest.raises(CallFailedError) as caught:
        phone.login("nurse@clinic.example", "secret")
    assert caught.value.failure is failure


def test_short_credentials_are_not_even_sent(hub: FakeHub) -> None:
    phone = phone_of(hub, sign_in=False)
    with pytest.raises(CallFailedError, match="NOT_SENT"):
        phone.login("nurse@clinic.example", "abc")
    assert hub.calls == []


def test_heartbeat_is_any_2xx_and_false_without_a_hub(phone: Phone) -> None:
    assert phone.heartbeat()
    phone.unpair()
    assert not phone.heartbeat()


# Pull and cursor


def test_the_first_sync_asks_from_zero_and_the_next_from_the_timestamp(hub: FakeHub, phone: Phone) -> None:
    hub.answers["sync_pull"] = {"changes": {}, "timestamp": 77}
    phone.sync()
    phone.sync()
    assert hub.named("sync_pull") == [{"lastPulledAt": 0}, {"lastPulledAt": 77}]


@pytest.mark.parametrize("timestamp", [1.5, -3, 2**53 - 1, 10**18, 1e300, 0])
def test_any_finite_number_comes_back_verbatim_as_cursor(hub: FakeHub, phone: Phone, timestamp: float) -> None:
    hub.answers["sync_pull"] = {"changes": {}, "timestamp": timestamp}
    phone.sync()
    phone.sync()
    assert hub.named("sync_pull")[1]["lastPulledAt"] == timestamp


@pytest.mark.parametrize("answer", [{}, {"timestamp": "77"}, {"timestamp": None}, {"timestamp": True}])
def test_any_other_timestamp_makes_the_next_pull_ask_from_zero(
    hub: FakeHub, phone: Phone, answer: dict[str, object]
) -> None:
    phone.cursor = 5
    hub.answers["sync_pull"] = {"changes": {}, **answer}
    assert phone.sync().ok
    phone.sync()
    assert [params["lastPulledAt"] for params in hub.named("sync_pull")] == [5, 0]


def test_a_sealed_error_on_pull_counts_as_success_and_resets_the_cursor(hub: FakeHub, phone: Phone) -> None:
    phone.cursor = 5
    hub.answers["sync_pull"] = {"error": "no"}
    assert phone.sync().ok
    assert phone.cursor is None


@pytest.mark.parametrize("plain", [(401, b"{}"), (500, b"{}"), (200, b"<html>"), NetworkLostError])
def test_a_failing_pull_keeps_cursor_and_rows_and_pushes_nothing(hub: FakeHub, phone: Phone, plain: Plain) -> None:
    phone.cursor = 5
    phone.create("patients", {"id": "p1"})
    hub.plain["sync_pull"] = plain
    outcome = phone.sync()
    assert (outcome.ok, phone.cursor) == (False, 5)
    assert hub.named("sync_push") == []
    assert phone.store.table("patients")["p1"]["_status"] == "created"


def test_a_failing_handshake_fails_the_sync(hub: FakeHub, phone: Phone) -> None:
    hub.handshake_status = 500
    assert "HUB_UNREACHABLE" in phone.sync().error


def test_an_error_while_applying_keeps_the_cursor_and_pushes_nothing(hub: FakeHub, phone: Phone) -> None:
    phone.cursor = 5
    phone.create("patients", {"id": "p1"})
    hub.answers["sync_pull"] = pull_of("resources", 9, created=[{"id": "r"}])
    outcome = phone.sync()
    assert (outcome.ok, outcome.pulled, phone.cursor) == (False, 1, 5)
    assert hub.named("sync_push") == []


def test_a_row_deleted_here_that_comes_as_created_blocks_every_sync(hub: FakeHub, phone: Phone) -> None:
    phone.create("patients", {"id": "p1"})
    phone.delete_locally("patients", "p1")
    phone.create("patients", {"id": "p2"})
    hub.answers["sync_pull"] = pull_of("patients", created=[FULL_PATIENT])
    assert [phone.sync().ok for _ in range(3)] == [False] * 3
    hub.answers["sync_pull"] = pull_of("patients", updated=[FULL_PATIENT])
    assert phone.sync().ok
    assert len(hub.named("sync_push")) == 1


# Push


def test_nothing_is_pushed_when_there_is_nothing(hub: FakeHub, phone: Phone) -> None:
    phone.sync()
    assert hub.named("sync_push") == []


def test_a_push_carries_the_cursor_that_the_pull_asked_with(hub: FakeHub, phone: Phone) -> None:
    phone.cursor = 5
    phone.create("patients", {"id": "p1"})
    hub.answers["sync_pull"] = {"changes": {}, "timestamp": 77}
    outcome = phone.sync()
    assert hub.named("sync_push")[0]["lastPulledAt"] == 5
    assert (outcome.pushed, phone.cursor) == (1, 77)


def test_after_a_push_rows_are_synced_with_a_new_updated_at(phone: Phone, clock: Clock) -> None:
    phone.create("patients", {"id": "p1"})
    clock.tick(1000)
    phone.sync()
    row = phone.store.table("patients")["p1"]
    assert (row["_status"], row["_changed"], row["updated_at"]) == ("synced", "", clock())
    assert row["created_at"] == clock() - 1000


@pytest.mark.parametrize(
    "plain", [(401, b"{}"), (413, b"{}"), (500, b"{}"), (200, b"{}"), (200, b'{"succ'), NetworkLostError]
)
def test_a_refused_or_lost_push_is_repeated_identically(hub: FakeHub, phone: Phone, plain: Plain) -> None:
    phone.create("patients", {"id": "p1"})
    phone.cursor = 5
    hub.plain["sync_push"] = plain
    assert not phone.sync().ok
    assert phone.cursor == 5
    del hub.plain["sync_push"]
    assert phone.sync().ok
    first, second = hub.named("sync_push")
    assert first == second


def test_a_sealed_error_on_push_loses_the_record(hub: FakeHub, phone: Phone) -> None:
    phone.create("patients", {"id": "p1"})
    hub.answers["sync_push"] = {"error": "no"}
    assert phone.sync().ok
    phone.sync()
    assert len(hub.named("sync_push")) == 1


def test_an_edit_made_during_the_push_is_marked_synced_without_being_sent(hub: FakeHub, phone: Phone) -> None:
    phone.create("patients", {"id": "p1", "phone": "1"})
    phone.sync(during_push=lambda: phone.edit("patients", "p1", {"phone": "late"}))
    row = phone.store.table("patients")["p1"]
    assert (row["phone"], row["_status"]) == ("late", "synced")
    assert hub.named("sync_push")[0]["changes"]["patients"]["created"][0]["phone"] == "1"
    phone.sync()
    assert len(hub.named("sync_push")) == 1


def test_the_hubs_echo_reverts_an_edit_made_during_the_push(hub: FakeHub, phone: Phone) -> None:
    phone.create("patients", {"id": "p1", "phone": "1"})
    phone.sync(during_push=lambda: phone.edit("patients", "p1", {"phone": "late"}))
    hub.answers["sync_pull"] = pull_of("patients", updated=[FULL_PATIENT])
    phone.sync()
    assert phone.store.table("patients")["p1"]["phone"] == "hub"


def test_a_row_made_during_the_push_is_pushed_next_time(hub: FakeHub, phone: Phone) -> None:
    phone.create("patients", {"id": "p1"})
    phone.sync(during_push=lambda: phone.create("patients", {"id": "p2"}))
    phone.sync()
    assert [row["id"] for row in hub.named("sync_push")[1]["changes"]["patients"]["created"]] == ["p2"]


def test_a_deletion_made_here_never_reaches_the_hub(hub: FakeHub, phone: Phone) -> None:
    phone.create("patients", {"id": "p1"})
    phone.sync()
    phone.delete_locally("patients", "p1")
    phone.sync()
    phone.force_upload()
    assert len(hub.named("sync_push")) == 1


def test_a_soft_deletion_is_pushed_as_an_edit(hub: FakeHub, phone: Phone, clock: Clock) -> None:
    phone.create("patients", {"id": "p1"})
    phone.sync()
    clock.tick()
    phone.soft_delete("patients", "p1")
    phone.sync()
    (row,) = hub.named("sync_push")[1]["changes"]["patients"]["updated"]
    assert (row["is_deleted"], row["deleted_at"]) == (True, clock())
    assert row["_changed"] == "updated_at,is_deleted,deleted_at"


# Forced upload and download, other hubs, a new install


def test_a_forced_upload_sets_the_cursor_to_the_phones_clock_and_leaves_statuses(
    hub: FakeHub, phone: Phone, clock: Clock
) -> None:
    phone.create("patients", {"id": "p1"})
    clock.tick(500)
    outcome = phone.force_upload()
    assert (outcome.pushed, phone.cursor) == (1, clock())
    assert hub.named("sync_pull") == []
    assert phone.store.table("patients")["p1"]["_status"] == "created"
    phone.sync()
    assert len(hub.named("sync_push")) == 2


def test_a_forced_upload_of_nothing_moves_nothing(hub: FakeHub, phone: Phone) -> None:
    assert phone.force_upload().ok
    assert (phone.cursor, len(hub.handshakes)) == (None, 1)


def test_a_failing_forced_upload_keeps_the_cursor(hub: FakeHub, phone: Phone) -> None:
    phone.create("patients", {"id": "p1"})
    hub.plain["sync_push"] = 500, b""
    assert not phone.force_upload().ok
    assert phone.cursor is None


def test_a_forced_download_asks_from_zero_and_stores_the_timestamp(hub: FakeHub, phone: Phone) -> None:
    phone.cursor = 5
    phone.create("patients", {"id": "p2"})
    hub.answers["sync_pull"] = pull_of("patients", 9, created=[FULL_PATIENT])
    assert phone.force_download().pulled == 1
    assert hub.named("sync_pull") == [{"lastPulledAt": 0}]
    assert phone.cursor == 9
    assert hub.named("sync_push") == []


def test_only_a_forced_download_converts_iso_times_and_json(hub: FakeHub, phone: Phone) -> None:
    record = {
        **FULL_PATIENT,
        "created_at": "2026-11-20T06:20:28.135Z",
        "metadata": {"a": 1},
        "additional_data": {"b": 1},
    }
    hub.answers["sync_pull"] = lambda _params: pull_of("patients", created=[record])
    phone.sync()
    row = phone.store.table("patients")["p1"]
    assert (row["created_at"], row["metadata"], row["additional_data"]) == (0, "", "")
    phone.force_download()
    row = phone.store.table("patients")["p1"]
    assert (row["created_at"], row["metadata"], row["additional_data"]) == (1795155628135, '{"a":1}', "")


def test_the_old_cursor_goes_to_a_second_hub(phone: Phone) -> None:
    phone.cursor = 5
    second = FakeHub("hub-2")
    phone.unpair()
    phone._connect = second.connect
    phone.pair(QR)
    phone.sync()
    assert second.named("sync_pull") == [{"lastPulledAt": 5}]


@pytest.mark.parametrize("keep", [True, False])
def test_a_new_install_starts_empty_and_may_keep_its_client_id(hub: FakeHub, phone: Phone, keep: bool) -> None:  # noqa: FBT001  pytest gives it
    before = phone.client_id
    phone.create("patients", {"id": "p1"})
    phone.sync()
    phone.reinstall(keep_client_id=keep)
    assert (phone.holds(), phone.session) == (0, None)
    assert (phone.client_id == before) is keep
    phone.pair(QR)
    phone.sync()
    assert hub.named("sync_pull")[-1] == {"lastPulledAt": 0}


# Online mode


def test_every_online_call_has_a_handshake_of_its_own_and_the_token(hub: FakeHub, phone: Phone) -> None:
    hub.answers |= {"get_patients": {"data": []}, "register_patient": {"patient_id": "p"}}
    assert phone.query("get_patients", {"limit": 20, "offset": 0}) == {"data": []}
    assert phone.command("register_patient", {"patient": {}}) == {"patient_id": "p"}
    assert len(hub.handshakes) == 3
    assert hub.calls[1:] == [
        ("get_patients", {"limit": 20, "offset": 0}, "token-1"),
        ("register_patient", {"patient": {}}, "token-1"),
    ]


# Several phones


def test_edits_of_two_phones_converge_as_they_were_seen_to() -> None:
    hub, clock = SharingHub(), Clock()
    first, second = phone_of(hub, clock, seed=1), phone_of(hub, clock, seed=2)
    patient = first.create("patients", {"id": "p1", "phone": "1", "hometown": "old"})
    first.create("visits", {"patient_id": patient["id"]})
    first.create("events", {"patient_id": patient["id"]})
    assert first.sync().pushed == 3
    assert second.sync().pulled == 3
    clock.tick()
    second.edit("patients", "p1", {"phone": "B-PHONE"})
    first.edit("patients", "p1", {"hometown": "A-TOWN"})
    assert second.sync().pushed == 1
    outcome = first.sync()
    assert (outcome.pulled, outcome.pushed) == (1, 1)
    assert second.sync().pulled == 1
    for phone in (first, second):
        row = phone.store.table("patients")["p1"]
        assert (row["phone"], row["hometown"], row["_status"]) == ("B-PHONE", "A-TOWN", "synced")


def test_the_same_seed_makes_the_same_phone() -> None:
    phones = [Phone(rng=seeded(4), now_ms=Clock()) for _ in range(2)]
    assert phones[0].client_id == phones[1].client_id
    assert phones[0].create("patients", {}) == phones[1].create("patients", {})
