"""Guessing passwords is slowed by account, phone and address, and nothing forgets it but time and success (S4)."""

from concurrent.futures import ThreadPoolExecutor

import bcrypt
import msgspec
import pytest

from hub.store.people import users
from tests.hubs import EMAIL, PASSWORD, POLICY, Client, InProcessHub, RpcTransport, add_user

FREE = POLICY.attempts.free


def guesser(hub: InProcessHub, number: int, address: str | None = None) -> Client:
    client = Client(RpcTransport(hub, address or f"198.51.100.{number}"), f"guesser-{number}")
    assert client.shake().status == 200
    return client


@pytest.fixture
def nurses(hub: InProcessHub) -> list[str]:
    return [
        add_user(hub.store, hub.clinic_id, email=f"nurse{number}@clinic.example").email for number in range(FREE + 1)
    ]


def test_one_account_guessed_from_one_address_is_closed_there_and_nowhere_else(hub: InProcessHub) -> None:
    answers = [guesser(hub, number, "198.51.100.1").login(EMAIL, "wrong").status for number in range(FREE + 3)]
    assert answers == [401] * FREE + [429] * 3
    assert guesser(hub, 99, "198.51.100.1").login().status == 429
    assert hub.client(email=None).login().status == 200


def test_s10_guesses_from_everywhere_lock_nobody_out(hub: InProcessHub) -> None:
    nurse = hub.client("nurse")
    guessers = [guesser(hub, number) for number in range(4 * FREE)]
    assert {each.login(EMAIL, "wrong").status for each in guessers} == {401}
    assert {each.login(EMAIL, "wrong").status for each in guessers} == {429}
    assert nurse.login(EMAIL, "mistyped").status == 401
    assert nurse.login().status == 200
    assert hub.client("her new phone", email=None).login().status == 200


def test_many_accounts_guessed_from_one_phone_close_the_phone(hub: InProcessHub, nurses: list[str]) -> None:
    client = guesser(hub, 1)
    answers = [client.login(email, "wrong").status for email in nurses]
    assert answers == [401] * FREE + [429]
    moved = Client(RpcTransport(hub, "198.51.100.99"), client.client_id)
    moved.shake()
    assert moved.login().status == 429


def test_many_accounts_guessed_by_many_phones_from_one_address_close_the_address(
    hub: InProcessHub, nurses: list[str]
) -> None:
    tries = [(number, nurses[number % len(nurses)]) for number in range(4 * FREE + 1)]
    answers = [guesser(hub, number, "198.51.100.1").login(email, "wrong").status for number, email in tries]
    assert answers == [401] * 4 * FREE + [429]
    assert guesser(hub, 99, "198.51.100.2").login().status == 200


def test_who_has_an_account_cannot_forgive_himself_the_guesses_at_others(hub: InProcessHub, nurses: list[str]) -> None:
    client = guesser(hub, 1)
    for email in nurses[: FREE - 1]:
        assert client.login(email, "wrong").status == 401
        assert client.login().status == 200
    assert client.login(nurses[FREE - 1], "wrong").status == 401
    assert client.login(nurses[FREE], "wrong").status == 429


def test_the_count_survives_a_restart(hub: InProcessHub) -> None:
    for number in range(FREE):
        guesser(hub, number, "198.51.100.1").login(EMAIL, "wrong")
    hub.restart()
    assert guesser(hub, 99, "198.51.100.1").login().status == 429


def test_the_case_of_an_email_opens_no_second_account_to_guess(hub: InProcessHub) -> None:
    spellings = [EMAIL, EMAIL.upper(), EMAIL.title(), EMAIL.swapcase(), EMAIL.capitalize()]
    for number, spelling in enumerate(spellings):
        assert guesser(hub, number, "198.51.100.1").login(spelling, "wrong").status == 401
    assert guesser(hub, 99, "198.51.100.1").login(EMAIL.upper()).status == 429


def test_parallel_guesses_from_many_phones_do_not_slip_through(hub: InProcessHub, work: list[int]) -> None:
    clients = [guesser(hub, number, "198.51.100.1") for number in range(FREE * 3)]
    work.clear()
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(lambda client: client.login(EMAIL, "wrong").status, clients))
    assert sorted(answers) == [401] * FREE + [429] * FREE * 2
    assert len(work) == FREE


def test_success_forgives_the_account(hub: InProcessHub) -> None:
    client = guesser(hub, 1)
    for _ in range(3):
        assert [client.login(EMAIL, "wrong").status for _ in range(FREE - 1)] == [401] * (FREE - 1)
        assert client.login(EMAIL, PASSWORD).status == 200


@pytest.mark.parametrize("rounds", [4, 5, 6])
def test_s4_a_refusal_costs_the_same_for_an_unknown_account_an_empty_one_and_every_hash(
    hub: InProcessHub, work: list[int], rounds: int
) -> None:
    hashes = {"known": 4, "dear": rounds, "empty": None, "broken": None}
    for name, cost in hashes.items():
        user = add_user(hub.store, hub.clinic_id, email=f"{name}@clinic.example")
        stored = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(cost)).decode() if cost else name.replace("empty", "")
        with hub.store.write() as tx:
            users.put(tx, msgspec.structs.replace(user, hashed_password=stored))
    told = set()
    for number, name in enumerate([*hashes, "nobody"]):
        work.clear()
        answer = guesser(hub, number).login(f"{name}@clinic.example", "wrong")
        told.add((answer.status, str(answer.json), sum(work)))
    assert len(told) == 1
    assert next(iter(told))[::2] == (401, 2**rounds)


@pytest.mark.parametrize("written", [f"{EMAIL} ", f"\u200f{EMAIL}", f"\t{EMAIL}\n", f"\ufeff{EMAIL.upper()}\xa0"])
def test_a_blank_that_a_keyboard_adds_to_an_email_keeps_nobody_out(hub: InProcessHub, written: str) -> None:
    assert hub.client(email=None).login(written).status == 200


def test_blanks_around_an_email_open_no_second_account_to_guess(hub: InProcessHub) -> None:
    for number in range(FREE):
        written = f"{EMAIL}{' ' * number}\u200b"
        assert guesser(hub, number, "198.51.100.1").login(written, "wrong").status == 401
    assert guesser(hub, 99, "198.51.100.1").login(f" {EMAIL}").status == 429


def test_a_deleted_account_is_answered_like_an_unknown_one(hub: InProcessHub) -> None:
    gone = add_user(hub.store, hub.clinic_id, email="gone@clinic.example")
    with hub.store.write() as tx:
        tx.db.execute("UPDATE users SET is_deleted = 1 WHERE id = ?", [gone.id])
    client = guesser(hub, 1)
    assert client.login("gone@clinic.example") == client.login("nobody@clinic.example", "wrong")


@pytest.mark.parametrize("password", ["", "\0", "a\0b", "x" * 1024, "é" * 200, PASSWORD + "\0", PASSWORD + " "])
def test_odd_passwords_are_wrong_passwords(hub: InProcessHub, password: str) -> None:
    assert hub.client(email=None).login(EMAIL, password).status == 401


@pytest.mark.parametrize(
    "params",
    [
        {"email": "x" * 321, "password": "x"},
        {"email": EMAIL, "password": "x" * 1025},
        {"email": None, "password": None},
        {"email": EMAIL},
        {},
        [],
    ],
)
def test_what_is_no_sign_in_is_malformed_and_no_guess(hub: InProcessHub, params: object) -> None:
    client = hub.client(email=None)
    for _ in range(FREE + 1):
        assert client.command("login", params).status == 400
    assert client.login().status == 200


def test_a_hash_that_is_none_opens_to_nobody(hub: InProcessHub) -> None:
    broken = msgspec.structs.replace(hub.user, hashed_password="not a hash")
    assert not broken.opens_with("not a hash")
