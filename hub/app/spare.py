"""Makes this box keep the copies of other hubs, until it becomes one of them."""

from pathlib import Path

from litestar import Litestar

from hub.actions.box import copying, identity
from hub.actions.people import setup
from hub.app import backup, reach, recovery
from hub.core import certificate
from hub.core.copy.join_code import JoinCode
from hub.core.errors import OperatorError
from hub.services.copy import shelf
from hub.services.copy.shelf import Shelf, SpareKey, This
from hub.services.copy.stick import Stick
from hub.settings import Settings
from hub.store.database import Store
from hub.web import spare


def begin(store: Store, settings: Settings) -> JoinCode:
    """Keep copies from now on; returns the code by which a hub joins. Raises OperatorError for a hub with people."""
    if not settings.copy.spare_port:
        raise OperatorError("[copy] spare_port is 0: this hub keeps no copies of others")
    check_new(store)
    found = shelf.begin(store.path.parent)
    digest = certificate.digest(found.certificate.certificate)
    return JoinCode(reach.current(store, settings).host(), settings.copy.spare_port, digest, found.token)


def end(store: Store, *, deletes: bool) -> None:
    """Keep copies no longer, and delete those that are here where it deletes; raises OperatorError for no spare."""
    if not (deletes or shelf.is_spare(store.path.parent)):
        raise OperatorError("this hub keeps no copies of others")
    shelf.end(store.path.parent, deletes=deletes)


def take_over(store: Store, copy: Stick, passphrase: str) -> None:
    """Become the hub of a copy, at the next start of this one; raises OperatorError where that cannot be."""
    check_new(store)
    recovery.become(copy, store.path.parent, backup.unlocked(copy, passphrase))


def is_whole(copy: Stick) -> bool:
    """Whether a hub can be made of a copy, up to its last entry."""
    reach = copy.reach()
    return reach.base is not None and not reach.is_broken


def check_new(store: Store) -> None:
    """Raise OperatorError where the hub has people of its own: it would be lost."""
    if not setup.is_pending(store):
        raise OperatorError("this hub is set up and has people of its own; only a new one can become another")


def application(store: Store, key: SpareKey) -> Litestar:
    """Return what other hubs find at this spare's port."""

    def this() -> This:
        return This(identity.load(store).id, copying.epoch(store))

    return Litestar(
        route_handlers=[spare.router(Shelf(store.path.parent, this), key.admits)],
        exception_handlers={Exception: spare.refuse},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )


def folder(data: Path) -> Path:
    """Return where the copies of others are kept."""
    return data / shelf.SPARE
