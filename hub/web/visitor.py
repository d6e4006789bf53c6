"""A visitor of the pages: language, address, whether the connection is private, and who is signed in."""

import hashlib
import hmac
import re
import secrets

import msgspec
from litestar.datastructures import Cookie

from hub.actions.people.page_sign_in import Account
from hub.web.body import AnyRequest
from hub.words import Words, choose, words

LANGUAGE_COOKIE = "hikma-hub-language"
_COOKIE = "hikma-hub"
_YEAR_S = 31_536_000
_SECURE_COOKIE = "__Host-hikma-hub"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "via")
"""What proxies add; who sends one from this machine speaks for somebody else."""
_HOST = re.compile(r"\A(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(?::\d{1,5})?\Z")
_TOKEN = re.compile(r"\A[A-Za-z0-9_-]{43}\Z")


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks.

    encrypted: the connection is TLS. unheard: nobody on the network can listen. private: a password may be taken,
    because nobody can listen or because the settings say so.
    token: the random number of the cookie; a session if somebody is signed in, else only what forms are bound to.
    """

    words: Words
    path: str
    done: str
    """What a form has just done, a word of hub.web.notes."""
    host: str
    address: str
    encrypted: bool
    unheard: bool
    private: bool
    token: str
    is_new: bool
    """The token was drawn just now, and the cookie must be set."""
    account: Account | None = None
    name: str = ""

    @property
    def form_key(self) -> str:
        """Return what a form must carry: only a page of this hub, shown to this visitor, can know it."""
        return hmac.new(self.token.encode(), b"form", hashlib.sha256).hexdigest()

    def owns(self, form_key: str) -> bool:
        """Return whether a form came from a page that this visitor was shown."""
        return hmac.compare_digest(self.form_key.encode(), form_key.encode("utf-8", "replace"))


def recognise(request: AnyRequest, *, plain_allowed: bool, language: str) -> Visitor:
    """Read who asks from a request; nobody is signed in yet. ``language`` is for who asks for none of the hub's."""
    encrypted, local, address = _line(request)
    token = request.cookies.get(_SECURE_COOKIE if encrypted else _COOKIE, "")
    is_new = not _TOKEN.match(token)
    code = choose(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""), language)
    return Visitor(
        words=words(code),
        path=request.url.path,
        done=request.query_params.get("done", ""),
        host=host_of(request.headers.get("host", "")),
        address=address,
        encrypted=encrypted,
        unheard=encrypted or local,
        private=encrypted or local or plain_allowed,
        token=secrets.token_urlsafe(32) if is_new else token,
        is_new=is_new,
    )


def cookie(token: str, *, encrypted: bool) -> Cookie:
    """Return the cookie for a token, which ends with the browser; "" takes it away."""
    name = _SECURE_COOKIE if encrypted else _COOKIE
    max_age = None if token else 0
    return Cookie(key=name, value=token, path="/", httponly=True, samesite="strict", secure=encrypted, max_age=max_age)


def language_cookie(code: str) -> Cookie:
    """Return the cookie that keeps a language for a year."""
    return Cookie(key=LANGUAGE_COOKIE, value=code, path="/", httponly=True, samesite="lax", max_age=_YEAR_S)


def host_of(header: str) -> str:
    """Return the host of a Host header, without its port; "" if it is none."""
    found = _HOST.match(header)
    return found[1] if found else ""


def address(request: AnyRequest) -> str:
    """Who is at the other end."""
    return _line(request)[2]


def is_local(request: AnyRequest) -> bool:
    """Whether a request comes from this machine itself, and not through a proxy on it."""
    forwarded = any(request.headers.get(name) for name in _FORWARDED)
    return not forwarded and request.client is not None and request.client.host in _LOOPBACK


def _line(request: AnyRequest) -> tuple[bool, bool, str]:
    """Return whether the connection is encrypted, whether it stays on this machine, and the address at its other end.

    What a proxy says is believed from this machine alone.
    """
    address = request.client.host if request.client else ""
    encrypted = request.url.scheme == "https"
    proxied = request.headers.get("x-forwarded-proto")
    if address not in _LOOPBACK or proxied is None:
        return encrypted, address in _LOOPBACK, address
    behind = request.headers.get("x-forwarded-for", "").split(",")[-1].strip()
    return proxied == "https", False, behind or address
