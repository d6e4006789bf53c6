"""Shows the hub at work: the real hub, a handful of model phones and a made-up clinic."""

import contextlib
import heapq
import json
import random
import secrets
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import click

from hub.demo.clinic import Clinic, Provider
from hub.demo.comparison import differences
from hub.demo.hub_process import HubProcess, HubProcessError
from hub.demo.nurse import Nurse
from hub.demo.phone import Outcome, Phone
from hub.demo.rpc import CallFailedError
from hub.demo.transport import HttpTransport, Transport

PAIRING_MINUTES = 60
"""Pairing stays open longer than it takes the model phones, so that a real one may join."""

QUIET_ROUNDS = 50
"""In so many rounds of syncing every phone must have come to rest, however small the hub's pages are."""

SETTINGS = {"HIKMA_HUB_WEB_SHOW_LIGHTS": "true"}
"""There is no box with lights: its page draws them."""

PAUSE_S = (0.4, 2.0)
"""Between two syncs of one phone: a nurse's minutes, made watchable."""

_STAFF = ("Dr. Amal Haddad", "Sr. Lucía Núñez", "Dr. Tadesse Bekele", "Nurse Ayesha Rahman", "Inf. Zoé N'Diaye")
_COLOURS = ("cyan", "green", "magenta", "yellow", "blue")


@dataclass(slots=True)
class Summary:
    """What happened, for ``--json`` and the last lines."""

    url: str
    phones: int
    seconds: float = 0.0
    syncs: int = 0
    failed: int = 0
    pushed: int = 0
    pulled: int = 0
    held: int = 0
    same: bool = False
    differences: int = 0


def run_demo(
    *,
    data: Path | None,
    host: str = "127.0.0.1",
    port: int = 4001,
    phones: int = 5,
    seconds: float | None = None,
    seed: int = 1,
    as_json: bool = False,
    leave_setup: bool = False,
) -> int:
    """Run the show until ``seconds`` are over or Ctrl-C; gives the exit code.

    data: the hub's directory; None for a temporary one that is thrown away.
    leave_setup: leave the first visit of the page, with its setup code, to whoever watches.
    0: all phones and the hub hold the same at the end. 1: they do not, or the hub failed.
    """
    with tempfile.TemporaryDirectory(prefix="hikma-hub-demo-") as scratch, _ended_by_sigterm():
        folder, log = data or Path(scratch) / "data", Path(scratch) / "serve.log"
        hub = HubProcess(folder, host=host, port=port, log=log, settings=SETTINGS)
        try:
            with hub:
                told = _setup_code(hub) if leave_setup else _administrator(hub)
                if not as_json:
                    click.echo(told)
                show = Show(hub, phones=phones, seed=seed, quiet=as_json)
                show.prepare()
                with contextlib.suppress(KeyboardInterrupt):
                    show.work(seconds)
                show.settle()
        except (HubProcessError, CallFailedError) as error:
            click.echo(f"demo: {error}", err=True)
            return 1
        except KeyboardInterrupt:
            click.echo("demo: stopped before the phones were compared", err=True)
            return 130
        if as_json:
            click.echo(json.dumps(asdict(show.summary)))
        return 0 if show.summary.same else 1


def _administrator(hub: HubProcess) -> str:
    """Make someone who can sign in on the page; gives how."""
    name, password = "demo", secrets.token_urlsafe(9)
    known = {row["name"] for row in hub.cli_json("admin", "list")}
    hub.cli("admin", "password" if name in known else "add", name, "--password-stdin", stdin=password + "\n")
    return f"Its page is at {hub.url}; sign in there as {name} with the password {password}"


def _setup_code(hub: HubProcess) -> str:
    code = hub.cli_json("setup-code")["setup_code"]
    return f"Its page is at {hub.url}; " + (f"set it up there with the code {code}" if code else "it is set up already")


class Hub(Protocol):
    """What the show needs of a hub: its address and its command line."""

    url: str

    def cli(self, *words: str, stdin: str | None = None) -> str:
        """Run one command; gives what it printed."""
        ...

    def cli_json(self, *words: str, stdin: str | None = None) -> Any:  # noqa: ANN401  any JSON
        """Run one command with ``--json``; gives what it printed, read."""
        ...


class Show:
    """The phones of one clinic and what is told about them.

    pause_s: the shortest and the longest pause between two syncs of one phone.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        phones: int,
        seed: int,
        quiet: bool,
        connect: Callable[[str], Transport] = HttpTransport,
        pause_s: tuple[float, float] = PAUSE_S,
    ) -> None:
        self.summary = Summary(hub.url, phones)
        self._hub = hub
        self._rng = random.Random(seed)
        self._clinic = Clinic(seed)
        self._quiet = quiet
        self._connect = connect
        self._pause_s = pause_s
        self._nurses: list[Nurse] = []
        self._observer: Phone | None = None

    def prepare(self) -> None:
        """Make clinic and staff on the hub, open pairing, pair and sign in every phone."""
        self._say(f"The hub runs at {self.summary.url}")
        clinic_id = self._clinic_id()
        self._clinic = Clinic(self._rng.getrandbits(32), clinic_id=clinic_id, name=self._clinic.name)
        self._hub.cli("pairing", "open", "--minutes", str(PAIRING_MINUTES))
        qr = self._hub.cli_json("pairing", "show")
        for number in range(self.summary.phones):
            phone, by = self._joined(f"phone {number + 1}", _STAFF[number % len(_STAFF)], clinic_id, qr)
            self._nurses.append(Nurse(phone, self._clinic, by, self._rng, _now_ms))
        # One more phone, which only looks: it shows what the hub would give to a new one.
        self._observer, _ = self._joined("observer", "Observer", clinic_id, qr)
        self._say(f"{self.summary.phones} phones are paired and signed in. Ctrl-C ends the show.")

    def work(self, seconds: float | None) -> None:
        """Let every phone work and sync, each in its own rhythm, until the time is over."""
        started = time.monotonic()
        apart_s = self._pause_s[1] / max(1, len(self._nurses))
        turns = [(started + number * apart_s, number) for number in range(len(self._nurses))]
        try:
            while turns and (seconds is None or turns[0][0] < started + seconds):
                due, number = heapq.heappop(turns)
                time.sleep(max(0.0, due - time.monotonic()))
                nurse = self._nurses[number]
                done = [nurse.act() for _ in range(self._rng.randrange(1, 4))]
                self._sync(nurse.phone, done[-1])
                heapq.heappush(turns, (time.monotonic() + self._rng.uniform(*self._pause_s), number))
        finally:
            self.summary.seconds = round(time.monotonic() - started, 3)

    def settle(self) -> None:
        """Sync until nothing moves any more, then compare every phone with what a new one gets from the hub."""
        if self._observer is None:
            return
        phones = [nurse.phone for nurse in self._nurses]
        self._say("All phones sync until they rest ...")
        rested = any(self._round_is_quiet((*phones, self._observer)) for _ in range(QUIET_ROUNDS))
        found = [line for phone in phones for line in differences(phone.store, self._observer.store)]
        self.summary.held = self._observer.holds()
        self.summary.differences = len(found)
        self.summary.same = rested and not found
        if self.summary.same:
            self._say(f"All {len(phones)} phones and the hub hold the same {self.summary.held} records.", fg="green")
        else:
            rest = "" if rested else f" after {QUIET_ROUNDS} rounds without rest"
            self._say(f"NOT the same{rest}: {len(found)} differences, the first: {found[:3]}", fg="red")

    def _round_is_quiet(self, phones: Iterable[Phone]) -> bool:
        outcomes = [self._sync(phone, "rests") for phone in phones]
        return all(outcome.ok and not outcome.pulled and not outcome.pushed for outcome in outcomes)

    def _clinic_id(self) -> str:
        """Find the made-up clinic of an earlier show on this hub, or make it."""
        known = self._hub.cli_json("clinic", "list")
        found = [clinic["id"] for clinic in known if clinic["name"] == self._clinic.name]
        return str(found[0] if found else self._hub.cli_json("clinic", "add", "--name", self._clinic.name)["id"])

    def _joined(self, name: str, staff: str, clinic_id: str, qr: dict[str, object]) -> tuple[Phone, Provider]:
        email = f"demo-{secrets.token_hex(4)}@clinic.example"
        password = secrets.token_urlsafe(12)
        words = ("user", "add", "--email", email, "--name", staff, "--role", "provider", "--clinic", clinic_id)
        self._hub.cli_json(*words, "--password-stdin", stdin=password + "\n")
        # The QR code names the hub as phones on the Wi-Fi reach it; these phones live on the same machine.
        phone = Phone(
            rng=random.Random(self._rng.getrandbits(64)),
            now_ms=_now_ms,
            connect=lambda _url: self._connect(self._hub.url),
            name=name,
        )
        phone.pair(qr)
        user = phone.login(email, password)
        self._sync(phone, "signed in")
        return phone, Provider(user.user_id, user.name)

    def _sync(self, phone: Phone, done: str) -> Outcome:
        outcome = phone.sync()
        self.summary.syncs += 1
        self.summary.failed += not outcome.ok
        self.summary.pushed += outcome.pushed
        self.summary.pulled += outcome.pulled
        text = f"pushed {outcome.pushed:3}  pulled {outcome.pulled:3}  holds {phone.holds():5}  {done}"
        name = click.style(f"{phone.name:<10}", fg=_COLOURS[ord(phone.name[-1]) % len(_COLOURS)])
        self._say(
            f"{time.strftime('%H:%M:%S')}  {name} " + (text if outcome.ok else f"could not sync: {outcome.error}")
        )
        return outcome

    def _say(self, text: str, fg: str | None = None) -> None:
        if not self._quiet:
            click.secho(text, fg=fg)  # click leaves colours out where no one can see them


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that the hub is not left behind."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
