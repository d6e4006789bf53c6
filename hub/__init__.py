"""Hikma Hub: keeps a clinic's records safe between its phones and the cloud."""

__version__ = "0.1.0"
