"""Answers what phones ask of a network to see whether it is of use; in the hub's own Wi-Fi these names lead here.

A phone that hears nothing leaves a Wi-Fi without internet, or sends what is meant for the hub by mobile data. Android
asks for ``generate_204`` (NetworkMonitor of packages/modules/NetworkStack), Apple for ``hotspot-detect.html``, Windows
for ``connecttest.txt``, Firefox for ``success.txt``, each by the name of its vendor: see dnsmasq.conf of the network
role. The answers hold nothing, so whoever asks may have them.
"""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from hub.web.body import AnyRequest
from hub.web.look import HEADERS

_APPLE = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>\n"
_TEXTS = {
    "/hotspot-detect.html": (_APPLE, "text/html"),
    "/library/test/success.html": (_APPLE, "text/html"),
    "/connecttest.txt": (b"Microsoft Connect Test", "text/plain"),
    "/ncsi.txt": (b"Microsoft NCSI", "text/plain"),
    "/success.txt": (b"success\n", "text/plain"),
}
PATHS = ("/generate_204", "/gen_204", *_TEXTS)


def handlers() -> list[HTTPRouteHandler]:
    """Return the routes."""

    @get(["/generate_204", "/gen_204"], sync_to_thread=False, status_code=204)
    def nothing() -> None:
        """Answer Android."""

    @get(list(_TEXTS), sync_to_thread=False)
    def text(request: AnyRequest) -> Response[bytes]:
        """Answer the others."""
        content, kind = _TEXTS[request.url.path]
        return Response(content, media_type=kind, headers=HEADERS)

    return [nothing, text]
