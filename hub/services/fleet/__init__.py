"""Tells an organisation's fleet server how this hub is, and was while it had no line."""
