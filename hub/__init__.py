"""Hikma Hub: keeps a clinic's records safe between its phones and the cloud."""

__version__ = "0.2.0.dev0"
