"""Writes what is committed to the stick, beside the commit; a phone waits for it, but not for a stick that hangs.

One thread writes. What it is handed inside a transaction (``take``) it writes at once; whatever it was not handed,
because the stick was away or another process wrote, it finds in the database's log of changes and catches up. Nothing
waits in memory for a stick that is away. Whole backups are written by a thread of their own, beside the journal.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import msgspec
import structlog

from hub.actions.box import copying
from hub.core.copy.chain import Span
from hub.core.copy.entry import Noted, Part, encode
from hub.core.copy.standing import Copy, CopyStanding, CopyState, is_base_due
from hub.core.errors import OperatorError, Unavailable
from hub.core.log_events import LogEvent
from hub.services.copy import place as places
from hub.services.copy.place import KeptCopy, OpenJournal, Place
from hub.services.copy.stick import Mark
from hub.store.database import Store

WAIT_S = 2.0
"""What a phone waits for the stick at most, once; then it counts as away until all is on it again."""
_LOOK_S = 2.0
"""How often is looked for a stick, and for what other processes wrote."""
_QUEUE_BYTES = 16 * 1024 * 1024
"""What is handed over inside transactions; the rows of one that is larger are read after the commit."""
_FILE_BYTES = 64 * 1024 * 1024
_FILE_S = 86_400.0
"""A journal file is closed when it is so large or so old."""
_TRIM = 200
"""Transactions after which the log forgets what is copied."""
_BASE_PAUSE_S = 600.0
"""After a backup that failed."""
_UNKNOWN = -1

log = structlog.get_logger()


class _Entry(msgspec.Struct):
    seq: int
    parts: list[bytes]
    is_taken_back: bool = False


class CopyWriter:
    """The copy of one hub.

    make_base: makes a whole backup for a public key; returns the transaction that it covers, and its bytes.
    mark: says what the folder on the stick says of this hub.
    beside: the files beside the database that belong to the copy, by their names in a backup.
    """

    def __init__(
        self,
        store: Store,
        *,
        make_base: Callable[[bytes], tuple[int, Iterator[bytes]]],
        mark: Callable[[Copy], Mark],
        beside: Mapping[str, Path],
        wait_s: float = WAIT_S,
    ) -> None:
        self._store = store
        self._make_base = make_base
        self._mark = mark
        self._beside = beside
        self._wait_s = wait_s
        self._changed = threading.Condition()
        self._queue: deque[_Entry] = deque()
        self._writing: list[_Entry] = []
        self._tail = self._copied = _UNKNOWN
        """The last transaction that is on the stick or queued for it, and the last that is on it."""
        self._wanted = 0
        self._wanted_s = time.monotonic()
        self._is_present = self._is_over = False
        self._copy: Copy | None = None
        self._place: Place | None = None
        self._stick: KeptCopy | None = None
        self._journal: OpenJournal | None = None
        self._opened_s = 0.0
        self._bytes = self._trimmed = 0
        self._files_seen: dict[str, int] = {}
        self._base: threading.Thread | None = None
        self._is_to_prune = False
        self._based_s: float | None = None
        """When the last whole backup was made; None while one is needed."""
        self._base_not_before_s = 0.0
        self._told: CopyState | None = None
        self._thread = threading.Thread(target=self._run, name="copy", daemon=True)

    def start(self) -> None:
        """Begin, beside the hub that serves."""
        copying.resume(self._store)
        self._store.is_replaced = copying.is_replaced(self._store)
        self._tell(CopyStanding.AWAY)
        self._store.copier = self
        self._thread.start()

    def close(self) -> None:
        """Write what is waiting, and end; a stick that hangs is left."""
        self._store.copier = None
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join(self._wait_s)

    # What the store calls

    def take(self, noted: Noted, read: Callable[[], Iterator[bytes]]) -> None:
        """Queue a transaction, if nothing before it is missing and there is room for it."""
        if self._tail != noted.seq - 1:
            return
        with self._changed:
            room = _QUEUE_BYTES - sum(map(len, chain.from_iterable(entry.parts for entry in self._queue)))
        parts = []
        for part in read():
            room -= len(part)
            if room < 0:
                return
            parts.append(part)
        with self._changed:
            if self._tail == noted.seq - 1:
                self._queue.append(_Entry(noted.seq, parts))
                self._tail = noted.seq
                self._changed.notify_all()

    def take_back(self, noted: Noted) -> None:
        """Take a transaction for not copied; the next one has its number, and its entry takes the place of this one."""
        with self._changed:
            for entry in (*self._queue, *self._writing):
                entry.is_taken_back |= entry.seq == noted.seq
            self._tail = min(self._tail, noted.seq - 1)
            self._copied = min(self._copied, noted.seq - 1)

    @property
    def is_safe(self) -> bool:
        """Whether the stick has all that was committed, as far as is known."""
        return self._is_present and self._based_s is not None

    def wait(self, noted: Noted) -> bool:
        """Wait until a transaction is on the stick, unless the stick is away; returns whether it is there."""
        self._wanted_s = time.monotonic()
        until_s = self._wanted_s + self._wait_s
        with self._changed:
            self._wanted = max(self._wanted, noted.seq)
            self._changed.notify_all()
            while self._is_present and self._copied < noted.seq:
                left_s = until_s - time.monotonic()
                if left_s <= 0:
                    self._is_present = False
                    break
                self._changed.wait(left_s)
            else:
                return self.is_safe
        self._tell(CopyStanding.AWAY, "the stick does not answer in time")
        return False

    # The thread

    def _run(self) -> None:
        while True:
            with self._changed:
                if not (self._queue or self._is_over or 0 <= self._copied < self._wanted):
                    self._changed.wait(_LOOK_S)
                is_over = self._is_over
            try:
                self._turn()
            except (OSError, OperatorError, Unavailable) as error:
                self._lose(error)
                if not is_over:
                    time.sleep(min(_LOOK_S, self._wait_s))
            if is_over:
                self._let_go()
                return

    def _turn(self) -> None:
        """Bring the copy up to date, once; raises OSError or OperatorError where the stick is away."""
        copy = copying.config(self._store)
        if copy != self._copy:
            self._let_go()
            self._copy = copy
        if copy is None:
            return
        stick = self._stick or self._find(copy)
        stick.look()
        self._write_queue(copy, stick)
        self._look_at_files()
        if 0 <= self._copied < copying.last(self._store) and not self._queue:
            self._catch_up(copy, stick)
        self._back_up(copy, stick)
        self._settle()

    def _find(self, copy: Copy) -> KeptCopy:
        """Find the stick, and how far it is; raises OperatorError."""
        self._place = place = places.of(copy)
        mark = self._mark(copy)
        if place.epoch(mark.hub_id) > mark.epoch:
            copying.retire(self._store)
            raise OperatorError("another box is this hub now")
        stick = place.open(mark)
        reach = stick.reach()
        self._stick = stick
        with self._changed:
            self._based_s = None if reach.base is None or reach.is_broken else time.monotonic() - stick.base_age_s()
            is_known = self._based_s is not None
            self._tail = self._copied = min(reach.last, copying.last(self._store)) if is_known else _UNKNOWN
        return stick

    def _write_queue(self, copy: Copy, stick: KeptCopy) -> None:
        with self._changed:
            self._writing = [entry for entry in self._queue if not entry.is_taken_back]
            self._queue.clear()
        if not self._writing:
            return
        journal = self._open_journal(copy, stick)
        for entry in self._writing:
            self._write(journal, Span(entry.seq, entry.seq), iter(entry.parts))
        journal.flush()
        with self._changed:
            self._copied = max([self._copied, *(entry.seq for entry in self._writing if not entry.is_taken_back)])
            self._writing = []
            self._changed.notify_all()

    def _catch_up(self, copy: Copy, stick: KeptCopy) -> None:
        """Write what the stick lacks by the log of changes; transactions from now on are queued behind it."""
        with copying.lacking(self._store, self._copied) as found:
            if found is None:
                with self._changed:
                    self._based_s, self._tail, self._copied = None, _UNKNOWN, _UNKNOWN
                return
            with self._changed:
                self._tail = max(self._tail, found.span.last)
                self._queue = deque(entry for entry in self._queue if entry.seq > found.span.last)
            journal = self._open_journal(copy, stick)
            self._write(journal, found.span, chain([encode(Part(files=self._files()))], found.parts))
        journal.flush()
        with self._changed:
            self._copied = max(self._copied, found.span.last)
            self._changed.notify_all()

    def _write(self, journal: OpenJournal, span: Span, parts: Iterator[bytes]) -> None:
        """Write an entry, part by part as they come; the last one is known by that none follows."""
        part = next(parts)
        while part:
            following = next(parts, b"")
            journal.add(span, part, is_last=not following)
            self._bytes += len(part)
            part = following

    def _open_journal(self, copy: Copy, stick: KeptCopy) -> OpenJournal:
        if self._journal and (self._bytes > _FILE_BYTES or time.monotonic() - self._opened_s > _FILE_S):
            self._journal.close()
            self._journal = None
        if self._journal is None:
            self._journal = stick.begin_journal(copy.recipient)
            self._opened_s, self._bytes = time.monotonic(), 0
        return self._journal

    def _settle(self) -> None:
        """Say how the copy is, when there was time to look."""
        with self._changed:
            is_level = 0 <= self._copied >= max(self._tail, self._wanted) and not self._queue
            self._is_present = self._is_present or is_level
        self._tell(CopyStanding.SAFE if self.is_safe else CopyStanding.BEHIND)
        if is_level and self._copied - self._trimmed > _TRIM:
            copying.trim(self._store, self._copied)
            self._trimmed = self._copied

    # Whole backups

    def _back_up(self, copy: Copy, stick: KeptCopy) -> None:
        """Begin a whole backup where one is due; what is committed after it goes into the journal meanwhile."""
        if self._is_to_prune:
            self._is_to_prune = False
            stick.prune()
        now_s = time.monotonic()
        is_due = self._based_s is None or is_base_due(
            age_s=now_s - self._based_s, quiet_s=now_s - self._wanted_s, hour=time.localtime().tm_hour
        )
        if is_due and self._base is None and now_s >= self._base_not_before_s:
            self._base = threading.Thread(
                target=self._put_base, args=(copy, stick), name="whole backup to the stick", daemon=True
            )
            self._base.start()

    def _put_base(self, copy: Copy, stick: KeptCopy) -> None:
        try:
            seq, pieces = self._make_base(copy.recipient)
            with self._changed:
                if self._stick is stick and self._copied == _UNKNOWN:
                    self._tail = self._copied = seq
            size = stick.put_base(seq, pieces)
        except (OSError, OperatorError) as error:
            log.warning(LogEvent.COPY_NOT_BACKED_UP, reason=_reason(error))
            self._base_not_before_s = time.monotonic() + _BASE_PAUSE_S
        else:
            log.info(LogEvent.COPY_BACKED_UP, bytes=size)
            with self._changed:
                self._based_s = time.monotonic() if self._stick is stick else self._based_s
                self._is_to_prune = True
        finally:
            self._base = None
            with self._changed:
                self._changed.notify_all()

    # Files beside the database

    def _look_at_files(self) -> None:
        """Count a change of the settings or the certificate as a transaction, which the journal then has.

        What changed while the stick was away counts too: of a stick that is back nobody knows which files it has.
        """
        if self._copied >= 0 and self._files_now() != self._files_seen:
            copying.note_file(self._store)

    def _files(self) -> dict[str, bytes]:
        """Return the files beside the database, if they changed since they were last written."""
        now = self._files_now()
        if now == self._files_seen:
            return {}
        self._files_seen = now
        return {name: path.read_bytes() for name, path in self._beside.items() if name in now}

    def _files_now(self) -> dict[str, int]:
        found = {}
        for name, path in self._beside.items():
            with contextlib.suppress(OSError):
                found[name] = path.stat().st_mtime_ns
        return found

    # Away

    def _lose(self, error: Exception) -> None:
        """Take the stick for away: nothing waits for it any more."""
        self._let_go()
        self._tell(CopyStanding.AWAY, _reason(error))

    def _let_go(self) -> None:
        with self._changed:
            self._is_present = False
            self._tail = self._copied = _UNKNOWN
            self._queue.clear()
            self._writing = []
            self._stick = None
            self._changed.notify_all()
        if self._place:
            self._place.close()
        self._place = None
        if self._journal:
            self._journal.close()
        self._journal = None
        self._files_seen = {}

    def _tell(self, standing: CopyStanding, detail: str = "") -> None:
        if self._told and (self._told.standing, self._told.detail) == (standing, detail):
            return
        with contextlib.suppress(Unavailable):
            now = CopyState(standing=standing, since_ms=copying.now_ms(self._store), detail=detail)
            copying.note_condition(self._store, now)
            self._told = now
            log.info(LogEvent.COPY, standing=standing.value)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
