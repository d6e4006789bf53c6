"""Does what the page asks for, and tells how it goes: nothing of a wish is believed, and it names no file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import structlog

from hub.core.errors import HubError, UpdateRefused
from hub.core.log_events import LogEvent
from hub.core.update.refusal import Refusal
from hub.core.update.told import Doing, Told
from hub.core.update.wishes import Discard, Found, GoBack, Install, Look, Source, Try, Wish
from hub.desk import Desk
from hub.services.update import address, finding, uploaded
from hub.services.update.installing import Installer
from hub.services.update.places import Places
from hub.services.update.telling import Teller

log = structlog.get_logger()


class Granting(msgspec.Struct, frozen=True, kw_only=True):
    """What carries a wish out, and tells meanwhile; ``url``: the organisation's address, "" for none."""

    places: Places
    url: str
    installer: Installer

    def carry_out(self, wish: Wish) -> None:
        """Do what is asked for; what cannot be done is told with its reason."""
        match wish:
            case Look(is_far):
                self.look(far=is_far)
            case Discard():
                uploaded.remove(self.places.kept)
                self.look()
            case Install(source):
                self._install(source)
            case Try():
                with self._told(Found(source=Source.UPLOAD)):
                    self._restart()
            case GoBack():
                with self._told(Found(source=Source.UPLOAD)):
                    self.installer.go_back()
                    self._tell(Doing.RESTARTING)

    def refresh(self) -> None:
        """Look again because something was put in or taken away; what could not be done stays told."""
        self.look(failed=self._told_now.failed)

    def look(self, *, far: bool = False, failed: Found | None = None) -> tuple[Found, ...]:
        """Look at what lies here, and at the organisation's address if it is to be asked; what is told of it stays."""
        self._tell(Doing.LOOKING, failed)
        stick, sent = self._lying(Source.STICK), self._sent()
        there = self._at() if far and self.url else self._known(Source.ADDRESS) if self.url else None
        if sent and sent.refused:
            sent, failed = None, sent
        found = tuple(filter(None, (stick, sent, there)))
        self._teller.tell(found, failed=failed)
        return found if failed is None else (*found, failed)

    def _sent(self) -> Found | None:
        """Look at what was sent through the page; what is none for this hub is not kept."""
        try:
            uploaded.take(self.places.sent, self.places.kept)
        except UpdateRefused as error:
            return finding.refused(Source.UPLOAD, error)
        found = self._lying(Source.UPLOAD)
        if found and found.refused:
            uploaded.remove(self.places.kept)
        return found

    def _lying(self, source: Source) -> Found | None:
        seen = finding.look(self.installer.box, self.places, source, current=self.installer.current)
        return seen[0] if seen else None

    def _at(self) -> Found:
        try:
            address.refuse_metered()
            size = address.size_bytes(self.url)
        except UpdateRefused as error:
            return finding.refused(Source.ADDRESS, error)
        return msgspec.structs.replace(
            finding.judge(self.installer.box, self.url, Source.ADDRESS, current=self.installer.current), size_bytes=size
        )

    def _install(self, source: Source) -> None:
        with self._told(self._known(source) or Found(source=source)):
            self._tell(Doing.INSTALLING)
            self.installer.install(self._bundle(source))
            if source is Source.UPLOAD:
                uploaded.remove(self.places.kept)
            self._restart()

    def _bundle(self, source: Source) -> Path | str:
        """Return the newest that lies there now. Raises UpdateRefused."""
        if source is Source.ADDRESS:
            address.refuse_metered()
            return self.url
        seen = finding.look(self.installer.box, self.places, source, current=self.installer.current)
        if seen is None:
            raise UpdateRefused(Refusal.PULLED if source is Source.STICK else Refusal.NOT_THERE)
        return seen[1]

    def _restart(self) -> None:
        self._tell(Doing.RESTARTING)
        self.installer.try_out()

    @contextmanager
    def _told(self, meant: Found) -> Iterator[None]:
        try:
            yield
        except (HubError, OSError) as error:
            log.warning(LogEvent.UPDATE_REFUSED, reason=str(error))
            why = error if isinstance(error, UpdateRefused) else UpdateRefused(Refusal.FAILED, detail=str(error))
            told = finding.refused(meant.source, why)
            self.look(failed=msgspec.structs.replace(told, version=told.version or meant.version))

    def _tell(self, doing: Doing, failed: Found | None = None) -> None:
        self._teller.tell(self._told_now.found, doing=doing, failed=failed)

    def _known(self, source: Source) -> Found | None:
        return next((one for one in self._told_now.found if one.source is source), None)

    @property
    def _told_now(self) -> Told:
        return Desk(told_file=str(self.places.told)).told(Told)

    @property
    def _teller(self) -> Teller:
        return Teller(box=self.installer.box, data=self.installer.data, path=self.places.told)
