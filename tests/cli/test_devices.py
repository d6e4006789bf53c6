"""hikma-hub device and token, beside a hub that serves."""

import pytest

from hub.actions.phones import access
from hub.store.database import Store
from tests.cli.conftest import Run
from tests.hubs import EMAIL, ServedHub, changes, row


def test_phones_are_listed_with_what_they_lack(served: ServedHub, run: Run) -> None:
    reader, writer = served.client("reader"), served.client("writer")
    reader.pull()
    writer.push(changes("patients", created=[row("patients", "p")]))
    listed = {found["client_id"]: found for found in run("device", "list", "--json", data=served.data).json}
    assert listed["reader"].keys() == {
        *("num", "client_id", "name", "state", "first_seen", "last_seen", "last_sync", "user_id", "behind", "refused"),
        *("asks", "twins", "unconfirmed", "is_ahead", "too_large"),
    }
    assert (listed["reader"]["state"], listed["reader"]["behind"]) == ("paired", 1)
    shown = run("device", "list", data=served.data).out
    assert "reader" in shown
    assert "just now" in shown  # people are shown ages, not hub time
    assert str(listed["reader"]["last_seen"]) not in shown


def test_block_is_the_same_command_as_revoke(served: ServedHub, run: Run) -> None:
    client = served.client("lost")
    assert "is blocked" in run("device", "block", "lost", data=served.data).out
    assert client.pull().status == 403


def test_s2_a_revoked_phone_is_refused_at_once(served: ServedHub, run: Run) -> None:
    client = served.client("stolen")
    assert run("device", "revoke", "stolen", data=served.data).status == 0
    assert (client.pull().status, client.shake().status) == (403, 403)
    listed = run("device", "list", "--json", data=served.data).json
    assert [found["state"] for found in listed if found["client_id"] == "stolen"] == ["revoked"]


def test_a_blocked_phone_that_is_unblocked_syncs_again_when_somebody_has_signed_in(served: ServedHub, run: Run) -> None:
    client = served.client("back")
    run("device", "block", "back", data=served.data)
    assert client.pull().status == 403
    assert "can sync again" in run("device", "unblock", "back", data=served.data).out
    assert client.shake().status == 200
    assert client.pull().status == 401
    assert client.login().status == 200
    assert client.pull(0).status == 200
    assert run("device", "unblock", "nobody", data=served.data).status == 1


def test_a_phone_is_renamed(served: ServedHub, run: Run) -> None:
    served.client("renamed")
    assert run("device", "rename", "renamed", "Ward 2", data=served.data).out == "The phone is now called Ward 2.\n"
    assert "Ward 2" in run("device", "list", data=served.data).out
    assert run("device", "rename", "renamed", " ", data=served.data).status == 1


def test_a_phone_is_forgotten_and_its_sign_in_with_it(served: ServedHub, run: Run) -> None:
    client = served.client("forgotten")
    assert "is forgotten." in run("device", "forget", "forgotten", data=served.data).out
    assert client.pull().status == 401
    listed = run("device", "list", "--json", data=served.data).json
    assert "forgotten" not in {found["client_id"] for found in listed}
    assert run("device", "forget", "forgotten", data=served.data).status == 1


def test_strangers_are_forgotten_together(served: ServedHub, run: Run) -> None:
    nurse = served.client("the-nurse")
    store = Store(served.data)
    with store.write() as tx:  # as an older program kept them
        for number in range(3):
            access.pair(tx, f"stranger-{number}", None, most=10)
    store.close()
    assert run("device", "forget", "--strangers", data=served.data).out == "3 phones are forgotten.\n"
    assert nurse.pull().status == 200


@pytest.mark.parametrize("words", [(), ("some-id", "--strangers")])
def test_which_phones_to_forget_must_be_said(served: ServedHub, run: Run, words: tuple[str, ...]) -> None:
    assert run("device", "forget", *words, data=served.data).status == 2


def test_an_unknown_phone_is_refused_in_words(served: ServedHub, run: Run) -> None:
    done = run("device", "revoke", "nobody", data=served.data)
    assert (done.status, done.err) == (1, "hikma-hub: there is no phone nobody; see 'hikma-hub device list'\n")


@pytest.mark.parametrize("whose", [("--user", EMAIL), ("--device", "mine"), ("--all",)])
def test_s5_revoked_sign_ins_end_at_once(served: ServedHub, run: Run, whose: tuple[str, ...]) -> None:
    client = served.client("mine")
    done = run("token", "revoke", *whose, data=served.data)
    assert "ended" in done.out
    assert client.pull().status == 401
    assert client.login().status == 200


@pytest.mark.parametrize("whose", [("--user", "nobody@x.example"), ("--device", "nobody")])
def test_sign_ins_of_nobody_are_refused_in_words(served: ServedHub, run: Run, whose: tuple[str, ...]) -> None:
    client = served.client("untouched")
    done = run("token", "revoke", *whose, data=served.data)
    assert (done.status, "there is no such user or phone" in done.err) == (1, True)
    assert client.pull().status == 200


def test_whose_sign_ins_must_be_said(served: ServedHub, run: Run) -> None:
    assert run("token", "revoke", data=served.data).status == 2


def test_a_phone_whose_sign_in_is_over_is_named_with_the_reason(served: ServedHub, run: Run) -> None:
    client = served.client("over")
    run("token", "revoke", "--device", "over", data=served.data)
    assert client.pull().status == 401
    listed = {found["client_id"]: found for found in run("device", "list", "--json", data=served.data).json}
    assert listed["over"]["refused"].keys() == {"reason", "times", "s_ago"}
    assert (listed["over"]["refused"]["reason"], listed["over"]["refused"]["times"]) == ("sign_in", 1)
    assert "must sign in, just now" in run("device", "list", data=served.data).out
