"""The page for people: one sentence that says whether everything entered is safe, and what to do."""

import html
from collections.abc import Callable
from string import Template

from litestar import MediaType, Response, Router, get

from hub.core import status
from hub.core.status import Facts

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10"><title>$name</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; color: #1d2b32 }
h1 { font-size: 1rem; font-weight: 600; color: #4b5d66 } .sentence { font-size: 1.9rem; line-height: 1.25 }
dl { display: grid; grid-template-columns: auto 1fr; gap: .3rem 1.5rem } dd { margin: 0; font-weight: 600 }
</style></head><body><main><h1>$name</h1>
<p class="sentence">$sentence</p><p>$remedy</p>
<dl><dt>Records on this hub</dt><dd>$records</dd><dt>Waiting for the cloud</dt><dd>$waiting</dd>
<dt>Paired phones</dt><dd>$devices</dd><dt>New phones</dt><dd>$pairing</dd></dl></main></body></html>
""")


def router(name: str, gather: Callable[[], Facts]) -> Router:
    """Give the page at /; ``gather`` measures when it is asked for."""

    @get("/", media_type=MediaType.HTML, sync_to_thread=True)
    def page() -> Response[str]:
        now = gather()
        state = status.state(now)
        content = _PAGE.substitute(
            name=html.escape(name),
            sentence=state.sentence,
            remedy=state.remedy,
            records=f"{now.records:,}",
            waiting=f"{now.waiting:,}",
            devices=now.devices,
            pairing=f"may pair for {now.pairing_left_s // 60 + 1} min" if now.pairing_left_s else "pairing is closed",
        )
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        return Response(content, media_type=MediaType.HTML, headers={"content-security-policy": policy})

    return Router("/", route_handlers=[page])
