"""The technician's guide shows the page as it is: ``make pictures`` takes this picture over."""

from collections.abc import Callable

import pytest

from tests.browser.visit import Visit, administer
from tests.hubs import ServedHub, changes, row

pytestmark = pytest.mark.slow


def test_the_page_of_a_hub_that_is_well(served: ServedHub, visit: Callable[..., Visit]) -> None:
    administer(served)
    phone = served.client("Amal")
    phone.push(changes("patients", created=[row("patients", f"p{number}") for number in range(40)]))
    phone.pull()
    served.cli("pairing", "close")
    someone = visit(language="en-GB")
    someone.go("/")
    someone.see("Everything the phones have sent is safe on this hub.")
    someone.see("Green, steady; dips every 5 seconds")
    someone.see("42")
    someone.check()
    someone.picture("guide-page")
