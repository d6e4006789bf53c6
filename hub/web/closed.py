"""Stands in for the phones' endpoints while the database is damaged: phones keep what they have and come again."""

from litestar import route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from hub.core.errors import Unavailable


def handlers() -> list[HTTPRouteHandler]:
    """Refuse everything below /rpc and /api with 503."""

    @route(["/rpc/{_path:path}", "/api/{_path:path}"], http_method=["GET", "POST"])
    async def refuse(_path: FromPath[str]) -> None:
        raise Unavailable("the hub's database is damaged")

    return [refuse]
