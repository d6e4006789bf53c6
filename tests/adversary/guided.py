"""Feeds the hub what a coverage-guided fuzzer finds: ``python -m tests.adversary.guided DATA -runs=20000 CORPUS``."""

import importlib
import sys
from pathlib import Path
from typing import Any

import msgspec

atheris: Any = importlib.import_module("atheris")  # not a dependency: it has wheels for few machines

with atheris.instrument_imports(include=["hub.core", "hub.services", "hub.store"]):
    from hub.core.people.attempts import Attempts
    from hub.core.phone.cipher import Direction
    from tests.adversary.hostile import ALLOWED, names
    from tests.hubs import BOUNDS, POLICY, InProcessHub, changes, row

PATHS = ("/rpc/handshake", "/rpc/query", "/rpc/command")
SHAKE_EVERY = 100


class Target:
    """One hub, and a phone on it that says whatever it is told."""

    def __init__(self, data: Path) -> None:
        policy = msgspec.structs.replace(POLICY, attempts=Attempts(50, 30, 900))
        self.hub = InProcessHub(data, bounds=BOUNDS, policy=policy)
        self.hub.store.quarantine_max = 10_000_000
        self.client = self.hub.client()
        self.token = msgspec.json.encode(self.client.token)
        self.turn = 0

    def __call__(self, data: bytes) -> None:
        """The first byte says where the rest goes; anything but a refusal that a phone understands is a crash."""
        self.turn += 1
        if self.turn % SHAKE_EVERY == 0:
            self.client.shake()
        which, rest = data[:1], data[1:]
        where = which[0] % 5 if which else 0
        if where < len(PATHS):
            status = self.client.post(PATHS[where], rest).status
        else:
            direction = Direction.COMMAND if where == len(PATHS) else Direction.QUERY
            inside = rest.replace(b'"TOKEN"', self.token)
            path = f"/rpc/{direction.value.decode()}"
            status = self.client.post(path, self.client.envelope(inside, direction)).status
        if status not in ALLOWED:
            raise AssertionError(status)


def seeds(corpus: Path) -> None:
    """Write what true messages look like, to begin from."""
    corpus.mkdir(exist_ok=True)
    patient = changes("patients", created=[row("patients", "p", changed="phone")], deleted=["q", {"id": "r"}])
    inside = [msgspec.json.encode({"command": "sync_push", "data": {"changes": patient}, "token": "TOKEN"})]
    inside += [msgspec.json.encode({kind: name, "params": {}, "data": {}, "token": "TOKEN"}) for kind, name in names()]
    for number, message in enumerate(inside):
        where = b"\x04" if message.startswith(b'{"query"') else b"\x03"
        (corpus / f"sealed-{number}").write_bytes(where + message)
    body = {"client_id": "client-1", "payload": "AAAA", "client_public_key": "A" * 43, "device_name": "x"}
    for number in range(len(PATHS)):
        (corpus / f"body-{number}").write_bytes(bytes([number]) + msgspec.json.encode(body))


def main() -> None:
    """Fuzz until the runs are used up; exits otherwise than 0 with what crashed the hub."""
    data, *options = sys.argv[1:]
    target = Target(Path(data))
    seeds(Path(options[-1]))
    atheris.Setup([sys.argv[0], *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
