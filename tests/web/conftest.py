"""A served hub with narrow bounds that the tests of one file share."""

from collections.abc import Iterator

import pytest

from tests.hubs import ServedHub, prepare

SETTINGS = {
    "HIKMA_HUB_SYNC_PUSH_BYTES_MAX": str(1024**2),
    "HIKMA_HUB_LIMITS_QUARANTINE_RECORDS": "100",
    "HIKMA_HUB_LOGIN_ATTEMPTS": "2",
    "HIKMA_HUB_HUB_NAME": "<b>Clinic</b>",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    """Return a running hub; what a test changes in it for all, it puts back."""
    data = tmp_path_factory.mktemp("served") / "data"
    prepare(data)
    hub = ServedHub(data, SETTINGS)
    hub.start()
    yield hub
    hub.close()
