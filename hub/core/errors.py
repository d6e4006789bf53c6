"""The one tree of errors, split by who must act.

HubError
├── PhoneError          the phone (or who speaks like one) must act; becomes an HTTP status
│   ├── Malformed       400  the message is not what the protocol asks for
│   ├── Unauthorised    401  no session, key, token or user stands behind it
│   ├── Forbidden       403  known, but not allowed
│   ├── NotFound        404  no such procedure or record
│   ├── Conflict        409  it was used before
│   │   └── Insufficient     less is there than was asked for
│   ├── TooLarge        413  over a named bound
│   ├── WrongHost       421  reached by a name that is not the hub's
│   ├── TooMany         429  too often; ``retry_after_s`` says when again
│   └── Unavailable     503  the hub cannot take it now; nothing was stored
│       └── NotServing           an administrator stopped it for a while
├── CloudError          the cloud, or the internet connection, must recover; the relay tries again
│   ├── NoLine              nothing answers, or the answer was cut off
│   │   └── TooSlow             it came so slowly that it would never have ended
│   ├── KeyRefused          the cloud does not know this hub's key
│   ├── CloudBusy           too many requests; ``retry_after_s`` says when again
│   └── CloudFailing        it answers, but not as it should
│       ├── NotTheCloud         something else answered in its place
│       ├── TooLargeAnswer      over a named bound
│       └── Unreadable          it is not the JSON that it should be
├── BadRecord           one record is not accepted; it goes to quarantine, its push goes on
│   └── NotAllowed      because of who brought it
└── OperatorError       a person at the hub must act; the text says what to do
    ├── NotThere        what was named does not exist, or no more
    ├── AlreadyExists   what was named exists already
    ├── NoRoom          the disk is too full for it
    ├── NotABackup      a file is something else
    ├── WrongPassphrase     it does not open the backup, or the backup is damaged
    ├── TooNew          a newer hub made it
    ├── SettingError    a setting is unknown or wrong
    │   └── SettingsRefused     values that a form brought are not allowed, or cannot be written
    ├── UpdateRefused   an update is not installed; ``refusal`` says why
    └── StoreError      the database is missing, locked or not ours to open
        └── Damaged     the database is not readable as one
"""

from http import HTTPStatus

from hub.core.reasons import Reason
from hub.core.update.refusal import Refusal


class HubError(Exception):
    """Any failure that the hub foresees."""


class PhoneError(HubError):
    """A refusal: an HTTP status and a word for a log, never a record's content."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, reason: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class Malformed(PhoneError):
    """The message is not what the protocol asks for."""


class Unauthorised(PhoneError):
    """Authentication failed. From outside all reasons look alike."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(PhoneError):
    """Known, but not allowed: pairing is closed, the device revoked, a permission missing."""

    status = HTTPStatus.FORBIDDEN


class NotFound(PhoneError):
    """No such procedure or record."""

    status = HTTPStatus.NOT_FOUND


class Conflict(PhoneError):
    """A value that may be used once was used again."""

    status = HTTPStatus.CONFLICT


class Insufficient(Conflict):
    """Less is there than was asked for; ``reason`` says how much."""


class TooLarge(PhoneError):
    """Over a named bound."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class WrongHost(PhoneError):
    """Reached by a name that is not the hub's: perhaps another site's page asks."""

    status = HTTPStatus.MISDIRECTED_REQUEST


class TooMany(PhoneError):
    """Too often; ``retry_after_s`` says when to come again."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(PhoneError):
    """The hub cannot take it now; nothing was stored."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class NotServing(Unavailable):
    """An administrator stopped serving phones for a while; the hub's own state says so."""


class CloudError(HubError):
    """The relay cannot go on now; nothing is lost by trying again."""


class NoLine(CloudError):
    """Nothing answers, or the answer was cut off."""


class TooSlow(NoLine):
    """The answer came so slowly that it would never have ended."""


class KeyRefused(CloudError):
    """The cloud does not know this hub's key."""


class CloudBusy(CloudError):
    """The cloud wants fewer requests."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"the cloud wants to be asked again in {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s


class CloudFailing(CloudError):
    """It answers, but not as it should; the text says what it answered."""


class NotTheCloud(CloudFailing):
    """Something else answered in its place: a page to sign in to the internet, another web site."""


class TooLargeAnswer(CloudFailing):
    """More than a cloud that is well would send."""


class Unreadable(CloudFailing):
    """The answer is not the JSON that it should be."""


class BadRecord(HubError):
    """One record is not accepted; ``reason`` names the table, the column and the limit, never the value."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class NotAllowed(BadRecord):
    """The user may not put it there; ``reason`` names the permission."""


class ParentHeld(BadRecord):
    """What the record belongs to was not accepted; ``parent`` names it as table/id."""

    def __init__(self, reason: Reason, parent: str) -> None:
        super().__init__(reason)
        self.parent = parent


class OperatorError(HubError):
    """A person at the hub must act; the text says what to do."""


class NotThere(OperatorError):
    """What was named does not exist, or no longer; pages say so in their own words."""


class AlreadyExists(OperatorError):
    """What was named exists already; pages say so in their own words."""


class NoRoom(OperatorError):
    """The disk has not the room that is needed; nothing was kept."""

    def __init__(self, needed_bytes: int, free_bytes: int) -> None:
        super().__init__(
            f"not enough free storage: it needs {needed_bytes // 1_000_000} MB, {free_bytes // 1_000_000} MB are free"
        )
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes


class NotABackup(OperatorError):
    """A file is something else than a backup of a hub."""


class WrongPassphrase(OperatorError):
    """It does not open the backup; of a damaged one nobody can tell the difference."""


class TooNew(OperatorError):
    """The backup was made by a newer hub than this one."""


class SettingError(OperatorError):
    """A setting is unknown or wrong; the text names the line to mend."""


class SettingsRefused(SettingError):
    """Nothing was changed: the values of ``names`` are not allowed, or, without names, the file cannot be written."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        super().__init__(", ".join(names))
        self.names = names


class UpdateRefused(OperatorError):
    """An update is not installed, and nothing was changed; ``values`` fill the sentence of ``refusal``."""

    def __init__(self, refusal: Refusal, **values: str) -> None:
        super().__init__(refusal.sentence.format(**values))
        self.refusal = refusal
        self.values = values


class StoreError(OperatorError):
    """The database is missing, locked or not ours to open."""


class Damaged(StoreError):
    """The database is not readable as one."""
