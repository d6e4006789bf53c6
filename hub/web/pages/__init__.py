"""The pages, one module each: what a visitor sees, and what a form on it does."""

from litestar import Router

from hub.web.desk import Desk, SignInNeeded
from hub.web.pages import (
    audit,
    box,
    cloud,
    files,
    pairing,
    people,
    phones,
    problem,
    public,
    quarantine,
    settings,
    setup,
    sign_in,
)

_PAGES = (public, setup, sign_in, phones, pairing, cloud, quarantine, box, files, people, settings, audit)


def router(here: Desk) -> Router:
    """Return every page."""
    return Router(
        "/",
        route_handlers=[route for page in _PAGES for route in page.handlers(here)],
        exception_handlers={SignInNeeded: problem.ask},
    )
