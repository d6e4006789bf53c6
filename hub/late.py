"""Stands in for a library until it is first used: a start, which a clinic waits for, needs few of them.

Beside it, for the type checker, stands the import::

    if TYPE_CHECKING:
        import httpx
    else:
        httpx = Late("httpx")
"""

import importlib
from typing import Any


class Late:
    """A module by its full name; it is imported when something in it is asked for, by whichever thread."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401  whatever is in there
        """Return what is in the module by that name."""
        return getattr(importlib.import_module(self._name), attribute)
