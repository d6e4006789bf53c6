"""Shows the hub at work: a handful of model phones in a made-up clinic, and what is told about them."""

import heapq
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import click

from tests.simulator.clinic import Clinic, Provider
from tests.simulator.comparison import differences
from tests.simulator.hub_process import Commands
from tests.simulator.nurse import Nurse
from tests.simulator.phone import Phone, SyncOutcome
from tests.simulator.reference import CLINIC_NAME
from tests.simulator.staff import PASSWORD, STAFF, Person
from tests.simulator.transport import HttpTransport, Transport
from tests.simulator.uplink import Uplink

PAIRING_MINUTES = 60
"""Pairing stays open longer than it takes the model phones, so that a real one can be added."""

QUIET_ROUNDS = 50
"""In so many rounds of syncing every phone must have come to rest, however small the hub's pages are."""

PAUSE_S = (0.4, 2.0)
"""Between two syncs of one phone: a nurse's minutes, made watchable."""

WORK_S, BREAK_S = 12.0, 9.0
"""With a cloud, all rest now and then: the hub relays when phones have been quiet for a moment."""

SEEN_S = 3.0
"""By then what the hub says of itself has caught up with what it did: it looks every two seconds."""

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue")


@dataclass(slots=True)
class Summary:
    """What happened, for ``--json`` and the last lines; without a cloud what is said of it is null."""

    url: str
    phones: int
    seconds: float = 0.0
    syncs: int = 0
    failed: int = 0
    pushed: int = 0
    pulled: int = 0
    sentence: str = ""
    """What the hub's page says at the end."""
    held: int = 0
    """Records that a phone which sees everything holds."""
    in_cloud: int | None = None
    """The clinic's patients there, and all that hangs on them."""
    proven: bool | None = None
    """The cloud has shown everything that was sent, and nothing waits."""
    same: bool = False
    """Phones, hub and cloud hold the same, as far as each can hold it."""
    differences: int = 0


class Show:
    """The phones of one clinic and what is told about them.

    uplink: the way to the cloud, if there is one.
    pause_s: the shortest and the longest pause between two syncs of one phone.
    """

    def __init__(
        self,
        hub: Commands,
        *,
        phones: int,
        seed: int,
        say: Callable[..., None],
        uplink: Uplink | None = None,
        connect: Callable[[str], Transport] = HttpTransport,
        pause_s: tuple[float, float] = PAUSE_S,
    ) -> None:
        self.summary = Summary(hub.url, phones)
        self._hub = hub
        self._rng = random.Random(seed)
        self._clinic = Clinic(seed)
        self._say = say
        self._uplink = uplink
        self._connect = connect
        self._pause_s = pause_s
        self._nurses: list[Nurse] = []
        self._observer: Phone | None = None

    def prepare(self) -> None:
        """Get clinic and staff, from the cloud or made on the hub; open pairing, pair and sign in every phone."""
        if self._uplink:
            self._uplink.connect()
            self._say("The hub is connected to a cloud, from which clinic, staff and forms have come.")
        else:
            self._clinic = Clinic(self._rng.getrandbits(32), clinic_id=self._make_clinic())
        self._hub.do("pairing", "open", "--minutes", str(PAIRING_MINUTES))
        qr = self._hub.do_json("pairing", "show")
        for number in range(self.summary.phones):
            phone, by = self._joined(f"phone {number + 1}", STAFF[number % len(STAFF)], qr)
            self._nurses.append(Nurse(phone, self._clinic, by, self._rng, _now_ms))
        # One more phone, which only looks: it shows what the hub would give to a new one.
        self._observer, _ = self._joined("observer", STAFF[0], qr)
        self._say(f"{self.summary.phones} phones are paired and signed in. Ctrl-C ends the show.")

    def work(self, seconds: float | None) -> None:
        """Let every phone work and sync, each in its own rhythm, until the time is over."""
        started = rested = time.monotonic()
        apart_s = self._pause_s[1] / max(1, len(self._nurses))
        turns = [(started + number * apart_s, number) for number in range(len(self._nurses))]
        try:
            while turns and (seconds is None or turns[0][0] < started + seconds):
                due, number = heapq.heappop(turns)
                self._wait(due)
                nurse = self._nurses[number]
                done = [nurse.act() for _ in range(self._rng.randrange(1, 4))]
                self._sync(nurse.phone, done[-1])
                heapq.heappush(turns, (time.monotonic() + self._rng.uniform(*self._pause_s), number))
                if self._uplink and time.monotonic() >= rested + WORK_S:
                    rested = time.monotonic() + BREAK_S
                    turns = [(due + BREAK_S, number) for due, number in turns]
        finally:
            self.summary.seconds = round(time.monotonic() - started, 3)

    def settle(self) -> None:
        """Sync and relay until nothing moves any more, then compare every phone with a new one and with the cloud."""
        if self._observer is None:
            return
        phones = [nurse.phone for nurse in self._nurses]
        self._say("All phones sync until they rest ...")
        rested = self._rest()
        if self._uplink:
            self._say("The hub relays until the cloud has shown everything ...")
            missing = self._uplink.deliver()
            self.summary.proven = not missing
            self.summary.in_cloud = self._uplink.count()
            rested = self._rest() and rested
            time.sleep(SEEN_S)
            if missing:
                self._say(f"Not everything is in the cloud: {'; '.join(missing)}", fg="red")
        found = [line for phone in phones for line in differences(phone.store, self._observer.store)]
        if self._uplink:
            found += self._uplink.differences(self._observer.store)
        self.summary.held = self._observer.holds()
        self.summary.differences = len(found)
        self.summary.same = rested and not found and self.summary.proven is not False
        self.summary.sentence = self._hub.do_json("status")["sentence"]
        self._conclude(found, rested=rested)

    def _conclude(self, found: list[str], *, rested: bool) -> None:
        everyone = f"{self.summary.phones} phones{', the hub and the cloud' if self._uplink else ' and the hub'}"
        if self.summary.same:
            count = self.summary.held if self.summary.in_cloud is None else self.summary.in_cloud
            self._say(f"All {everyone} hold the same {count} records. The hub's page says:", fg="green")
            self._say(self.summary.sentence, fg="green")
            return
        if not rested:
            self._say(f"The phones found no rest in {QUIET_ROUNDS} rounds.", fg="red")
        if found:
            self._say(f"NOT the same: {len(found)} differences, the first: {found[:3]}", fg="red")

    def _rest(self) -> bool:
        """Let all phones sync until none has anything new; returns whether that came about."""
        phones = [*(nurse.phone for nurse in self._nurses), *filter(None, [self._observer])]
        return any(self._round_is_quiet(phones) for _ in range(QUIET_ROUNDS))

    def _round_is_quiet(self, phones: Iterable[Phone]) -> bool:
        outcomes = [self._sync(phone, "rests") for phone in phones]
        return all(outcome.ok and not outcome.pulled and not outcome.pushed for outcome in outcomes)

    def _make_clinic(self) -> str:
        """Find the made-up clinic and its staff of an earlier show on this hub, or make them; returns the clinic."""
        known = {clinic["name"]: clinic["id"] for clinic in self._hub.do_json("clinic", "list")}
        clinic_id = str(known.get(CLINIC_NAME) or self._hub.do_json("clinic", "add", "--name", CLINIC_NAME)["id"])
        emails = {user["email"] for user in self._hub.do_json("user", "list")}
        for person in STAFF[: max(1, self.summary.phones)]:
            if person.email not in emails:
                words = ("--email", person.email, "--name", person.name, "--role", "provider", "--clinic", clinic_id)
                self._hub.do_json("user", "add", *words, "--password-stdin", stdin=PASSWORD + "\n")
        return clinic_id

    def _joined(self, name: str, person: Person, qr: dict[str, Any]) -> tuple[Phone, Provider]:
        # The QR code names the hub as phones on the Wi-Fi reach it; these phones live on the same machine.
        phone = Phone(
            rng=random.Random(self._rng.getrandbits(64)),
            now_ms=_now_ms,
            connect=lambda _url: self._connect(self._hub.url),
            name=name,
        )
        phone.pair(qr)
        user = phone.login(person.email, PASSWORD)
        self._sync(phone, "signed in")
        return phone, Provider(user.user_id, user.name)

    def _wait(self, until_s: float) -> None:
        """Wait until a moment of the monotonic clock, and look after the records meanwhile."""
        while True:
            if self._uplink:
                self._uplink.look()
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(left_s, 1.0))

    def _sync(self, phone: Phone, done: str) -> SyncOutcome:
        outcome = phone.sync()
        self.summary.syncs += 1
        self.summary.failed += not outcome.ok
        self.summary.pushed += outcome.pushed
        self.summary.pulled += outcome.pulled
        text = f"pushed {outcome.pushed:3}  pulled {outcome.pulled:3}  holds {phone.holds():5}  {done}"
        self._say(line(phone.name, text if outcome.ok else f"could not sync: {outcome.error}"))
        return outcome


def line(who: str, text: str) -> str:
    """Return a line of the terminal: when, who and what."""
    name = click.style(f"{who:<10}", fg=_COLOURS[ord(who[-1]) % len(_COLOURS)])
    return f"{time.strftime('%H:%M:%S')}  {name} {text}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
