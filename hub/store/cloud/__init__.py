"""Rows about the cloud."""
