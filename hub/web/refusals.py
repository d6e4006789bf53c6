"""Turns every failure into an HTTP status and a short JSON, in one place, with nothing in it to learn from."""

import traceback
from pathlib import Path

import msgspec
import structlog
from litestar import Response
from litestar.exceptions import HTTPException

from hub.core.errors import Insufficient, PhoneError
from hub.core.log_events import LogEvent
from hub.web.body import AnyRequest
from hub.web.metrics import REFUSALS

log = structlog.get_logger()

_WORDS = {
    400: "malformed",
    401: "unauthorised",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    409: "conflict",
    413: "too large",
    421: "misdirected",
    429: "too many",
    503: "unavailable",
}

_PATH_CHARS = 100
_FRAMES = 8


def refuse(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer a refusal. The reason goes into the log; of a failed authentication the phone learns nothing."""
    path = request.url.path[:_PATH_CHARS]
    match error:
        case PhoneError():
            status, reason, retry = int(error.status), error.reason, error.retry_after_s
        case HTTPException():
            status, reason, retry = error.status_code, "no such page", None
        case _:
            status, reason, retry = 500, type(error).__name__, None
            log.error(LogEvent.REQUEST_FAILED, path=path, error=reason, where=where(error))
    log.info(LogEvent.REQUEST_REFUSED, path=path, status=status, reason=reason)
    REFUSALS.labels(str(status)).inc()
    word = _WORDS.get(status, "failed")
    public = reason if status in {400, 403, 413, 429} or isinstance(error, Insufficient) else word
    headers = {"retry-after": str(retry)} if retry else {}
    content = msgspec.json.encode({"success": False, "error": word, "message": public})
    return Response(content, status_code=status, media_type="application/json", headers=headers)


def where(error: BaseException) -> str:
    """Say where it failed, innermost last; not what with: the text of an unforeseen error may quote a record."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
