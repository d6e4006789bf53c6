"""Decides about people: what their passwords must be, and what they may do."""
