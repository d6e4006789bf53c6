"""The one registry of procedures: name, kind, typed parameters and result, and what the user must be allowed."""

import threading
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, get_type_hints
from weakref import WeakValueDictionary

import msgspec

from hub.core.errors import NotFound
from hub.core.people.attempts import Attempts
from hub.core.phone import wire
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


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds and times that procedures keep to; the settings say them."""

    page_bytes: int
    """Budget of a pull's answer: bytes of its payload."""
    token_days: int
    attempts: Attempts


class Context:
    """What all procedures share."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self.store = store
        self.policy = policy
        self._device_locks: WeakValueDictionary[int, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def device_lock(self, device: int) -> threading.Lock:
        """Return the lock that lets one device do one thing at a time; it is kept while someone holds it."""
        with self._lock:
            return self._device_locks.setdefault(device, threading.Lock())


class Call(msgspec.Struct, frozen=True):
    """One opened request: from which device and address, and who is signed in there."""

    context: Context
    device: Device
    address: str
    rights: Rights | None

    @property
    def user(self) -> Rights:
        """Return the rights of who is signed in; only for procedures that need someone."""
        if self.rights is None:
            raise AssertionError(self.device.num)
        return self.rights


class Procedure(msgspec.Struct, frozen=True):
    """A registered procedure."""

    kind: CallKind
    name: str
    params: type[Any]
    run: Callable[[Call, Any], object]
    public: bool
    """Works without anyone being signed in."""
    result: Any
    required_permissions: RequiredPermissions
    """For the catalogue, and its test: the procedures hold themselves to it."""

    def answer(self, call: Call, params: msgspec.Raw) -> bytes:
        """Run it; returns the JSON of its answer, raises PhoneError."""
        read = wire.read(self.params, params)
        result = self.run(call, read)
        return result if isinstance(result, bytes) else msgspec.json.encode(result)


_registry: dict[tuple[CallKind, str], Procedure] = {}
_F = TypeVar("_F", bound=Callable[[Call, Any], object])


def query(name: str, *, public: bool = False, required_permissions: RequiredPermissions = ()) -> Callable[[_F], _F]:
    """Register a function ``(call, params) -> answer`` as a query; its answer is JSON bytes or what msgspec encodes."""
    return _register(CallKind.QUERY, name, public=public, required_permissions=required_permissions)


def command(name: str, *, public: bool = False, required_permissions: RequiredPermissions = ()) -> Callable[[_F], _F]:
    """Register a function ``(call, params) -> answer`` as a command."""
    return _register(CallKind.COMMAND, name, public=public, required_permissions=required_permissions)


def find(kind: CallKind, name: str) -> Procedure:
    """Return a procedure; raises NotFound."""
    procedure = _registry.get((kind, name))
    if procedure is None:
        raise NotFound("no such procedure")
    return procedure


def every() -> list[Procedure]:
    """Return all procedures, by kind and name."""
    return [_registry[key] for key in sorted(_registry, key=lambda key: (key[0].value, key[1]))]


def _register(
    kind: CallKind, name: str, *, public: bool, required_permissions: RequiredPermissions
) -> Callable[[_F], _F]:
    def keep(function: _F) -> _F:
        hints = get_type_hints(function, include_extras=True)
        _registry[kind, name] = Procedure(
            kind=kind,
            name=name,
            params=hints["params"],
            run=function,
            public=public,
            result=hints["return"],
            required_permissions=required_permissions,
        )
        return function

    return keep
