"""Decides what phones and the hub say to each other: keys, ciphers, messages."""
