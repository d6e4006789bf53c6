"""What phones may ask for, one file per noun; importing this package fills the registry."""

from hub.services.procedures import pulse, sign_in, sync
from hub.services.procedures.registry import Call, Context, Kind, find

__all__ = ["Call", "Context", "Kind", "find", "pulse", "sign_in", "sync"]
