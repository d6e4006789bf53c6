"""Stands in for the phones' endpoints while the database is damaged: phones keep what they have and come again."""

from litestar import Router, route
from litestar.params import FromPath

from hub.core.errors import Unavailable


def router() -> Router:
    """Refuse everything below /rpc and /api with 503."""

    @route(["/rpc/{_path:path}", "/api/{_path:path}"], http_method=["GET", "POST"])
    async def refuse(_path: FromPath[str]) -> None:
        raise Unavailable("the hub's database is damaged")

    return Router("/", route_handlers=[refuse])
