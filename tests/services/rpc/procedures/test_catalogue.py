"""The catalogue page says what the registry says."""

from hub.services.rpc.procedures import catalogue, registry


def test_the_page_is_what_the_registry_says() -> None:
    assert catalogue.PATH.read_text("utf-8") == catalogue.page(), "run: make catalogue"


def test_every_procedure_is_on_it_once() -> None:
    lines = catalogue.page().splitlines()
    for procedure in registry.every():
        start = f"| `{procedure.name}` | {procedure.kind.value} |"
        assert sum(line.startswith(start) for line in lines) == 1


def test_every_procedure_says_what_it_does() -> None:
    assert all(procedure.run.__doc__ for procedure in registry.every())
