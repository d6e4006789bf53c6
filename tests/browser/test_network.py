"""An administrator changes the Wi-Fi of a hub that is a machine of its own, over that very Wi-Fi."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from hub.firstboot import network, network_change
from hub.firstboot.card_config import CardConfig, WifiTable
from hub.firstboot.machine import Machine
from hub.firstboot.network import FOLDER
from hub.firstboot.network_change import TOLD, WISH
from tests.browser.test_setup import LANGUAGES
from tests.browser.visit import Visit, administer
from tests.hubs import ServedHub, prepare
from tests.journeys import lan as lans
from tests.journeys.lan import Lan, lan  # noqa: F401  a fixture
from tests.simulator import processes, radio
from tests.simulator.radio import InReach, Radio

pytestmark = pytest.mark.slow

OLD, NEW = "Old router", "New router"
SECRET = "the new secret"
HUB, DESK, PORT = "10.77.0.1", "10.77.0.2/24", 14443


class Board(Machine):
    """A machine without the hub's user."""

    def run(self, *command: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,)) -> str:
        return "" if command[0] == "chown" else super().run(*command, stdin=stdin, accept=accept)


@pytest.fixture
def granting() -> Iterator[Callable[[Board], None]]:
    """Return a function that grants wishes as systemd's path unit has them granted, until the test is over."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def watch(board: Board) -> None:
        while not over.wait(0.1):
            if os.path.lexists(board.path(WISH)):
                network_change.carry_out(board)

    def begin(board: Board) -> None:
        threads.append(threading.Thread(target=watch, args=(board,)))
        threads[0].start()

    yield begin
    over.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def on_wifi(
    lan: Lan,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    granting: Callable[[Board], None],
) -> Iterator[ServedHub]:
    """Return a hub on the old Wi-Fi, as the desk is; both Wi-Fi are bridges, and its radio the port of one."""
    board = Board(tmp_path / "board")
    folder = board.path(FOLDER)
    folder.mkdir(parents=True)
    board.path(WISH).parent.mkdir(parents=True)
    network.apply(board, CardConfig(wifi=(WifiTable(OLD, "the old secret"),)))
    machine = lan.host("hub")
    machine.plug("wlan0", f"{HUB}/24", "old")
    port = ["ip", "-n", lan.namespace, "link", "set", lan.ports[0]]
    lan.network("new")
    desk = f"desk{os.getpid()}"
    lans.run("ip", "link", "add", desk, "type", "veth", "peer", "name", "desk", "netns", lan.namespace)
    lans.run("ip", "-n", lan.namespace, "link", "set", "desk", "master", "old", "up")
    lans.run("ip", "address", "add", DESK, "dev", desk)
    lans.run("ip", "link", "set", desk, "up")
    in_reach = {OLD: InReach("the old secret", bridge="old"), NEW: InReach(SECRET, bridge="new")}
    state = Radio(str(folder), in_reach, ["hikma-wifi-0"], "hikma-wifi-0", port, takes_s=3.0)
    monkeypatch.setenv("PATH", f"{radio.install(tmp_path / 'bin', state).parent}:{os.environ['PATH']}")
    data = tmp_path / "data"
    prepare(data)
    settings = {
        "HIKMA_HUB_BOX_NETWORK_WISH": str(board.path(WISH)),
        "HIKMA_HUB_BOX_NETWORK_TOLD": str(board.path(TOLD)),
        "HIKMA_HUB_WEB_HTTPS_PORT": str(PORT),
    }
    inside = ("ip", "netns", "exec", machine.namespace, *processes.HUB)
    served = ServedHub(data, settings, host="0.0.0.0", program=inside)  # noqa: S104  in a network of its own
    administer(served)
    served.url = f"http://{HUB}:{served.port}"
    network_change.tell(board)
    granting(board)
    served.start()
    yield served
    served.close()
    lans.run("ip", "link", "delete", desk)


@pytest.mark.usefixtures("on_wifi")
@pytest.mark.parametrize(("language", "wide"), [("en", False), ("ar", True)])
def test_a_wrong_password_does_not_cut_the_hub_off_and_the_page_says_so(
    chromium: Browser, record_property: Callable[[str, object], None], *, language: str, wide: bool
) -> None:
    desk = Visit(chromium, f"https://{HUB}:{PORT}", language=LANGUAGES[language], wide=wide)
    page = desk.page

    def step(name: str) -> None:
        desk.check()
        desk.picture(f"network-{language}-{name}")

    desk.sign_in()
    desk.go("/box")
    page.locator("#network a[href='/network']").click()
    step("1-now")
    page.fill("#join-name", NEW)
    page.fill("#join-password", "not its password")
    page.locator("#join button").click()
    expect(page.locator("#forms form")).to_have_count(0)
    desk.picture(f"network-{language}-2-trying")
    expect(page.locator("#ended.wrong")).to_contain_text(OLD, timeout=30_000)
    desk.complaints.clear()  # the browser's own, while the hub was away
    expect(page.locator("#ended")).to_contain_text(NEW)
    step("3-wrong-password")
    page.fill("#join-name", "No router")
    page.fill("#join-password", SECRET)
    page.locator("#join button").click()
    expect(page.locator("#ended.wrong")).to_contain_text("No router", timeout=30_000)
    desk.complaints.clear()
    step("4-not-in-reach")
    desk.close()
    record_property("did", dict(desk.did))


@pytest.mark.usefixtures("on_wifi")
def test_a_hub_that_joined_another_wifi_is_found_there(chromium: Browser, lan: Lan) -> None:  # noqa: F811
    desk = Visit(chromium, f"https://{HUB}:{PORT}")
    desk.sign_in()
    desk.go("/network")
    desk.page.fill("#join-name", NEW)
    desk.page.fill("#join-password", SECRET)
    desk.page.locator("#join button").click()
    expect(desk.page.locator("#lost")).to_be_visible(timeout=30_000)
    lans.run("ip", "-n", lan.namespace, "link", "set", "desk", "master", "new")  # as the page says
    expect(desk.page.locator("#ended.note")).to_have_text(f"The hub is connected to {NEW}.", timeout=30_000)
    desk.complaints.clear()
    desk.check()
    desk.picture("network-en-5-joined")
    desk.close()
