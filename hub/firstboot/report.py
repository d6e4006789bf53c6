"""What first boot found and made, for the rest of the hub to read."""

from pathlib import Path

import msgspec

from hub.core.status.card import CardShape

REPORT = "/run/hikma-hub-firstboot.json"


class FirstBootReport(msgspec.Struct, frozen=True, kw_only=True):
    """What first boot found and made; for the page, the console, the label and ``hikma-hub doctor``."""

    host_name: str = ""
    hub_id: str = ""
    setup_code: str | None = None
    certificate: str = ""
    ssh_fingerprint: str = ""
    access_point: str | None = None
    access_point_password: str | None = None
    key_place: str = ""
    key_protects: str = ""
    recovered: str | None = None
    """The hub whose copy this card became at this boot."""
    refused: str | None = None
    """Why hikma-hub.toml was not applied."""
    card: CardShape = CardShape.SOUND
    card_why: str = ""
    """Why it is not sound."""


def first_boot(path: Path = Path(REPORT)) -> FirstBootReport:
    """Return the report; an empty one on a machine that was not made from our image."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=FirstBootReport)
    except (OSError, msgspec.DecodeError):
        return FirstBootReport()
