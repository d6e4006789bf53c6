"""What a Wi-Fi network can be called, and why one was not joined."""

import pytest

from hub.core import wifi
from hub.core.wifi import End, Join, Unfit


@pytest.mark.parametrize(
    ("name", "password", "found"),
    [
        ("Clinic", "long enough", None),
        ("Clinic", None, None),
        ("عيادة الأمل للأطفا", None, Unfit.NAME),  # 33 bytes
        ("عيادة الأمل", "long enough", None),
        ("", "long enough", Unfit.NAME),
        ("two\nlines", "long enough", Unfit.NAME),
        ("Clinic", "short", Unfit.PASSWORD),
        ("Clinic", "", Unfit.PASSWORD),
        ("Clinic", "long\nenough", Unfit.PASSWORD),
        ("Clinic", "كلمة سر طويلة", Unfit.PASSWORD),
        ("Clinic", "x" * 64, Unfit.PASSWORD),
        ("Clinic", "0A" * 32, None),
    ],
)
def test_only_what_a_network_can_have_is_asked_for(name: str, password: str | None, found: Unfit | None) -> None:
    assert wifi.unfit(Join(name, password)) is found


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Error: Connection activation failed: Secrets were required, but not provided", End.PASSWORD),
        ("Error: Connection activation failed: (7) Secrets were required, but not provided.", End.PASSWORD),
        ("Error: Connection activation failed: 802.1X supplicant took too long to authenticate", End.PASSWORD),
        ("Error: Connection activation failed: The Wi-Fi network could not be found", End.NOT_FOUND),
        ("Error: Connection activation failed: IP configuration could not be reserved (no ...)", End.NO_ADDRESS),
        ("Error: Connection activation failed: No suitable device found for this connection", End.NO_RADIO),
        ("Error: Timeout expired (75 seconds)", End.FAILED),
        ("", End.FAILED),
    ],
)
def test_why_a_network_was_not_joined_is_read_from_what_networkmanager_says(said: str, why: End) -> None:
    assert wifi.end(f"env LC_ALL=C failed with 4: {said}") is why
