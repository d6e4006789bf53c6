"""Whether the hub lives and can write, what it counts, and what it never tells (S6)."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from hub.settings import Settings, WebSettings
from hub.store.database import FILE_NAME
from hub.store.records import record_rows
from tests.hubs import EMAIL, PASSWORD, Client, ServedHub, changes, prepare, row
from tests.web.site import Site

TOKEN = "a-token-that-nobody-guesses"

NAME, PHONE_NUMBER = "Amina-Zahra", "0791-555-321"
SECRETS = (
    NAME,
    PHONE_NUMBER,
    EMAIL,
    PASSWORD,
    "wrong guess",
    "stranger@x.example",
    "Ward-Seven",
    "clear-text-password",
)


def get(served: ServedHub, path: str) -> tuple[int, str]:
    status, body = served.connect().get(path)
    return status, body.decode()


@pytest.mark.parametrize(("path", "says"), [("/healthz", "alive"), ("/readyz", "ready"), ("/metrics", "hikma_hub_")])
def test_a_sound_hub_says_so(served: ServedHub, path: str, says: str) -> None:
    status, body = get(served, path)
    assert status == 200
    assert says in body


def test_asking_often_whether_the_hub_is_ready_counts_no_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Site(tmp_path / "data") as site:
        monkeypatch.delattr(record_rows, "count")
        assert site.get("/readyz").json() == {"status": "ready", "beside": "well"}


def test_metrics_count_calls_refusals_and_records(served: ServedHub) -> None:
    client = served.client("counted")
    client.push(changes("patients", created=[row("patients", "p")]))
    client.query("nothing")
    _, body = get(served, "/metrics")
    assert 'hikma_hub_records{table="patients"} 1.0' in body
    assert 'hikma_hub_calls_total{procedure="sync_push"} 1.0' in body
    assert 'hikma_hub_refusals_total{status="404"} 1.0' in body


def test_metrics_do_not_grow_with_the_names_that_a_peer_invents(served: ServedHub) -> None:
    client = served.client("inventive")
    for number in range(20):
        client.query(f"invented_{number}")
        client.transport.get(f"/invented/{number}")
    assert "invented" not in get(served, "/metrics")[1]


def test_s6_neither_log_nor_metrics_hold_names_emails_passwords_tokens_or_keys(
    serve: Callable[..., ServedHub],
) -> None:
    served = serve(HIKMA_HUB_LOG_LEVEL="debug")
    client = Client(served.connect(), "phone-1")
    client.shake(device_name="Ward-Seven")
    client.login(EMAIL, "wrong guess")
    client.login("stranger@x.example", PASSWORD)
    client.login()
    person = row("patients", "p", given_name=NAME, phone=PHONE_NUMBER, metadata=NAME)
    bad = {"id": 7, "given_name": NAME}
    assert (
        client.push(changes("patients", created=[person, bad, {**person, "id": "q", "created_at": NAME}])).status == 200
    )
    client.push(changes(NAME, created=[person]))
    client.pull()
    client.query(NAME)
    client.command("sync_push", {"changes": NAME})
    client.command("login", {"email": EMAIL, "password": [PASSWORD]})
    client.post("/api/login", b'{"email":"%b","password":"clear-text-password"}' % EMAIL.encode())
    client.post("/rpc/query", NAME.encode())
    with contextlib.suppress(ValueError):
        client.transport.get(f"/rpc/query?token={client.token}")
    metrics = get(served, "/metrics")[1]
    token, key = str(client.token), client.key.hex()
    served.stop()
    told = served.output() + metrics
    assert "event=request.refused" in told
    assert [secret for secret in (*SECRETS, token, key) if secret in told] == []


def test_a_damaged_database_closes_the_hub_to_phones_and_says_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    prepare(data)
    with (data / FILE_NAME).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 20 * 4096)
    served = ServedHub(data)
    try:
        served.start(until="/healthz")
        assert get(served, "/readyz")[0] == 503
        assert Client(served.connect(), "c").shake().status == 503
        assert "damaged" in get(served, "/")[1]
        assert httpx.get(f"{served.url}/support-file", trust_env=False).content.startswith(b"PK")
    finally:
        served.close()


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_s6_metrics_are_for_this_machine_and_not_for_whom_a_proxy_on_it_speaks(served: ServedHub, name: str) -> None:
    answer = httpx.get(f"{served.url}/metrics", headers={name: "192.0.2.7"}, trust_env=False)
    assert (answer.status_code, "hikma_hub_" in answer.text) == (403, False)


@pytest.mark.parametrize(
    ("kept", "brought", "status"),
    [
        (None, None, 403),
        (TOKEN, None, 403),
        (TOKEN, f"Bearer {TOKEN}", 200),
        (f"{TOKEN}\n", f"bearer {TOKEN}", 200),
        (TOKEN, f"Basic {TOKEN}", 403),
        (TOKEN, f"Bearer {TOKEN}x", 403),
        (TOKEN, "Bearer ", 403),
        ("", "Bearer ", 403),
        ("short", "Bearer short", 403),
    ],
)
def test_s6_another_machine_reads_metrics_with_the_token_and_not_without(
    tmp_path: Path, kept: str | None, brought: str | None, status: int
) -> None:
    file = tmp_path / "token"
    if kept is not None:
        file.write_text(kept)
    with Site(tmp_path / "data", settings=Settings(web=WebSettings(metrics_token_file=str(file)))) as site:
        headers = {"authorization": brought} if brought else {}
        assert site.get("/metrics", **headers).status_code == status
