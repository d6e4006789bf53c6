"""What a technician reserves in the router."""

from pathlib import Path

import pytest

from hub.services.discovery import adapters, links
from hub.services.discovery.links import NetworkLink


def test_each_link_is_told_with_what_the_router_knows_it_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = (
        NetworkLink("eth0", "192.168.1.7/24"),
        NetworkLink("usb0", "10.0.0.2/8"),
        NetworkLink("wlan0", "10.42.0.1/24"),
    )
    monkeypatch.setattr(links, "every", lambda: found)
    for name in ("eth0", "wlan0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "address").write_text(f"dc:a6:32:00:00:0{len(name)}\n")
    (tmp_path / "wlan0/wireless").mkdir()
    told = [(one.interface, one.address, one.hardware, one.is_radio) for one in adapters.every(tmp_path)]
    assert told == [
        ("eth0", "192.168.1.7", "DC:A6:32:00:00:04", False),
        ("usb0", "10.0.0.2", "", False),
        ("wlan0", "10.42.0.1", "DC:A6:32:00:00:05", True),
    ]


def test_this_machine_is_told_as_the_kernel_names_it() -> None:
    assert [one.address for one in adapters.every()] == [str(link.address) for link in links.every()]
