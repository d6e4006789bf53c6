"""Gives the shared fixtures to every test."""

from tests.hubs import hub, serve, store

__all__ = ["hub", "serve", "store"]
