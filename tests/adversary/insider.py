"""A phone on which somebody is signed in, and which sends the worst that it may, for as long as it is let."""

import threading
from collections import Counter
from contextlib import closing, suppress
from itertools import count
from typing import Self

from hub.core.phone.cipher import Direction
from tests.hubs import EMAIL, Client, ServedHub, changes, joined, row
from tests.simulator.transport import HttpTransport, NetworkLostError

_PATIENCE_S = 60.0
_BACKSLASHES = b'{"command":"sync_push","data":{"changes":{"patients":{"created":[{"id":"' + b"\\" * 6_000_000


class Insider:
    """It, in a thread; ``heard`` counts the answers."""

    def __init__(self, hub: ServedHub) -> None:
        self.heard: Counter[int] = Counter()
        self._hub = hub
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="insider")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            with suppress(NetworkLostError), closing(HttpTransport(self._hub.url, timeout_s=_PATIENCE_S)) as transport:
                phone = joined(Client(transport, "insider"), EMAIL)
                for number in count():
                    self.heard[self._worst(phone, number)] += 1
                    if self._over.is_set():
                        return

    @staticmethod
    def _worst(phone: Client, number: int) -> int:
        """Do the next of: records that are none, a registration without end, a message of backslashes, much at once."""
        match number % 4:
            case 0:
                bad = [{**row("patients", f"{number}-{each}"), "created_at": "x"} for each in range(200)]
                return phone.push(changes("patients", created=bad)).status
            case 1:
                attributes = [{"attribute_id": f"a{each}", "string_value": "x"} for each in range(3000)]
                asked = {"patient": {"id": f"r{number}", "given_name": "x"}, "attributes": attributes}
                return phone.command("register_patient", asked).status
            case 2:
                body = phone.envelope(_BACKSLASHES, Direction.COMMAND)
                return phone.transport.post("/rpc/command", body)[0]
            case _:
                many = [row("patients", f"m{number}-{each}") for each in range(2000)]
                return phone.push(changes("patients", created=many)).status
