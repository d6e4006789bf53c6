"""Every setting of the hub once: its section, key, type, bounds, unit and default."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hub.settings.toml_file import HTTPS, ONE_LINE

_HOST_NAME = r"\A[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\Z"  # RFC 1123 section 2.1, one label


class HubSettings(msgspec.Struct, frozen=True):
    """[hub]: what the hub is called, and what it speaks."""

    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=ONE_LINE)] = "Hikma Hub"
    """What phones show; 1 to 80 characters. A name that the hub was given on its page wins."""
    language: Literal["en", "ar", "es", "fr"] = "en"
    """Language of the screen and the label, and of the web page in browsers that ask for none of its languages."""


class ServerSettings(msgspec.Struct, frozen=True):
    """[server]: where the hub listens."""

    # Phones come over the LAN, so every interface is the default.
    host: Annotated[str, Meta(min_length=1, max_length=253, pattern=ONE_LINE)] = "0.0.0.0"  # noqa: S104
    """An address of this machine, or 0.0.0.0 for all of them."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 4001
    """A TCP port; 4001 is where phones look."""


class PairingSettings(msgspec.Struct, frozen=True):
    """[pairing]: when new phones can pair."""

    mode: Literal["window", "open"] = "window"
    """``window``: while pairing was opened; ``open``: always."""
    minutes: Annotated[int, Meta(ge=1, le=240)] = 10
    """How long pairing stays open; minutes."""
    address: Literal["ip", "name"] = "ip"
    """What the QR code carries: the hub's IP address or its name."""


class DiscoverySettings(msgspec.Struct, frozen=True):
    """[discovery]: how the hub is found on the network."""

    enabled: bool = True
    """Whether the hub announces itself; one that listens on loopback alone never does."""
    host_name: Annotated[str, Meta(min_length=1, max_length=60, pattern=_HOST_NAME)] = "hikma-hub"
    """The name it answers for, followed by .local; letters, digits and hyphens. Taken ones get a number."""


class LightsSettings(msgspec.Struct, frozen=True):
    """[lights]: the lights and the button; pins are GPIO numbers, not places on the connector."""

    kind: Literal["three", "rgb"] = "three"
    """Three LEDs side by side, or one that mixes its colours."""
    green_pin: Annotated[int, Meta(ge=2, le=27)] = 17
    """Pin of the green LED."""
    blue_pin: Annotated[int, Meta(ge=2, le=27)] = 27
    """Pin of the blue LED."""
    red_pin: Annotated[int, Meta(ge=2, le=27)] = 22
    """Pin of the red LED."""
    active: Literal["high", "low"] = "high"
    """Level of a pin at which its LED is lit; low for LEDs with a common anode."""
    brightness: Annotated[int, Meta(ge=1, le=100)] = 60
    """Brightness of a lit LED; percent."""
    button_pin: Annotated[int, Meta(ge=0, le=27)] = 3
    """Pin of the button, which closes to ground; 0 for none. A switched-off Pi starts when pin 3 is grounded."""
    chip: Annotated[int, Meta(ge=-1, le=64)] = -1
    """Number of the GPIO chip (/dev/gpiochipN); -1 finds the one of a Raspberry Pi."""


class SyncSettings(msgspec.Struct, frozen=True):
    """[sync]: how much travels in one message."""

    page_bytes: Annotated[int, Meta(ge=16 * 1024, le=16 * 1024**2)] = 8 * 1024**2
    """The most that one answer to a pull holds, on a phone that confirmed half of it; bytes of records."""
    push_bytes_max: Annotated[int, Meta(ge=1024**2, le=256 * 1024**2)] = 64 * 1024**2
    """Largest push that is read; bytes of its records as JSON, after opening."""


class RelaySettings(msgspec.Struct, frozen=True):
    """[relay]: when and how much the hub sends to the cloud and fetches from it."""

    minutes: Annotated[int, Meta(ge=1, le=1440)] = 5
    """How often, when nothing is entered; minutes. What a phone brings goes at once."""
    hours_from: Annotated[int, Meta(ge=0, le=23)] = 0
    """Hour of the day, local time, from which the internet connection may be used."""
    hours_to: Annotated[int, Meta(ge=0, le=24)] = 24
    """Hour until which; earlier than ``hours_from`` means over midnight, 0 to 24 the whole day."""
    month_mb: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """How much data the relay may use in a month; units of 1,000,000 bytes, 0 for no limit."""
    batch_records: Annotated[int, Meta(ge=10, le=1000)] = 500
    """Records in one request."""
    batch_bytes: Annotated[int, Meta(ge=32 * 1024, le=16 * 1024**2)] = 1024**2
    """Bytes in one request; a single larger record goes by itself."""
    requests_per_minute: Annotated[int, Meta(ge=5, le=60)] = 40
    """Requests in any minute; the cloud refuses more than 60 from one address, which phones may share."""


class LoginSettings(msgspec.Struct, frozen=True):
    """[login]: how long a sign-in lasts and how guessing is slowed."""

    token_days: Annotated[int, Meta(ge=1, le=365)] = 30
    """Life of a sign-in on a phone after its last use; days."""
    token_days_max: Annotated[int, Meta(ge=1, le=3650)] = 365
    """Life of a sign-in on a phone however often it is used, and at least ``token_days``; days."""
    attempts: Annotated[int, Meta(ge=1, le=50)] = 5
    """Failures before waiting begins; counted per account, device and address."""
    wait_s: Annotated[int, Meta(ge=1, le=3600)] = 30
    """First wait; seconds. It doubles with every further failure."""
    wait_max_s: Annotated[int, Meta(ge=1, le=86400)] = 900
    """Longest wait; seconds."""


class LimitsSettings(msgspec.Struct, frozen=True):
    """[limits]: bounds on whatever a peer can make grow."""

    devices: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """Phones that the hub remembers."""
    sessions_per_device: Annotated[int, Meta(ge=1, le=1024)] = 128
    """Session keys of one phone that stay valid at once."""
    sessions: Annotated[int, Meta(ge=1, le=65_536)] = 4096
    """Session keys of all phones."""
    handshakes_per_minute: Annotated[int, Meta(ge=1, le=100_000)] = 1200
    """Handshakes from one address in a minute."""
    memory_mb: Annotated[int, Meta(ge=16, le=4096)] = 96
    """Answers and pushes in flight together; units of 1,048,576 bytes."""
    quarantine_records: Annotated[int, Meta(ge=100, le=1_000_000)] = 10_000
    """Records that quarantine holds."""
    workers: Annotated[int, Meta(ge=1, le=32)] = 4
    """Threads that open, store and seal messages."""


class FleetSettings(msgspec.Struct, frozen=True):
    """[fleet]: where the hub reports how it is, to whoever looks after many."""

    url: Annotated[str, Meta(min_length=0, max_length=253, pattern=ONE_LINE)] = ""
    """Address of the fleet server, without /api/...; empty for none."""
    token_file: Annotated[str, Meta(min_length=0, max_length=253, pattern=ONE_LINE)] = ""
    """A file whose one line is the hub's token; fleet.token beside the data where empty."""
    ca_file: Annotated[str, Meta(min_length=0, max_length=253, pattern=ONE_LINE)] = ""
    """A file with the certificate of the organisation's own authority (PEM); the public ones count where empty."""
    day_kb: Annotated[int, Meta(ge=16, le=100_000)] = 250
    """How much may be sent in a day; units of 1,000 bytes."""


class UpdateSettings(msgspec.Struct, frozen=True):
    """[update]: where updates of the whole hub come from, beside the stick and the page."""

    url: Annotated[str, Meta(min_length=0, max_length=253, pattern=HTTPS)] = ""
    """The https:// address of the organisation's newest update; empty for none."""


class StoreSettings(msgspec.Struct, frozen=True):
    """[store]: how the database is treated."""

    check_at_start: Literal["quick", "full", "off"] = "quick"
    """Which integrity check runs before the first phone is served."""


class CopySettings(msgspec.Struct, frozen=True):
    """[copy]: the copy of everything on a USB stick, or on another hub."""

    folder: Annotated[str, Meta(min_length=1, max_length=253, pattern=ONE_LINE)] = "/media/hikma-hub"
    """Where the page looks for a stick to begin a copy on."""
    required: bool = False
    """Whether a push is refused while it could be kept on the hub alone."""
    print_passphrase: bool = False
    """Whether the page shows the recovery passphrase on a sheet to print when a copy is begun, for the safe."""
    spare_port: Annotated[int, Meta(ge=0, le=65535)] = 4444
    """A TCP port for the copies of other hubs, on one that is their spare; 0 for none."""


class LogSettings(msgspec.Struct, frozen=True):
    """[log]: what is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Events below it are left out."""
    format: Literal["logfmt", "json"] = "logfmt"
    """One event is one line: key=value, or one JSON object."""


class WebSettings(msgspec.Struct, frozen=True):
    """[web]: the pages for people."""

    https_port: Annotated[int, Meta(ge=0, le=65535)] = 4443
    """A TCP port for the pages over TLS; 0 for none. A hub that listens on loopback alone needs none."""
    plain_sign_in: bool = False
    """Whether passwords are taken over plain HTTP from other machines, where others on the Wi-Fi can read them."""
    idle_minutes: Annotated[int, Meta(ge=1, le=720)] = 15
    """How long somebody can do nothing before being signed out; minutes."""
    show_lights: bool = False
    """Whether the first page shows the lights of the hub."""
    host_names: Annotated[str, Meta(min_length=0, max_length=1000, pattern=ONE_LINE)] = ""
    """Further names that lead to the pages, such as those of a proxy; separated by spaces."""
    metrics_token_file: Annotated[str, Meta(min_length=0, max_length=253, pattern=ONE_LINE)] = ""
    """A file whose one line opens /metrics to other machines; without one only this machine may read them."""


class BoxSettings(msgspec.Struct, frozen=True):
    """[box]: the machine that the hub runs on."""

    status_file: Annotated[str, Meta(min_length=1, max_length=253, pattern=ONE_LINE)] = "/run/hikma-hub/status.json"
    """What the lights and the console read; not written where its folder is missing."""
    restart_command: Annotated[str, Meta(min_length=0, max_length=253, pattern=ONE_LINE)] = ""
    """What starts the machine again; without one the page has no button for it."""
    shutdown_command: Annotated[str, Meta(min_length=0, max_length=253, pattern=ONE_LINE)] = ""
    """What switches the machine off."""
    erase_command: Annotated[str, Meta(min_length=0, max_length=253, pattern=ONE_LINE)] = ""
    """What has everything on the machine erased for good; without one the page has no form for it."""
    network_wish: Annotated[str, Meta(min_length=0, max_length=253, pattern=ONE_LINE)] = ""
    """The file by which the page asks for another Wi-Fi; without one it has no form for that."""
    update_wish: Annotated[str, Meta(min_length=0, max_length=253, pattern=ONE_LINE)] = ""
    """The file by which the page asks for an update; without one it has no part for that."""
    update_told: Annotated[str, Meta(min_length=1, max_length=253, pattern=ONE_LINE)] = "/run/hikma-hub-update.json"
    """The file that tells the page which updates are there, and what became of the last one."""
    network_told: Annotated[str, Meta(min_length=1, max_length=253, pattern=ONE_LINE)] = "/run/hikma-hub-network.json"
    """The file that tells the page which networks this machine knows, and how the last change went."""


class Settings(msgspec.Struct, frozen=True):
    """All sections; ``Settings()`` is every default."""

    hub: HubSettings = HubSettings()
    server: ServerSettings = ServerSettings()
    pairing: PairingSettings = PairingSettings()
    discovery: DiscoverySettings = DiscoverySettings()
    lights: LightsSettings = LightsSettings()
    sync: SyncSettings = SyncSettings()
    relay: RelaySettings = RelaySettings()
    login: LoginSettings = LoginSettings()
    limits: LimitsSettings = LimitsSettings()
    fleet: FleetSettings = FleetSettings()
    update: UpdateSettings = UpdateSettings()
    store: StoreSettings = StoreSettings()
    copy: CopySettings = CopySettings()
    log: LogSettings = LogSettings()
    web: WebSettings = WebSettings()
    box: BoxSettings = BoxSettings()
