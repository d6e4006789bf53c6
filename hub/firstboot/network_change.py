"""Changes the Wi-Fi as an administrator asked on the page: tried for a while, and what was there before comes back.

The hub has no right to do this. It leaves a wish, of which nothing is believed here; nothing that is tried is joined by
itself before it was seen to work, so a power cut at any moment leaves the networks that worked before.
"""

import msgspec
import structlog

from hub import desk
from hub.core import wifi
from hub.core.errors import OperatorError
from hub.core.log_events import LogEvent
from hub.core.wifi import Attempt, End, Join, Networks, Offer, Wish
from hub.firstboot import network
from hub.firstboot.machine import Machine, write
from hub.firstboot.network import ACCESS_POINT, FOLDER
from hub.firstboot.report import REPORT, first_boot

WISH = "/run/hikma-hub/network"
TOLD = "/run/hikma-hub-network.json"
_WISHES: msgspec.json.Decoder[Wish] = msgspec.json.Decoder(Wish)
_TRIAL_S = 75
"""Finding the network, 25 s for its password, 30 s for an address."""
_BACK_S = 30

log = structlog.get_logger()


def carry_out(machine: Machine) -> Attempt | None:
    """Grant the wish that was left; returns how that went, None where there is none that can be read."""
    wish = desk.take(machine.path(WISH), _WISHES)
    if wish is None or wifi.unfit(wish):
        log.warning(LogEvent.NETWORK_NOT_CHANGED, reason="not a wish")
        return None
    tell(machine, trying=wish.name)
    try:
        end = _join(machine, wish) if isinstance(wish, Join) else _offer(machine, wish)
    except (OperatorError, OSError) as error:
        log.warning(LogEvent.NETWORK_NOT_CHANGED, reason=str(error))
        end = End.FAILED
    attempt = Attempt(wish.name, isinstance(wish, Offer), end, _now_on(machine))
    tell(machine, last=attempt)
    return attempt


def tell(machine: Machine, *, trying: str | None = None, last: Attempt | None = None) -> None:
    """Let the page know the networks of now, and the label the hub's own."""
    found = network.networks(machine)
    told = Networks(known=found.known, own=found.own, trying=trying, last=last)
    _write_for_hub(machine, TOLD, msgspec.json.encode(told))
    if machine.path(REPORT).exists():
        report = first_boot(machine.path(REPORT))
        name, password = network.access_point(machine)
        report = msgspec.structs.replace(report, access_point=name, access_point_password=password)
        _write_for_hub(machine, REPORT, msgspec.json.encode(report))


def _join(machine: Machine, wish: Join) -> End:
    """Join a network; one that was joined is kept, and comes before all others from then on."""
    before, folder = _active(machine), machine.path(FOLDER)
    profile = network.free_profile(folder)
    _put(machine, profile, network.to_join(profile, wish, is_trial=True))
    end = _up(machine, profile, _TRIAL_S)
    if end is End.FAILED and not wish.hidden and not _is_in_reach(machine, wish.name):
        end = End.NOT_FOUND
    if end is not End.DONE:
        _delete(machine, profile)
        _back(machine, before)
        return end
    _put(machine, profile, network.to_join(profile, wish, is_trial=False))
    for old in network.replaced(folder, profile):
        _delete(machine, old)
    own = network.networks(machine).own
    if own and own.when == "always":  # it would take the radio at the next start
        fallback = Offer(own.name, own.password, "fallback")
        _put(machine, ACCESS_POINT, network.to_offer(folder, fallback))
    return end


def _offer(machine: Machine, wish: Offer) -> End:
    """Change the hub's own network; it is opened where the radio has nothing better to do."""
    before, path = _active(machine), machine.path(FOLDER) / f"{ACCESS_POINT}.nmconnection"
    old = path.read_bytes() if path.exists() else None
    _put(machine, ACCESS_POINT, network.to_offer(path.parent, wish))
    if wish.when == "fallback" and before not in {None, ACCESS_POINT}:
        return End.DONE
    end = _up(machine, ACCESS_POINT, _TRIAL_S)
    if end is not End.DONE:
        if old is None:
            _delete(machine, ACCESS_POINT)
        else:
            _put(machine, ACCESS_POINT, old)
        _back(machine, before)
    return end


def _put(machine: Machine, profile: str, content: bytes) -> None:
    path = machine.path(FOLDER) / f"{profile}.nmconnection"
    write(path, content, mode=0o600)
    _nmcli(machine, "connection", "load", str(path))


def _delete(machine: Machine, profile: str) -> None:
    _nmcli(machine, "connection", "delete", profile, accept=(0, 10))
    (machine.path(FOLDER) / f"{profile}.nmconnection").unlink(missing_ok=True)


def _back(machine: Machine, profile: str | None) -> None:
    """Use again what was used before; where that fails, NetworkManager looks for whatever is known."""
    if profile:
        _up(machine, profile, _BACK_S)


def _up(machine: Machine, profile: str, seconds: int) -> End:
    try:
        _nmcli(machine, "--wait", str(seconds), "connection", "up", profile)
    except OperatorError as error:
        return wifi.end(str(error))
    return End.DONE


def _is_in_reach(machine: Machine, name: str) -> bool:
    """Whether the radio hears a network: NetworkManager waits for one that is not there until the time is over."""
    try:
        return name in _nmcli(machine, "-e", "no", "-g", "SSID", "device", "wifi", "list").splitlines()
    except OperatorError:
        return True


def _now_on(machine: Machine) -> str | None:
    try:
        profile = _active(machine)
    except OperatorError:
        return None
    return (network.network_name(machine.path(FOLDER), profile) or profile) if profile else None


def _active(machine: Machine) -> str | None:
    """Return the profile that the radio uses; None for none."""
    lines = _nmcli(machine, "-g", "TYPE,NAME", "connection", "show", "--active").splitlines()
    return next((line.partition(":")[2] for line in lines if line.startswith("802-11-wireless:")), None)


def _nmcli(machine: Machine, *words: str, accept: tuple[int, ...] = (0,)) -> str:
    return machine.run("env", "LC_ALL=C", "nmcli", *words, accept=accept)


def _write_for_hub(machine: Machine, at: str, content: bytes) -> None:
    write(machine.path(at), content, mode=0o640)
    machine.run("chown", ":hikma-hub", str(machine.path(at)))
