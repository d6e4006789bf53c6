"""Rows about phones."""
