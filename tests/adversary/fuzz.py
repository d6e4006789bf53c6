"""Spoils honest samples of all that comes from outside, until a time is up: ``make fuzz MINUTES=5 SEED=1``.

Most of the time goes to the decoders, which take thousands of inputs a second; the rest to whole hubs. What crashes is
kept in a file.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import structlog

from hub.app import backup
from hub.core.errors import CloudError, HubError
from hub.core.people.attempts import Attempts
from hub.core.phone.cipher import Direction
from hub.services.relay import pull
from hub.store.database import Store
from tests.adversary import spoiling
from tests.adversary.decoders import DECODERS, PASSPHRASE, Arrived, pulls
from tests.adversary.hostile import ALLOWED, names
from tests.adversary.spoiling import Target
from tests.hubs import BOUNDS, POLICY, InProcessHub, changes, row

PATHS = ("/rpc/handshake", "/rpc/query", "/rpc/command")
_SHAKE_EVERY = 100
_HUBS_SHARE = 0.1
"""Of the time."""


def cloud(folder: Path) -> Target:
    """Return what merges the cloud's answers."""
    store = Store(folder / "cloud")

    def take(content: bytes) -> None:
        with suppress(CloudError):
            pull.pull(store, Arrived(content), full=len(content) % 2 == 0, step=int)  # type: ignore[arg-type]

    return Target(take, pulls())


def backups(folder: Path) -> Target:
    """Return what restores backups."""
    store = Store(folder / "backup")
    sample = b"".join(backup.encrypted(store, PASSPHRASE, folder / "none.toml"))
    store.close()

    def take(content: bytes) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as empty, suppress(HubError):
            backup.restore([content], Path(empty) / "hub", PASSPHRASE)

    return Target(take, [sample])


def phones(folder: Path) -> Target:
    """Return what takes the three POST bodies, and what is inside of them: the first byte says which."""
    policy = msgspec.structs.replace(POLICY, attempts=Attempts(50, 30, 900))
    hub = InProcessHub(folder / "hub", bounds=BOUNDS, policy=policy)
    hub.store.quarantine_max = 10_000_000
    client = hub.client()
    token = msgspec.json.encode(client.token)
    turns = iter(range(sys.maxsize))

    def take(content: bytes) -> None:
        if next(turns) % _SHAKE_EVERY == 0:
            client.shake()
        where, rest = content[:1], content[1:]
        kind = where[0] % 5 if where else 0
        if kind < len(PATHS):
            status = client.post(PATHS[kind], rest).status
        else:
            direction = Direction.COMMAND if kind == len(PATHS) else Direction.QUERY
            sealed = client.envelope(rest.replace(b'"TOKEN"', token), direction)
            status = client.post(f"/rpc/{direction.value.decode()}", sealed).status
        if status not in ALLOWED:
            raise AssertionError(status)

    pushed = changes("patients", created=[row("patients", "p", changed="phone")], deleted=["q", {"id": "r"}])
    inside = [b"\x03" + msgspec.json.encode({"command": "sync_push", "data": {"changes": pushed}, "token": "TOKEN"})]
    for what, name in names():
        mark = b"\x04" if what == "query" else b"\x03"
        inside.append(mark + msgspec.json.encode({what: name, "params": {}, "data": {}, "token": "TOKEN"}))
    body = {"client_id": "client-1", "payload": "AAAA", "client_public_key": "A" * 43, "device_name": "x"}
    return Target(take, [*inside, *(bytes([number]) + msgspec.json.encode(body) for number in range(len(PATHS)))])


HUBS: Mapping[str, Callable[[Path], Target]] = {"merged": cloud, "restored": backups, "phones": phones}
TARGETS = {**DECODERS, **HUBS}


def main() -> None:
    """Fuzz every target for its share of the time; exits with 1 when one crashed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=1)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    given: Any = asked.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    crashed = 0
    for targets, share in ((DECODERS, 1 - _HUBS_SHARE), (HUBS, _HUBS_SHARE)):
        seconds = given.minutes * 60 * share / len(targets)
        for name, make in targets.items():
            done = spoiling.run(make, seed=given.seed, most=sys.maxsize, seconds=seconds)
            rate, crashes = done.inputs / done.seconds, len(done.crashes)
            said = (
                f"{name}: {done.inputs} inputs, {rate:.0f} a second, slowest {done.slowest_s:.2f} s, seed {given.seed}"
            )
            print(f"{said}, {crashes} crashes", flush=True)  # noqa: T201
            _keep(given.keep, f"{name}-{given.seed}", done.crashes)
            crashed += crashes
    sys.exit(crashed > 0)


def _keep(folder: Path, name: str, crashes: list[tuple[bytes, str]]) -> None:
    for number, (content, trace) in enumerate(crashes[:20]):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}-{number}").write_bytes(content)
        print(trace[-1500:])  # noqa: T201


if __name__ == "__main__":
    main()
