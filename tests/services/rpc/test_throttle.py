"""How often one address may shake hands (S8)."""

import pytest

from hub.core.errors import TooMany
from hub.services.rpc import throttle
from hub.services.rpc.throttle import Throttle


def takes(bucket: Throttle, count: int, now_s: float, address: str = "a") -> int:
    taken = 0
    for _ in range(count):
        try:
            bucket.take(address, now_s)
        except TooMany:
            continue
        taken += 1
    return taken


def test_so_many_may_come_at_once_and_no_more() -> None:
    assert takes(Throttle(5), 20, 0) == 5


def test_a_refusal_says_when_to_come_again() -> None:
    bucket = Throttle(1)
    takes(bucket, 1, 0)
    with pytest.raises(TooMany) as caught:
        bucket.take("a", 0)
    assert caught.value.retry_after_s == 1


def test_they_come_back_evenly() -> None:
    bucket = Throttle(60)
    takes(bucket, 60, 0)
    assert [takes(bucket, 10, second) for second in (1, 2, 5)] == [1, 1, 3]


def test_a_long_pause_gives_no_more_than_the_bound() -> None:
    bucket = Throttle(5)
    takes(bucket, 5, 0)
    assert takes(bucket, 20, 1_000_000) == 5


def test_addresses_do_not_share() -> None:
    bucket = Throttle(2)
    takes(bucket, 5, 0, "a")
    assert takes(bucket, 5, 0, "b") == 2


def test_a_refusal_costs_nothing() -> None:
    bucket = Throttle(60)
    takes(bucket, 1000, 0)
    assert takes(bucket, 10, 1) == 1


def test_addresses_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "ADDRESSES", 3)
    bucket = Throttle(1)
    for number in range(10):
        bucket.take(str(number), 0)
    assert len(bucket._buckets) == 3
