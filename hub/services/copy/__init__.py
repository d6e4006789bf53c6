"""Keeps the copy journal on a stick beside the hub, and reads it back (the format: hub.core.copy)."""

from hub.services.copy.writer import CopyWriter

__all__ = ["CopyWriter"]
