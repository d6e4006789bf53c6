"""Pulls as a phone does it, with another device that pushes straight into the store."""

from typing import Any

import msgspec

from tests.hubs import Client, InProcessHub, changes, row
from tests.store.pushes import push

OTHER = 99
"""The number of that other device."""


def pull(client: Client, cursor: object = 0) -> Any:  # noqa: ANN401  any JSON
    """Return one answer."""
    answer = client.pull(cursor)
    assert answer.status == 200
    return answer.json


def pull_all(client: Client, cursor: object = 0, most: int = 1000) -> list[Any]:
    """Return answers until one is empty."""
    answers: list[Any] = []
    for _ in range(most):
        answer = pull(client, cursor)
        if not answer["changes"]:
            return answers
        answers.append(answer)
        cursor = answer["timestamp"]
    raise AssertionError(most)


def ids(answer: Any, table: str, part: str = "created") -> list[str]:  # noqa: ANN401  any JSON
    """Return the ids in one list of an answer."""
    return [record["id"] for record in answer["changes"].get(table, {}).get(part, [])]


def settled(hub: InProcessHub, client_id: str = "client-1") -> tuple[Client, Any]:
    """Return a client that holds everything, and its cursor."""
    client = hub.client(client_id)
    cursor = pull(client)["timestamp"]
    return client, pull(client, cursor)["timestamp"]


def patients(*names: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    """Return a change set of new patients."""
    return changes("patients", created=[row("patients", name, **values) for name in names])


def backlog(hub: InProcessHub, table: str, count: int, **values: Any) -> list[str]:  # noqa: ANN401  any JSON
    """Push records of rising age, the newest last; returns their ids."""
    rows = [row(table, f"{table}-{number:05}", created_at=number, **values) for number in range(count)]
    push(hub.store, changes(table, created=rows), device=OTHER)
    return [str(made["id"]) for made in rows]


def hours_pass(hub: InProcessHub, hours: int) -> None:
    """Let hub time go on."""
    clock = hub.store._clock
    hub.store._clock = msgspec.structs.replace(clock, anchor_ms=clock.anchor_ms + hours * 3_600_000)
