from tests.device.guest import Guest


def test_two_cards_from_one_image_are_two_hubs(flashed: Guest, losing: Guest) -> None:
    assert len(flashed.identity) == len(losing.identity) == 8
    for name, value in flashed.identity.items():
        assert value
        assert value != losing.identity[name], name
