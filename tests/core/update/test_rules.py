import pytest

from hub.core.status.facts import Facts
from hub.core.update import rules
from hub.core.update.refusal import Refusal
from hub.core.update.rules import Bundle

ORDERED = ("0.9.0", "0.10.0.dev0", "0.10.0", "1.0.0.dev1", "1.0.0.dev2", "1.0.0", "1.0.1", "10.0.0")


def test_versions_rise_by_their_numbers_and_a_release_comes_after_what_led_to_it() -> None:
    for place, version in enumerate(ORDERED):
        assert [other for other in ORDERED if rules.is_newer(version, other)] == list(ORDERED[:place])


@pytest.mark.parametrize("version", [None, "", "1.0", "1.0.0rc1", "v1.0.0", "1.0.0\n", "١.٠.٠", "9999999.0.0"])
def test_a_version_that_cannot_be_read_is_not_newer_and_anything_is_newer_than_it(version: str | None) -> None:
    assert not rules.is_newer(version, "0.0.1")
    assert rules.is_newer("0.0.1", version or "")


def test_a_bundle_for_this_hub_is_newer_or_wanted_by_a_person() -> None:
    def unfit(version: str, *, may_be_older: bool = False, compatible: str = "pi") -> Refusal | None:
        return rules.unfit(Bundle("pi", version), compatible=compatible, current="1.0.0", may_be_older=may_be_older)

    assert unfit("1.0.1") is None
    assert unfit("1.0.0") is Refusal.NOT_NEWER
    assert unfit("0.9.0", may_be_older=True) is None
    assert unfit("2.0.0", may_be_older=True, compatible="other") is Refusal.OTHER_DEVICE


@pytest.mark.parametrize(
    ("facts", "uptime_s", "refusal"),
    [
        (Facts(), 299.9, Refusal.STARTING),
        (Facts(answering=False), 10, Refusal.STARTING),
        (Facts(syncing=1), 301, Refusal.SYNCING),
        (Facts(relaying=True), 301, Refusal.RELAYING),
        (Facts(answering=False), 301, None),
        (Facts(), 300, None),
    ],
)
def test_nobody_is_kept_waiting_by_an_update(facts: Facts, uptime_s: float, refusal: Refusal | None) -> None:
    assert rules.untimely(facts, uptime_s) is refusal
