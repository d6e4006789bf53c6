"""Rows about this hub."""
