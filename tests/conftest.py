"""Gives the shared fixtures to every test."""

from pathlib import Path

import pytest

from tests.hubs import hub, serve, store

__all__ = ["hub", "serve", "store"]

_SLOW = ("ansible", "simulated/cloud", "firstboot", "image", "services/relay")
"""Folders of tests that start servers or other tools again and again: all of them are slow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave slow folders out of the quick tests."""
    slow = tuple(Path(__file__).parent / folder for folder in _SLOW)
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in slow):
            item.add_marker(pytest.mark.slow)
