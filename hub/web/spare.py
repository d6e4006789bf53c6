"""What other hubs find at a spare's port: the files of their copies, for whoever has the spare's token."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import MediaType, Response, Router, get, post, put
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.params import FromPath, FromQuery

from hub.core.errors import HubError, PhoneError
from hub.services.copy.shelf import Shelf
from hub.web import body, refusals
from hub.web.body import AnyRequest

_PIECE_BYTES_MAX = 2 * 1024 * 1024
_HEADER_CHARS = 200
_REFUSED = 409


def router(shelf: Shelf, admits: Callable[[str], bool]) -> Router:
    """Return the routes. Nothing of a request is read, but its head, before it was admitted."""

    def check(request: ASGIConnection[Any, Any, Any, Any], _: object) -> None:
        if not admits(request.headers.get("authorization", "")[:_HEADER_CHARS]):
            raise NotAuthorizedException

    return Router("/spare", route_handlers=[*_asking(shelf), *_writing(shelf)], guards=[check])


def _asking(shelf: Shelf) -> list[Any]:
    @get("/there")
    async def there() -> dict[str, Any]:
        return {}

    @get("/hubs/{hub_id:str}")
    async def epoch(hub_id: FromPath[str]) -> dict[str, Any]:
        return {"epoch": await asyncio.to_thread(shelf.epoch, hub_id)}

    @get("/copies/{copy_id:str}")
    async def kept(copy_id: FromPath[str]) -> Any:  # noqa: ANN401  Litestar takes it for the type of the answer
        return msgspec.to_builtins(await asyncio.to_thread(shelf.kept, copy_id))

    return [there, epoch, kept]


def _writing(shelf: Shelf) -> list[Any]:
    @put("/copies/{copy_id:str}")
    async def begin(request: AnyRequest, copy_id: FromPath[str]) -> dict[str, Any]:
        mark = bytes(await body.read(request, body.SMALL_BYTES))
        return await _done(shelf.open, copy_id, mark)

    @post("/copies/{copy_id:str}/files/{name:str}")
    async def add(
        request: AnyRequest, copy_id: FromPath[str], name: FromPath[str], at: FromQuery[int]
    ) -> dict[str, Any]:
        piece = bytes(await body.read(request, _PIECE_BYTES_MAX))
        return await _done(shelf.add, copy_id, name, at, piece)

    @post("/copies/{copy_id:str}/files/{name:str}/whole")
    async def whole(copy_id: FromPath[str], name: FromPath[str], digest: FromQuery[str]) -> dict[str, Any]:
        return await _done(shelf.whole, copy_id, name, digest)

    @post("/copies/{copy_id:str}/prune")
    async def prune(copy_id: FromPath[str]) -> dict[str, Any]:
        return await _done(shelf.prune, copy_id)

    return [begin, add, whole, prune]


async def _done(act: Callable[..., None], *given: object) -> dict[str, Any]:
    await asyncio.to_thread(act, *given)
    return {}


def refuse(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer a refusal; a hub that was admitted is told why, and says it to its technician."""
    if isinstance(error, HubError) and not isinstance(error, PhoneError):
        said = msgspec.json.encode({"success": False, "error": "refused", "message": str(error)})
        return Response(said, media_type=MediaType.JSON, status_code=_REFUSED)
    return refusals.refuse(request, error)
