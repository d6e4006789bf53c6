"""hikma-hub sync stop and start."""

from collections.abc import Callable

from tests.hubs import ServedHub
from tests.services.copy.copies import until


def test_phones_are_stopped_and_let_in_again_beside_the_hub_and_a_new_start_forgets_it(
    serve: Callable[..., ServedHub],
) -> None:
    served = serve()
    client = served.client()
    assert "cannot sync" in served.cli("sync", "stop").stdout
    until(lambda: client.pull().status == 503)
    assert "Syncing was stopped" in served.cli("status").stdout
    assert "can sync" in served.cli("sync", "start").stdout
    until(lambda: client.pull().status == 200)
    served.cli("sync", "stop")
    served.kill()
    served.start()
    assert served.client().pull().status == 200
