"""Filling the cloud in bulk."""

from tests.simulated.cloud.world import World


def test_bulk_patients_are_pulled_with_their_visits_and_events(world: World) -> None:
    rows = world.seed.bulk(50, 3, clinic=world.here, provider=world.provider)
    changes = world.pull()["changes"]
    counts = [len(changes[table]["created"]) for table in ("patients", "visits", "events")]
    assert (counts, sum(counts)) == ([50, 50, 150], rows)
    assert changes["patients"]["created"][0]["date_of_birth"] == "1984-02-29T00:00:00.000Z"
