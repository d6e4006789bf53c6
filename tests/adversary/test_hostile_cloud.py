"""Whatever answers in the cloud's place, the hub lives, says what is wrong, and takes in what is right beside it."""

import json
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import pytest

from hub.core.errors import CloudError, TooSlow
from hub.services.relay import body, client
from hub.services.relay import connect as connecting
from hub.services.relay.client import Cloud
from hub.services.relay.cycle import Report
from hub.services.relay.rate_limit import RateLimit
from hub.services.relay.runner import RelayRules, Runner
from hub.store import quarantine
from hub.store.database import Store
from tests.adversary.evil_cloud import CLINIC, DEVICE, JSON, Answer, EvilCloud, evil_cloud, patients, pulled, said
from tests.store import pushes

MIB = 1024 * 1024
DAY = "2026-11-20T00:00:00.000Z"
GOOD = json.dumps(
    {"id": "22222222-2222-4222-8222-222222222222", "given_name": "Layla", "created_at": DAY, "updated_at": DAY}
).encode()
MARK = b"33333333-3333-4333-8333-333333333333"


def row(more: bytes) -> bytes:
    """Return a row that goes on in an odd way."""
    return b'{"id":"' + MARK + b'","created_at":"%s","given_name":' % DAY.encode() + more + b"}"


@pytest.fixture
def cloud() -> Iterator[EvilCloud]:
    with evil_cloud() as made:
        yield made


def cycle(store: Store) -> Report:
    runner = Runner(store, RelayRules(requests_per_minute=10_000))
    try:
        report = runner.run()
    finally:
        runner.close()
    assert report is not None
    return report


def held(store: Store) -> list[str]:
    """Return the ids of what is in quarantine."""
    with store.read() as db:
        return [entry["record_id"] for entry in quarantine.entries(db)]


ODD_ROWS = {
    "200,000 levels": row(b"[" * 200_000 + b"]" * 200_000),
    "1,500 levels": row(b'{"a":' * 1500 + b"1" + b"}" * 1500),
    "a number of 400 digits": row(b'"","updated_at":' + b"9" * 400),
    "a number of 5,000 digits": row(b"9" * 5000),
    "1e999": row(b"1e999"),
    "a text of 20 MB": row(b'"' + b"x" * (20 * MIB) + b'"'),
    "a text of escapes": row(b'"' + rb"\"\\" * (5 * MIB) + b'"'),
    "a million values": row(b"[" + b"0," * 1_000_000 + b"0]"),
    "no JSON": row(b"nope"),
    "brackets that do not match": row(b"[}"),
    "bytes that are no text": row(b'"\xff\xfe"'),
}


@pytest.mark.parametrize("odd", ODD_ROWS)
def test_a_row_that_cannot_be_taken_is_held_by_its_id_and_the_pull_goes_on(
    store: Store, cloud: EvilCloud, odd: str
) -> None:
    connecting.connect(store, cloud.url, "hh_1")
    cloud.pull = said(patients(ODD_ROWS[odd], GOOD))
    report = cycle(store)
    assert (report.outcome.word, report.pulled.created) == ("done", 1)
    assert list(pushes.live(store, "patients")) == [json.loads(GOOD)["id"]]
    assert held(store) == [MARK.decode()]
    assert cycle(store).outcome.word == "done"
    assert held(store) == [MARK.decode()]


def test_half_an_emoji_is_mended(store: Store, cloud: EvilCloud) -> None:
    connecting.connect(store, cloud.url, "hh_1")
    cloud.pull = said(patients(row(rb'"a \ud83d b"')))
    assert cycle(store).pulled.created == 1
    assert pushes.kept(store, "patients", MARK.decode())["given_name"] == "a � b"


def gzipped(count: int) -> Iterator[bytes]:
    packing = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    yield packing.compress(b'{"changes":{"patients":{"created":[')
    for _ in range(count):
        yield packing.compress(b" " * MIB)
    yield packing.compress(b']}},"timestamp":1,"success":true}') + packing.flush()


def html() -> Iterator[bytes]:
    return iter(repeat(b"x" * MIB))


PULLS: dict[str, tuple[Answer, str]] = {
    "a page without end": ((200, (("content-type", "text/html"),), html), "not_the_cloud"),
    "an error without end": ((500, (("content-type", "text/html"),), html), "cloud_failing"),
    "elsewhere": ((302, (("location", "http://127.0.0.1:1/steal"),), html), "not_the_cloud"),
    "no JSON at all": ((200, JSON, html), "unreadable"),
    "JSON that is no object": (said([1, 2]), "unreadable"),
    "half of it": (said(b'{"changes":{"patients":{"created":['), "unreadable"),
    "a time of 400 digits": (said(b'{"success":true,"changes":{},"timestamp":' + b"9" * 400 + b"}"), "unreadable"),
    "a time of 5,000 digits": (said(b'{"success":true,"changes":{},"timestamp":' + b"9" * 5000 + b"}"), "unreadable"),
    "a time before all time": (said(pulled({}, timestamp=-1)), "unreadable"),
    "a time that is true": (said(pulled({}, timestamp=True)), "unreadable"),
    "success of another kind": (said(pulled({}, success="yes")), "unreadable"),
    "what is not gzip": ((200, (*JSON, ("content-encoding", "gzip")), lambda: iter([b"no gzip"])), "unreadable"),
    "packed otherwise": ((200, (*JSON, ("content-encoding", "br")), lambda: iter([b"?"])), "unreadable"),
    "a wait of nan": ((429, (("retry-after", "nan"),), lambda: iter([b""])), "busy"),
    "a wait for ever": ((429, (("retry-after", "inf"),), lambda: iter([b""])), "busy"),
    "dates of no calendar": ((500, (("date", "Mon, 99 Foo 0000 99:99:99 +9999"),), html), "cloud_failing"),
    "changes that are none": (said(pulled([[{}]])), "done"),
    "tables that are none": (said(pulled({"patients": 7, "visits": {"created": "x", "deleted": {"a": 1}}})), "done"),
    "packed": ((200, (*JSON, ("content-encoding", "gzip")), lambda: gzipped(1)), "done"),
}


@pytest.mark.parametrize("what", PULLS)
def test_an_answer_that_is_none_ends_the_cycle_with_its_reason(store: Store, cloud: EvilCloud, what: str) -> None:
    connecting.connect(store, cloud.url, "hh_1")
    cloud.pull, word = PULLS[what]
    assert cycle(store).outcome.word == word


VERIFIED: dict[str, Answer] = {
    "a page without end": (200, (("content-type", "text/html"),), html),
    "JSON without end": (200, JSON, html),
    "20,000 clinics": said({**DEVICE, "clinic_ids": [CLINIC] * 20_000}),
    "a name of 500 kB": said({**DEVICE, "name": "x" * 500_000}),
    "100,000 levels": said(b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "wrong types": said({**DEVICE, "name": None, "clinic_ids": {"a": 1}}),
    "a list": said([DEVICE]),
    "elsewhere": (307, (("location", "http://127.0.0.1:1/steal"),), html),
    "charsets that unpack": (200, (("content-type", "text/html; charset=zlib_codec"),), lambda: gzipped(1)),
    "a bomb": (200, (*JSON, ("content-encoding", "gzip")), lambda: gzipped(50)),
}


@pytest.mark.parametrize("what", VERIFIED)
def test_who_says_nonsense_of_this_hub_is_not_connected_to(store: Store, cloud: EvilCloud, what: str) -> None:
    cloud.verify = VERIFIED[what]
    with pytest.raises(CloudError):
        connecting.connect(store, cloud.url, "hh_1")


ANYTHING: tuple[object, ...] = (
    None,
    True,
    -1,
    1e308,
    2**63,
    "",
    "\0",
    "x" * 300,
    "<script>",
    [],
    [[]],
    {},
    {"a": {}},
    "9999-99-99",
)


def test_values_of_every_wrong_kind_in_every_column_stop_no_pull(store: Store, cloud: EvilCloud) -> None:
    connecting.connect(store, cloud.url, "hh_1")
    real = json.loads((Path(__file__).parents[1] / "vectors" / "cloud" / "hub_pull_full.json").read_text("utf-8"))
    tables = {name: part["created"][:1] for name, part in real["changes"].items() if part["created"]}
    changes = {
        name: {
            "created": [{**row, column: value} for row in rows for column in row for value in ANYTHING],
            "deleted": list(ANYTHING),
        }
        for name, rows in tables.items()
    }
    cloud.pull = said(pulled(changes))
    report = cycle(store)
    assert (report.outcome.word, report.pulled.refused > 100) == ("done", True), report.detail
    assert 100 < len(held(store)) <= 1000


def drip() -> Iterator[bytes]:
    yield b'{"changes":'
    while True:
        time.sleep(0.05)
        yield b" "


def test_a_byte_now_and_then_keeps_the_relay_for_no_longer_than_a_window(
    store: Store, cloud: EvilCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "_WINDOW_S", 0.3)
    connecting.connect(store, cloud.url, "hh_1")
    cloud.pull = (200, JSON, drip)
    assert cycle(store).outcome.word == "too_slow"


def test_a_small_answer_that_drips_is_cut(tmp_path: Path, cloud: EvilCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_ANSWER_S", 0.3)
    cloud.verify = (200, JSON, drip)
    speaking = Cloud(cloud.url, "hh_1", RateLimit(tmp_path, 1000))
    with pytest.raises(TooSlow):
        speaking.verify()
    speaking.close()


def bigstring() -> Iterator[bytes]:
    yield b'{"success":true,"changes":{"patients":{"created":[{"id":"%s","given_name":"' % MARK
    yield from repeat(b"x" * MIB, 150)
    yield b'"},' + GOOD + b']}},"timestamp":1790000000000}'


LARGE: dict[str, tuple[Callable[[], Iterator[bytes]], str, tuple[tuple[str, str], ...]]] = {
    "a text of 150 MB": (bigstring, "done", JSON),
    "a bomb of 200 MB": (lambda: gzipped(200), "done", (*JSON, ("content-encoding", "gzip"))),
}
ONE_CYCLE = """
import sys
from pathlib import Path
from hub.store.database import Store
from hub.services.relay.runner import RelayRules, Runner
store = Store(Path(sys.argv[1]))
report = Runner(store, RelayRules(requests_per_minute=10_000)).run()
status = Path("/proc/self/status").read_text()
print(report.outcome.word, int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.parametrize("what", LARGE)
@pytest.mark.slow
def test_what_does_not_fit_into_memory_is_passed_over(store: Store, cloud: EvilCloud, what: str) -> None:
    connecting.connect(store, cloud.url, "hh_1")
    content, word, headers = LARGE[what]
    cloud.pull = (200, headers, content)
    done = subprocess.run(
        [sys.executable, "-c", ONE_CYCLE, store.path.parent], capture_output=True, text=True, check=True, timeout=60
    )
    outcome, peak_mib = done.stdout.split()
    assert outcome == word
    assert int(peak_mib) < 130
