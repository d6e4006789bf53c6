"""The pages of a hub in this process, visited over what they take for TLS."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import httpx
import msgspec
from litestar import Litestar
from litestar.testing import TestClient

from hub.actions.people import setup
from hub.app import assembly
from hub.app.live_settings import LiveSettings
from hub.settings import Settings, WebSettings
from hub.store.database import Store
from hub.store.people import audit
from tests.hubs import new_store

ADMINISTRATOR = "amal"
ADMINISTRATOR_PASSWORD = "four words are enough"
_FORM_KEY = re.compile(r'name="form_key" value="(\w+)"')


class Site:
    """A hub's pages and one browser, from ``with`` to its end."""

    def __init__(
        self,
        data: Path,
        *,
        settings: Settings | None = None,
        environ: Mapping[str, str] | None = None,
        file: Path | None = None,
        url: str = "https://hikma-hub.local",
    ) -> None:
        self.store = Store(data) if data.exists() else new_store(data)
        self.file = file or data / "hub.toml"
        self.live = LiveSettings(settings or Settings(web=WebSettings(https_port=4443)), self.file, environ or {})
        application, self.pages, _ = assembly.create(self.store, self.live)
        self.client = TestClient(application, base_url=url)

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.__exit__(None, None, None)
        self.store.close()

    @contextlib.contextmanager
    def stranger(self, cookies: Mapping[str, str] | None = None) -> Iterator[TestClient[Litestar]]:
        """Be another browser for a while, which has not been here or holds just these cookies."""
        own = dict(self.client.cookies)
        self.client.cookies.clear()
        self.client.cookies.update(dict(cookies or {}))
        yield self.client
        self.client.cookies.clear()
        self.client.cookies.update(own)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Load a page."""
        return self.client.get(path, headers={"accept": "text/html", **headers}, follow_redirects=False)

    def submit(self, path: str, fields: Mapping[str, str], *, page: str = "", **headers: str) -> httpx.Response:
        """Send a form of ``page``, as a browser does that loaded it just now."""
        found = _FORM_KEY.search(self.get(page or path).text)
        key = found[1] if found else ""
        return self.client.post(
            path,
            data={"form_key": key, **fields},
            headers={"accept": "text/html", "origin": str(self.client.base_url).rstrip("/"), **headers},
            follow_redirects=False,
        )

    def noted(self) -> list[tuple[str, str | None]]:
        """Return what the activity log holds, newest first: what happened, and who did it."""
        with self.store.read() as db:
            return [(entry["event"], entry["actor"]) for entry in audit.entries(db)]

    def set_up(self) -> None:
        """Make the administrator."""
        setup.finish(self.store, ADMINISTRATOR, ADMINISTRATOR_PASSWORD)

    def sign_in(self, name: str = ADMINISTRATOR, password: str = ADMINISTRATOR_PASSWORD) -> httpx.Response:
        """Sign in."""
        return self.submit("/sign-in/form", {"name": name, "password": password}, page="/sign-in")


def set_web(site: Site, **values: object) -> None:
    """Change settings of the pages."""
    settings = site.live.settings
    site.live.settings = msgspec.structs.replace(settings, web=msgspec.structs.replace(settings.web, **values))
