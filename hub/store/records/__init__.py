"""Rows of the synced tables."""
