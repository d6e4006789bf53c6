"""Tells the rest of the box how the hub is."""
