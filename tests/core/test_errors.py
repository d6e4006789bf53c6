"""What errors say to whoever reads them."""

from hub.core.errors import CloudBusy


def test_a_busy_cloud_says_when_it_wants_to_be_asked_again() -> None:
    error = CloudBusy(89.6)
    assert (str(error), error.retry_after_s) == ("the cloud wants to be asked again in 90 s", 89.6)
