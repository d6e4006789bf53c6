"""What the tests of the procedures share."""

import pytest

from tests.hubs import InProcessHub
from tests.services.rpc.procedures.ward import Ward


@pytest.fixture
def ward(hub: InProcessHub) -> Ward:
    """Return a hub with a patient, a visit and a pharmacy."""
    return Ward(hub)
