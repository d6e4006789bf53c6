"""Carries the phone's requests to a hub; a test can stand in between and lose them."""

from typing import Protocol

import httpx

TIMEOUT_S = 60.0
"""The app sets none; a test or a demo must not hang on a hub that does."""


class NetworkLostError(Exception):
    """No answer came: refused, cut or timed out. Whether the hub got the request is unknown."""


class Transport(Protocol):
    """What a phone needs of a network. Paths begin with ``/``; any status is an answer."""

    def get(self, path: str) -> tuple[int, bytes]:
        """Send a GET; returns status and body, or raises NetworkLostError."""
        ...

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send a POST with a JSON body; returns status and body, or raises NetworkLostError."""
        ...


class HttpTransport:
    """Real HTTP with keep-alive; ``url`` is used as text, as the app does with that of the QR code."""

    def __init__(self, url: str, *, timeout_s: float | None = TIMEOUT_S) -> None:
        self._url = url
        # trust_env: a proxy of the machine that runs the demo is none of the phone's business.
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=True, trust_env=False)

    def get(self, path: str) -> tuple[int, bytes]:
        """Send a GET."""
        return self._send("GET", path, None)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send a POST with a JSON body."""
        return self._send("POST", path, body)

    def close(self) -> None:
        """Close the kept connection."""
        self._client.close()

    def _send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"} if body is not None else None
        try:
            answer = self._client.request(method, self._url + path, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NetworkLostError(f"{method} {path}: {type(error).__name__}") from error
        return answer.status_code, answer.content
