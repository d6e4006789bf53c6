"""A copy that is kept by another box: the files of a stick, sent over TLS to the one certificate that was pinned."""

import contextlib
import hashlib
import math
import ssl
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from hub.core.copy.chain import Span
from hub.core.copy.frames import JournalSealer
from hub.core.copy.join_code import JoinCode
from hub.core.copy.standing import Spare
from hub.core.errors import OperatorError
from hub.late import Late
from hub.services.copy.kept_there import KeptThere
from hub.services.copy.stick import Mark, Reach, base_name, journal_name

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

_TIMEOUT_S, _CONNECT_S = 20.0, 5.0
"""A phone waits 2 s at most, whatever this says; a backup is waited for by nobody."""
_STEP_BYTES = 1024 * 1024
"""Sent in one request, and then waited for."""
_LOOK_S = 2.0
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME: a hub has no clock to be relied on, and the certificate is pinned."""


def join(code: JoinCode) -> Spare:
    """Return the spare of a code; raises OperatorError where it is not there, or is another one."""
    try:
        shown = ssl.get_server_certificate((code.host, code.port), timeout=_CONNECT_S)
    except OSError as error:
        raise OperatorError(f"the spare at {code.host}:{code.port} does not answer: {error}") from error
    if hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).digest() != code.digest:
        raise OperatorError(f"at {code.host}:{code.port} another machine answers than the one that showed the code")
    return Spare(url=f"https://{code.host}:{code.port}", token=code.token.hex(), certificate=shown)


class SparePlace:
    """The spare."""

    def __init__(self, spare: Spare) -> None:
        self._line = _Line(spare)

    def epoch(self, hub_id: str) -> int:
        """Return the highest epoch of the hub that the spare knows of, its own if it took over; -1 for none."""
        return int(self._line.ask("GET", f"/spare/hubs/{hub_id}")["epoch"])

    def open(self, mark: Mark) -> "SpareCopy":
        """Return the copy with this mark; begins it where it is not there yet."""
        self._line.ask("PUT", f"/spare/copies/{mark.id}", content=msgspec.json.encode(mark))
        return SpareCopy(self._line, mark.id)

    def close(self) -> None:
        """End the connection."""
        self._line.close()


class SpareCopy:
    """One copy on the spare; raises OSError where the spare is away or refuses."""

    def __init__(self, line: "_Line", copy_id: str) -> None:
        self._line = line
        self._at = f"/spare/copies/{copy_id}"

    def look(self) -> None:
        """Ask whether the spare is there, if nothing was heard of it for a while."""
        if time.monotonic() - self._line.heard_s > _LOOK_S:
            self._line.ask("GET", "/spare/there")

    def reach(self) -> Reach:
        """Return how far the copy can be rebuilt."""
        kept = self._kept()
        return Reach(kept.base, kept.last, kept.is_broken)

    def base_age_s(self) -> float:
        """Return how old the newest whole backup is; infinite for none."""
        age_s = self._kept().base_age_s
        return math.inf if age_s is None else age_s

    def begin_journal(self, recipient: bytes) -> "SpareJournal":
        """Begin a new file."""
        number = self._kept().next_number
        return SpareJournal(self._line, f"{self._at}/files/{journal_name(number)}", JournalSealer(number, recipient))

    def put_base(self, seq: int, pieces: Iterable[bytes]) -> int:
        """Send a whole backup; it gets its name when the spare has read it back."""
        sending = _Sending(self._line, f"{self._at}/files/{base_name(seq)}")
        for piece in pieces:
            sending.add(piece)
        sending.flush()
        self._line.ask("POST", f"{sending.path}/whole", params={"digest": sending.digest.hexdigest()})
        return sending.size

    def prune(self) -> None:
        """Let the spare remove what two newer backups made needless."""
        self._line.ask("POST", f"{self._at}/prune")

    def _kept(self) -> KeptThere:
        return msgspec.convert(self._line.ask("GET", self._at), KeptThere)


class SpareJournal:
    """The journal file that is being written."""

    def __init__(self, line: "_Line", path: str, sealer: JournalSealer) -> None:
        self._sending = _Sending(line, path)
        self._sealer = sealer
        self._sending.add(sealer.header)

    def add(self, span: Span, part: bytes, *, is_last: bool) -> None:
        """Send a part of an entry; it is there after ``flush``."""
        self._sending.add(self._sealer.seal(span, part, is_last=is_last))

    def flush(self) -> None:
        """Wait until the spare has it all on its own card."""
        self._sending.flush()

    def close(self) -> None:
        """End it: nothing more is sent."""


class _Sending:
    """A file that is sent piece by piece, each to the place where the last one ended."""

    def __init__(self, line: "_Line", path: str) -> None:
        self.path = path
        self.size = 0
        self.digest = hashlib.sha256()
        self._line = line
        self._waiting = bytearray()

    def add(self, piece: bytes) -> None:
        self._waiting += piece
        while len(self._waiting) >= _STEP_BYTES:
            self._send(bytes(self._waiting[:_STEP_BYTES]))

    def flush(self) -> None:
        if self._waiting:
            self._send(bytes(self._waiting))

    def _send(self, piece: bytes) -> None:
        self._line.ask("POST", self.path, params={"at": self.size}, content=piece)
        self.digest.update(piece)
        self.size += len(piece)
        del self._waiting[: len(piece)]


class _Line:
    """The connection; every failure is an OSError, as of a stick."""

    def __init__(self, spare: Spare) -> None:
        headers = {"authorization": f"Bearer {spare.token}"}
        self._http = httpx.Client(
            base_url=spare.url,
            headers=headers,
            timeout=httpx.Timeout(_TIMEOUT_S, connect=_CONNECT_S),
            verify=_pinned(spare.certificate),
            trust_env=False,
        )
        self.heard_s = -math.inf

    def ask(self, method: str, path: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401  what httpx takes
        try:
            answer = self._http.request(method, path, **given)
            said = msgspec.json.decode(answer.content, type=dict[str, Any])
        except (httpx.HTTPError, RuntimeError, msgspec.DecodeError) as error:  # RuntimeError: it was closed meanwhile
            raise OSError(None, f"the spare does not answer ({type(error).__name__})") from error
        if not answer.is_success:
            raise OSError(None, f"the spare refuses: {said.get('message', answer.status_code)}")
        self.heard_s = time.monotonic()
        return said

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._http.close()


def _pinned(certificate: str) -> ssl.SSLContext:
    """Trust one certificate, whatever name and time it is for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    return context
