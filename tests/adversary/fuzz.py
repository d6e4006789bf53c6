"""Spoils real samples of all that comes from outside, until a time is up: ``make fuzz MINUTES=5 SEED=1``.

Each target takes bytes and raises only what its caller foresees; anything else is a crash, and is kept in a file.
"""

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog

from hub.app import backup
from hub.core.errors import CloudError, HubError
from hub.core.people.attempts import Attempts
from hub.core.phone.cipher import Direction
from hub.firstboot import card_config
from hub.services.relay import pull
from hub.store.database import Store
from tests.adversary.hostile import ALLOWED, LITERALS, names
from tests.hubs import BOUNDS, POLICY, InProcessHub, changes, row

SAMPLE = Path(__file__).parents[1] / "vectors" / "cloud" / "hub_pull_full.json"
PASSPHRASE = "correct horse battery"
PATHS = ("/rpc/handshake", "/rpc/query", "/rpc/command")
CARD = """[hub]
name = "عيادة"
[[wifi]]
name = "Clinic"
password = "open sesame"
[ssh]
key = "ssh-ed25519 AAAA"
"""
_PIECES = (
    *LITERALS,
    b"\0",
    b'"',
    b"\\",
    b"\\ud83d",
    b"{",
    b"[",
    b"]",
    b"}",
    b"null",
    b"'",
    b"\n",
    b"\xff",
    b"-1",
    b"1e9",
)
_SHAKE_EVERY = 100


class Target(NamedTuple):
    """What takes bytes, and what honest ones look like."""

    take: Callable[[bytes], None]
    samples: Sequence[bytes]


def spoilt(sample: bytes, others: Sequence[bytes], luck: random.Random) -> bytes:
    """Return a sample with some of it changed, cut out, doubled, or of another one's."""
    found = bytearray(sample)
    for _ in range(luck.randint(1, 6)):
        at, end = sorted(luck.randint(0, len(found)) for _ in range(2))
        end = min(end, at + luck.choice((1, 8, 200, 10_000)))
        match luck.randrange(6):
            case 0:
                found[at:end] = luck.randbytes(luck.randint(0, 8))
            case 1:
                found[at:at] = luck.choice(_PIECES)
            case 2:
                del found[at:end]
            case 3:
                found[at:at] = found[at:end] * luck.randint(1, 3)
            case 4:
                found[at:end] = luck.choice(_PIECES)
            case _:
                other = luck.choice(others)
                start = luck.randint(0, len(other))
                found[at:end] = other[start : start + 200]
    return bytes(found)


class _Came:
    """An answer of the cloud that has arrived."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = 0

    def read(self) -> bytes:
        piece = self._content[self.size : self.size + 1000]
        self.size += len(piece)
        return piece


def cloud(folder: Path) -> Target:
    """Return what merges the cloud's answers."""
    store = Store(folder / "cloud")

    def take(content: bytes) -> None:
        with suppress(CloudError):
            pull.pull(store, _Came(content), full=len(content) % 2 == 0, step=int)  # type: ignore[arg-type]

    whole = msgspec.json.decode(SAMPLE.read_bytes())
    parts = [{**whole, "changes": {name: rows}} for name, rows in whole["changes"].items() if rows["created"]]
    return Target(take, [msgspec.json.encode(part) for part in parts])


def card(folder: Path) -> Target:
    """Return what reads hikma-hub.toml."""
    file = folder / card_config.FILE_NAME

    def take(content: bytes) -> None:
        file.write_bytes(content)
        with suppress(HubError):
            card_config.load(file)

    return Target(take, [CARD.encode(), CARD.replace("\n", "\r\n").encode("utf-8-sig")])


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


TARGETS: Mapping[str, Callable[[Path], Target]] = {"cloud": cloud, "card": card, "backup": backups, "phones": phones}


def run(make: Callable[[Path], Target], *, seed: int, most: int, seconds: float) -> tuple[int, list[tuple[bytes, str]]]:
    """Feed a target until so many inputs or seconds are over; returns how many there were, and what crashed it."""
    luck, crashes, count = random.Random(seed), [], 0
    with tempfile.TemporaryDirectory(prefix="hikma-fuzz-") as folder:
        target = make(Path(folder))
        until = time.monotonic() + seconds
        while count < most and time.monotonic() < until:
            content = spoilt(luck.choice(target.samples), target.samples, luck)
            count += 1
            try:
                target.take(content)
            except Exception:  # noqa: BLE001  that is what is looked for
                crashes.append((content, traceback.format_exc()))
    return count, crashes


def main() -> None:
    """Fuzz every target for its share of the time; exits with 1 when one crashed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=1)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    given: Any = asked.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    failed = False
    for name, make in TARGETS.items():
        count, crashes = run(make, seed=given.seed, most=sys.maxsize, seconds=given.minutes * 60 / len(TARGETS))
        print(f"{name}: {count} inputs, seed {given.seed}, {len(crashes)} crashes")  # noqa: T201
        for number, (content, trace) in enumerate(crashes[:20]):
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"{name}-{given.seed}-{number}").write_bytes(content)
            print(trace[-1500:])  # noqa: T201
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
