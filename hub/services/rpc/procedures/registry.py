"""The one registry of procedures: name, kind, typed parameters and result, and what the user must be allowed."""

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, get_type_hints

import msgspec

from hub.core.people.attempts import Attempts
from hub.core.phone.device import Device
from hub.core.records.access import Permission, Rights
from hub.store.database import Store

RequiredPermissions = tuple[tuple[Permission, ...], ...]
"""What a user must be allowed in the record's clinic: of each group at least one.

It is documentation, and enforces nothing: core.records.access decides when a procedure reads or writes. A test holds
each procedure to what it says here.
"""

SEE: RequiredPermissions = ((Permission.VIEW,),)
"""The patient can be seen."""


class CallKind(Enum):
    """Whether a procedure is asked as a query or a command."""

    QUERY = "query"
    COMMAND = "command"


class Work(Enum):
    """What a call takes more of than others do: such calls wait for each other, and nothing else waits for them."""

    USUAL = "usual"
    PAGE = "page"
    """Its answer may be a page of records, in memory."""
    PASSWORD = "password"  # noqa: S105  a word
    """It checks a password, which is slow on purpose."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds and times that procedures keep to; the settings say them."""

    page_bytes: int
    """Budget of a pull's answer: bytes of its payload."""
    token_days: int
    token_days_max: int = 365
    attempts: Attempts
    phones_max: int = 500
    """Phones that the hub remembers."""
    needs_copy: bool = False
    """A push is refused while it would be on the hub alone."""


class Call(msgspec.Struct, frozen=True):
    """One opened request: from which device and address, and who is signed in there."""

    store: Store
    policy: Policy
    device: Device
    address: str
    user: Rights
    """What who is signed in may do; in a public procedure NOBODY's."""


class Procedure(msgspec.Struct, frozen=True):
    """A registered procedure."""

    kind: CallKind
    name: str
    params: type[Any]
    run: Callable[[Call, Any], object]
    public: bool
    """Works without anyone being signed in."""
    one_at_a_time: bool
    """No other such call of the same device runs meanwhile."""
    work: Work
    result: Any
    required_permissions: RequiredPermissions
    """For the catalogue, and its test: the procedures hold themselves to it."""


PROCEDURES: dict[tuple[CallKind, str], Procedure] = {}
"""All procedures, once their package is imported."""
_F = TypeVar("_F", bound=Callable[[Call, Any], object])


def query(
    name: str,
    *,
    public: bool = False,
    one_at_a_time: bool = False,
    work: Work = Work.USUAL,
    required_permissions: RequiredPermissions = (),
) -> Callable[[_F], _F]:
    """Register a function ``(call, params) -> answer`` as a query; its answer is JSON bytes or what msgspec encodes."""
    return _register(CallKind.QUERY, name, public, one_at_a_time, work, required_permissions)


def command(
    name: str,
    *,
    public: bool = False,
    one_at_a_time: bool = False,
    work: Work = Work.USUAL,
    required_permissions: RequiredPermissions = (),
) -> Callable[[_F], _F]:
    """Register a function ``(call, params) -> answer`` as a command."""
    return _register(CallKind.COMMAND, name, public, one_at_a_time, work, required_permissions)


def every() -> list[Procedure]:
    """Return all procedures, by kind and name."""
    return [PROCEDURES[key] for key in sorted(PROCEDURES, key=lambda key: (key[0].value, key[1]))]


def _register(
    kind: CallKind,
    name: str,
    public: bool,  # noqa: FBT001  only handed on
    one_at_a_time: bool,  # noqa: FBT001
    work: Work,
    required_permissions: RequiredPermissions,
) -> Callable[[_F], _F]:
    def keep(function: _F) -> _F:
        hints = get_type_hints(function, include_extras=True)
        PROCEDURES[kind, name] = Procedure(
            kind=kind,
            name=name,
            params=hints["params"],
            run=function,
            public=public,
            one_at_a_time=one_at_a_time,
            work=work,
            result=hints["return"],
            required_permissions=required_permissions,
        )
        return function

    return keep
