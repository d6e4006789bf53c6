"""Decides what records are: their tables and forms, how edits merge, who may do what."""
